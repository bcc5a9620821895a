"""PBKDF2 at a cost that tests can pay."""

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher


class CheapPBKDF2(PBKDF2PasswordHasher):
    iterations = settings.CHEAP_ITERATIONS
