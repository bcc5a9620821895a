//! The pages: `django/contrib/auth/views.py`.
