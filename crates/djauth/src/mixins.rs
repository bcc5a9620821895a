//! Extractors: `django/contrib/auth/mixins.py`.
