"""Asks a Django project for what djauth has to know about it, and writes the answer as JSON.

Runs in the project's own Python: `python -c THIS path/to/manage.py`. The project's manage.py runs as it
always does, so that its settings are those of the site, until it would execute a command.
"""

import json
import os
import runpy
import sys

# What the project prints while it is imported must not get into the answer.
answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
manage = os.path.abspath(sys.argv[1])
sys.argv = [manage, "diffsettings"]
sys.path[0] = os.path.dirname(manage)


def plain(value, depth=0):
    """The value in JSON, or None inside of a mark that it has no such form."""
    from django.utils.functional import Promise

    if depth > 8:
        return {"__python__": type(value).__name__}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (Promise, os.PathLike)):
        return str(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return {"__python__": "bytes"}
    if isinstance(value, dict):
        return {str(key): plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, depth + 1) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted((plain(item, depth + 1) for item in value), key=str)
    return {"__python__": type(value).__name__}


def dotted(cls):
    return f"{cls.__module__}.{cls.__qualname__}"


def lineage(cls):
    """The class's path, Django's class that it descends from, and what it changes of that one."""
    for base in cls.__mro__:
        if base.__module__.startswith("django."):
            own = set()
            for between in cls.__mro__[: cls.__mro__.index(base)]:
                own |= {name for name, item in vars(between).items() if callable(item)}
            return {"path": dotted(cls), "django": dotted(base), "changes": sorted(own)}
    return {"path": dotted(cls), "django": None, "changes": []}


def imported(path):
    from django.utils.module_loading import import_string

    try:
        found = import_string(path)
    except Exception as error:
        return {"path": path, "django": None, "changes": [], "error": str(error)}
    if isinstance(found, type):
        return {**lineage(found), "path": path}
    return {"path": path, "django": path if path.startswith("django.") else None, "changes": []}


FACTORS = (
    "iterations", "time_cost", "memory_cost", "parallelism", "rounds", "work_factor", "block_size",
)


def hasher(one):
    factors = {name: getattr(one, name) for name in FACTORS if isinstance(getattr(one, name, None), int)}
    return {**lineage(type(one)), "algorithm": one.algorithm, "factors": factors}


def hashers():
    from django.contrib.auth.hashers import get_hashers

    return [hasher(one) for one in get_hashers()]


def validators(settings):
    from django.utils.module_loading import import_string

    found = []
    for entry in settings.AUTH_PASSWORD_VALIDATORS:
        options = entry.get("OPTIONS", {})
        one = import_string(entry["NAME"])(**options)
        known = ("min_length", "max_similarity", "user_attributes")
        values = {name: plain(getattr(one, name)) for name in known if hasattr(one, name)}
        found.append({**lineage(type(one)), "options": plain(options), "values": values})
    return found


def urls(settings):
    """Names of URL patterns do not exist outside of Django, so they become paths."""
    from django.shortcuts import resolve_url

    found = {}
    for name in ("LOGIN_URL", "LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"):
        value = getattr(settings, name)
        try:
            found[name] = None if value is None else str(resolve_url(value))
        except Exception as error:
            found[name] = {"__python__": f"{type(error).__name__}"}
    return found


def field(one):
    return {
        "name": one.name,
        "column": one.column,
        "type": one.get_internal_type(),
        "null": one.null,
        "blank": one.blank,
        "unique": one.unique,
        "max_length": one.max_length,
        "default": one.has_default(),
        "verbose_name": str(one.verbose_name),
    }


def links(one):
    return {"table": one.m2m_db_table(), "user": one.m2m_column_name(), "other": one.m2m_reverse_name()}


def user():
    from django.contrib.auth import get_user_model

    model = get_user_model()
    meta = model._meta
    many = {one.name: links(one) for one in meta.local_many_to_many if one.remote_field.through}
    return {
        "app_label": meta.app_label,
        "model_name": meta.model_name,
        "object_name": meta.object_name,
        "verbose_name": str(meta.verbose_name),
        "table": meta.db_table,
        "key": field(meta.pk),
        "fields": [field(one) for one in meta.concrete_fields],
        "parents": [dotted(one) for one in model.__mro__ if one.__module__.startswith("django.contrib.auth")],
        "multi_table": bool(meta.parents),
        "USERNAME_FIELD": model.USERNAME_FIELD,
        "EMAIL_FIELD": model.get_email_field_name(),
        "REQUIRED_FIELDS": list(model.REQUIRED_FIELDS),
        "groups": many.get("groups"),
        "user_permissions": many.get("user_permissions"),
    }


def ask():
    import django
    from django.conf import settings

    django.setup()
    names = sorted(name for name in dir(settings) if name.isupper())
    return {
        "django": list(django.VERSION[:2]),
        "module": os.environ.get("DJANGO_SETTINGS_MODULE", ""),
        "folder": os.getcwd(),
        "settings": {name: plain(getattr(settings, name)) for name in names},
        "set": [name for name in names if settings.is_overridden(name)],
        "hashers": hashers(),
        "validators": validators(settings),
        "backends": [imported(path) for path in settings.AUTHENTICATION_BACKENDS],
        "middleware": [imported(path) for path in settings.MIDDLEWARE],
        "urls": urls(settings),
        "user": user(),
    }


class Asked(BaseException):
    """Ends manage.py once everything is known."""


def instead_of_a_command(*_arguments, **_options):
    json.dump(ask(), answer)
    answer.flush()
    raise Asked


try:
    import django.core.management
except ImportError as error:
    sys.exit(f"this Python ({sys.executable}) has no Django: {error}")
django.core.management.execute_from_command_line = instead_of_a_command
try:
    runpy.run_path(manage, run_name="__main__")
except Asked:
    sys.exit(0)
sys.exit(f"{manage} runs no command of Django (execute_from_command_line)")
