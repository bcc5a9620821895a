//! Username validators: `django/contrib/auth/validators.py`.
