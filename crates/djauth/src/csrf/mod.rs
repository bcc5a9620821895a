//! Cross-site request forgery protection: `django/middleware/csrf.py`.
