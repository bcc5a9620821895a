//! `user_logged_in`, `user_logged_out`, `user_login_failed`: `django/contrib/auth/signals.py`.
