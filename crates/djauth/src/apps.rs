//! What the auth application connects at start-up: `django/contrib/auth/apps.py`.
