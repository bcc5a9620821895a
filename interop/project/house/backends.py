"""What other packages bring along: a backend that only refuses, and one that does what Django's does."""

from django.contrib.auth.backends import BaseBackend, ModelBackend


class Lockout(BaseBackend):
    pass


class Accounts(ModelBackend):
    pass
