//! Route layers: `django/contrib/auth/decorators.py`.
