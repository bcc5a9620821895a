//! `AbstractBaseUser` and `BaseUserManager`: `django/contrib/auth/base_user.py`.
