"""Calls of `django.contrib.auth` behind the pages, for the tests: POST {"command": …, …} to /_do.

The Rust application of the suite answers the same calls with the crates.
"""

import json

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import Group, Permission, User
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt

COMMANDS = {}


def command(function):
    COMMANDS[function.__name__] = function
    return function


def permission_of(name):
    app_label, codename = name.split(".")
    return Permission.objects.get(content_type__app_label=app_label, codename=codename)


@command
def create_user(username, password=None, email="", **fields):
    user = User.objects.create_user(username, email, password, **fields)
    return {"id": user.pk}


@command
def create_superuser(username, password=None, email=""):
    user = User.objects.create_superuser(username, email, password)
    return {"id": user.pk}


@command
def set_password(username, password):
    user = User.objects.get(username=username)
    user.set_password(password)
    user.save()


@command
def update_user(username, **fields):
    user = User.objects.get(username=username)
    for name, value in fields.items():
        setattr(user, name, value)
    user.save(update_fields=list(fields))


@command
def delete_user(username):
    User.objects.get(username=username).delete()


@command
def make_password(password, iterations):
    return {"encoded": PBKDF2PasswordHasher().encode(password, "somesaltwithtwentytwoc", iterations)}


@command
def permissions(username):
    return {"permissions": sorted(User.objects.get(username=username).get_all_permissions())}


@command
def grant(username, permission):
    User.objects.get(username=username).user_permissions.add(permission_of(permission))


@command
def revoke(username, permission):
    User.objects.get(username=username).user_permissions.remove(permission_of(permission))


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
    User.objects.get(username=username).groups.add(Group.objects.get(name=group))


@command
def leave(username, group):
    User.objects.get(username=username).groups.remove(Group.objects.get(name=group))


@command
def clear_sessions():
    from django.core.management import call_command

    call_command("clearsessions")


@csrf_exempt
def do(request):
    arguments = json.loads(request.body)
    return JsonResponse(COMMANDS[arguments.pop("command")](**arguments) or {})
