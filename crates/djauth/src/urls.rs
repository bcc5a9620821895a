//! The routes: `django/contrib/auth/urls.py`.
