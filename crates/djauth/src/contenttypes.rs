//! Content types: `django/contrib/contenttypes`.
