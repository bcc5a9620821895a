"""What a site imports whatever its settings are: see `nursery`."""

import importlib

NAMES = (
    "django.contrib.admin", "django.contrib.auth.hashers", "django.contrib.auth.management",
    "django.contrib.sessions.backends.db", "django.core.management.commands.migrate",
    "django.core.handlers.wsgi", "django.db.backends.mysql.base", "django.db.backends.postgresql.base",
    "django.db.backends.sqlite3.base", "django.db.models", "django.forms", "django.template",
    "django.template.backends.django", "django.urls", "django.views.debug", "django.views.generic",
    "gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "redis",
)
for name in NAMES:
    importlib.import_module(name)

from django.conf import settings

assert not settings.configured
