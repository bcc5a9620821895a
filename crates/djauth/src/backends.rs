//! Authentication backends: `django/contrib/auth/backends.py`.
