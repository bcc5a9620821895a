"""The header of a remote user, by the name that djauth's setting has too."""

import os

from django.contrib.auth.middleware import PersistentRemoteUserMiddleware, RemoteUserMiddleware


class Middleware(RemoteUserMiddleware):
    header = os.environ.get("REMOTE_USER_HEADER")


class PersistentMiddleware(PersistentRemoteUserMiddleware):
    header = os.environ.get("REMOTE_USER_HEADER")
