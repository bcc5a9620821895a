//! System checks: `django/core/checks` and `django/contrib/auth/checks.py`.
