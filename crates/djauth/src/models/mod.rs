//! `User`, `Group`, `Permission`, `AnonymousUser`: `django/contrib/auth/models.py`.
