"""Calls of `django.contrib.auth` behind the pages, for the tests: POST {"command": …, …} to /_do.

The Rust application of the suite answers the same calls with the crates.
"""

import json
import time
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.tokens import default_token_generator
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from reports.models import Report

COMMANDS = {}
User = get_user_model()


def find(username):
    return User.objects.get_by_natural_key(username)


def command(function):
    COMMANDS[function.__name__] = function
    return function


def permission_of(name):
    app_label, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)


def names(username, email):
    """The login name under its field's name; a model that logs in by e-mail takes no other."""
    given = {User.USERNAME_FIELD: username}
    return given if User.USERNAME_FIELD == "email" else {**given, "email": email}


@command
def create_user(username, password=None, email="", **fields):
    user = User.objects.create_user(password=password, **names(username, email), **fields)
    return {"id": str(user.pk)}


@command
def create_superuser(username, password=None, email="", **fields):
    user = User.objects.create_superuser(password=password, **names(username, email), **fields)
    return {"id": str(user.pk)}


@command
def set_password(username, password):
    user = find(username)
    user.set_password(password)
    user.save()


@command
def update_user(username, **fields):
    user = find(username)
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))


@command
def delete_user(username):
    find(username).delete()


@command
def make_password(password, iterations):
    return {"encoded": PBKDF2PasswordHasher().encode(password, "somesaltwithtwentytwoc", iterations)}


@command
def permissions(username):
    return {"permissions": sorted(find(username).get_all_permissions())}


@command
def make_token(username):
    return {"token": default_token_generator.make_token(find(username))}


@command
def check_token(username, token):
    return {"good": default_token_generator.check_token(find(username), token)}


@command
def describe(username):
    """Every field as text, the password aside."""
    user = find(username)
    fields = {field.attname: getattr(user, field.attname) for field in user._meta.concrete_fields}
    del fields["password"], fields["last_login"]
    return {name: None if value is None else str(value) for name, value in fields.items()}


@command
def grant(username, permission):
    find(username).user_permissions.add(permission_of(permission))


@command
def revoke(username, permission):
    find(username).user_permissions.remove(permission_of(permission))


@command
def create_group(name):
    return {"id": Group.objects.create(name=name).pk}


@command
def delete_group(name):
    Group.objects.get(name=name).delete()


@command
def grant_group(name, permission):
    Group.objects.get(name=name).permissions.add(permission_of(permission))


@command
def revoke_group(name, permission):
    Group.objects.get(name=name).permissions.remove(permission_of(permission))


@command
def join(username, group):
    find(username).groups.add(Group.objects.get(name=group))


@command
def leave(username, group):
    find(username).groups.remove(Group.objects.get(name=group))


@command
def clear_sessions():
    from django.core.management import call_command

    call_command("clearsessions")


# The rest is for the tests of the cache, which ask Django alone.


@command
def create_permission(codename):
    kind = ContentType.objects.get_for_model(Report)
    Permission.objects.create(content_type=kind, codename=codename, name=codename)


@command
def delete_permission(codename):
    permission_of(f"reports.{codename}").delete()


@command
def change_session(key, way):
    """The calls by which a site ends a session, lets it end in a second, or saves something in it."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if way == "delete":
        return session.delete()
    if way == "flush":
        return session.flush()
    if way == "save":
        session["saved"] = session.get("saved", 0) + 1
    else:
        session.set_expiry({"soon": 1, "expire": -10}[way])
    session.save()


@command
def hold(username, group, permission, begun, end):
    """Changes a user and a group in one transaction, which stays open until the file `end` is there."""
    with transaction.atomic():
        user = find(username)
        user.email = "held@example.com"
        user.save()
        user.groups.add(Group.objects.get(name=group))
        Group.objects.get(name=group).permissions.add(permission_of(permission))
        Path(begun).touch()
        deadline = time.monotonic() + 30
        while not Path(end).exists():
            if time.monotonic() > deadline:
                raise TimeoutError(end)
            time.sleep(0.01)


@command
def make_graph(groups, users):
    """Groups with permissions, and users with flags, groups and permissions; all by name."""
    for name, permissions in groups.items():
        Group.objects.create(name=name).permissions.set(map(permission_of, permissions))
    for name, about in users.items():
        user = User.objects.create_user(username=name, **about["flags"])
        user.groups.set(Group.objects.filter(name__in=about["groups"]))
        user.user_permissions.set(map(permission_of, about["permissions"]))


@command
def every_permission():
    rows = Permission.objects.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}": row.pk for row in rows}


@command
def rights(username):
    """What a user has, asked in both ways."""
    user = find(username)
    asked = {name: user.has_perm(name) for name in every_permission()}
    return {"id": str(user.pk), "asked": asked, "all": sorted(user.get_all_permissions())}


@command
def with_perm(permission, is_active, include_superusers):
    found = User.objects.with_perm(permission, is_active=is_active, include_superusers=include_superusers)
    return {"names": sorted(user.get_username() for user in found)}


@csrf_exempt
def do(request):
    arguments = json.loads(request.body)
    return JsonResponse(COMMANDS[arguments.pop("command")](**arguments) or {})
