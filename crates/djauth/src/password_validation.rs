//! Password policy: `django/contrib/auth/password_validation.py`.
