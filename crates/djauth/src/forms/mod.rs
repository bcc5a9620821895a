//! The forms of authentication: `django/contrib/auth/forms.py`.
