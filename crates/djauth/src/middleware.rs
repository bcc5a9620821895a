//! The authentication layer: `django/contrib/auth/middleware.py` with sessions and CSRF in their order.
