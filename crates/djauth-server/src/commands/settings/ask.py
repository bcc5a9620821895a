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


def values_of(cls):
    """What middleware and backends of remote users are told by attributes."""
    known = ("header", "force_logout_if_no_header", "create_unknown_user")
    return {name: plain(getattr(cls, name)) for name in known if hasattr(cls, name)}


def imported(path):
    from django.utils.module_loading import import_string

    try:
        found = import_string(path)
    except Exception as error:
        return {"path": path, "django": None, "changes": [], "error": str(error)}
    if isinstance(found, type):
        return {**lineage(found), "path": path, "values": values_of(found)}
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


def default_of(one):
    import uuid

    from django.utils import timezone

    if one.default is timezone.now or getattr(one, "auto_now_add", False) or getattr(one, "auto_now", False):
        return "now"
    if one.default is uuid.uuid4:
        return "uuid4"
    return None if callable(one.default) or not one.has_default() else plain(one.default)


def field(one):
    # A relation is a column of its target's type.
    target = one
    while target.remote_field:
        target = target.target_field
    described = {
        "name": one.attname,
        "column": one.column if one.column != one.attname else None,
        "type": target.get_internal_type(),
        "primary_key": one.primary_key,
        "unique": one.unique and not one.primary_key,
        "null": one.null,
        "blank": one.blank,
        "max_length": one.max_length,
        "verbose_name": str(one.verbose_name),
    }
    kept = {key: value for key, value in described.items() if value is not None and value is not False}
    default = default_of(one)
    return kept if default is None else {**kept, "default": default}


def links(model, name, other):
    try:
        one = model._meta.get_field(name)
    except Exception:
        return None
    if not one.many_to_many:
        return None
    return {"table": one.m2m_db_table(), "user": one.m2m_column_name(), other: one.m2m_reverse_name()}


def flag(model, name):
    """The boolean field behind an attribute, or its value; None where the fields say it, or nobody can."""
    from django.db import models

    booleans = [one.name for one in model._meta.concrete_fields if isinstance(one, models.BooleanField)]
    value = getattr(model, name, None)
    if name in booleans or isinstance(value, bool):
        return None if name in booleans else value
    if not isinstance(value, property):
        return None
    for candidate in booleans:
        follows = True
        for others in (False, True):
            for answer in (False, True):
                user = model()
                for one in booleans:
                    setattr(user, one, others)
                setattr(user, candidate, answer)
                try:
                    follows = follows and getattr(user, name) is answer
                except Exception:
                    follows = False
        if follows:
            return candidate
    return None


def user():
    from django.contrib.auth import get_user_model

    model = get_user_model()
    meta = model._meta
    described = {
        "label": f"{meta.app_label}.{meta.object_name}",
        "verbose_name": str(meta.verbose_name),
        "db_table": meta.db_table,
        "USERNAME_FIELD": model.USERNAME_FIELD,
        "EMAIL_FIELD": model.get_email_field_name(),
        "REQUIRED_FIELDS": list(model.REQUIRED_FIELDS),
        **{name: flag(model, name) for name in ("is_active", "is_staff", "is_superuser")},
        "fields": [field(one) for one in meta.concrete_fields],
        "groups": links(model, "groups", "group"),
        "user_permissions": links(model, "user_permissions", "permission"),
    }
    hidden = [
        name
        for name in ("is_active", "is_staff", "is_superuser")
        if isinstance(getattr(model, name, None), property) and described[name] is None
    ]
    return {
        "label": meta.label_lower,
        "description": {key: value for key, value in described.items() if value is not None},
        "hidden": hidden,
        "several_tables": bool(meta.parents),
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
