"""Makes crates/djauth-admin/tests/data/pages.json: what Django's admin answers to whom.

Twelve kinds of visitors, each with a list of requests: status, where it leads, the levels of messages,
the rows that the log gained, and of pages the names of the buttons and the links in their content. Keys
are named: `<me>` is the visitor, `<o>` another user, `<g>` a group, `<p>` a permission.
"""

import json
import logging
import re

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="admin-vector-key-0123456789abcdefghijklmnopqrstuvwx",
    ALLOWED_HOSTS=["testserver"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        f"django.contrib.{app}"
        for app in ("admin", "auth", "contenttypes", "sessions", "messages")
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": [
            "django.template.context_processors.request",
            "django.contrib.auth.context_processors.auth",
            "django.contrib.messages.context_processors.messages",
        ]},
    }],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    USE_TZ=True,
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.admin.models import LogEntry  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.messages.storage.cookie import CookieStorage  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.urls import path  # noqa: E402

urlpatterns = [path("admin/", admin.site.urls)]

PASSWORD = "correct horse"


def both(*actions):
    return [f"{action}_{model}" for action in actions for model in ("user", "group")]


def of(model, *actions):
    return [f"{action}_{model}" for action in actions]


EVERYTHING = both("view", "add", "change", "delete")
KINDS = {
    "anonymous": None,
    "no staff": {"staff": False, "perms": EVERYTHING},
    "inactive": {"active": False, "perms": EVERYTHING},
    "bare": {"perms": []},
    "view": {"perms": both("view")},
    "change": {"perms": both("change")},
    "add": {"perms": both("add")},
    "add and change": {"perms": both("add", "change")},
    "delete": {"perms": both("delete")},
    "view and delete users": {"perms": of("user", "view", "delete")},
    "all of groups": {"perms": of("group", "view", "add", "change", "delete")},
    "superuser": {"superuser": True, "perms": []},
}

CHANGED_USER = [
    ("username", "olga2"), ("first_name", "Olga"), ("email", ""), ("is_active", "on"),
    ("date_joined_0", "2026-01-01"), ("date_joined_1", "12:00:00"),
]
NEW_USER = [
    ("username", "nora"), ("usable_password", "true"),
    ("password1", "battery staple 9"), ("password2", "battery staple 9"),
]
NEW_PASSWORD = NEW_USER[1:] + [("set-password", "1")]

# The part of the admin, a name, a method, a path, and the fields of a form.
REQUESTS = [
    ("site", "index", "GET", "", None),
    ("site", "index, its head", "HEAD", "", None),
    ("site", "index, put", "PUT", "", None),
    ("site", "index, posted", "POST", "", []),
    ("site", "login", "GET", "login/", None),
    ("site", "login with next", "GET", "login/?next=/admin/auth/", None),
    ("site", "login with another site as next", "GET", "login/?next=https://evil.example/", None),
    ("site", "log in", "POST", "login/", [("username", "mia"), ("password", PASSWORD), ("next", "/admin/auth/")]),
    ("site", "log in without next", "POST", "login/", [("username", "mia"), ("password", PASSWORD)]),
    ("site", "log in with a wrong password", "POST", "login/", [("username", "mia"), ("password", "x")]),
    ("site", "logout", "GET", "logout/", None),
    ("site", "log out", "POST", "logout/", []),
    ("site", "own password", "GET", "password_change/", None),
    ("site", "change own password", "POST", "password_change/", [
        ("old_password", PASSWORD), ("new_password1", "battery staple 9"), ("new_password2", "battery staple 9")]),
    ("site", "own password changed", "GET", "password_change/done/", None),
    ("site", "texts for scripts", "GET", "jsi18n/", None),
    ("site", "autocomplete", "GET", "autocomplete/", None),
    ("site", "view on site", "GET", "r/2/<o>/", None),
    ("site", "application", "GET", "auth/", None),
    ("site", "another application", "GET", "other/", None),
    ("site", "no page", "GET", "none/", None),
    ("site", "no page without a slash", "GET", "none", None),
    ("site", "a page without a slash", "GET", "auth/user", None),
    ("site", "a page without a slash, with a query", "GET", "auth/user?q=a", None),
    ("site", "login without a slash", "GET", "login", None),
    ("site", "a user without a page", "GET", "auth/user/<o>/", None),
    ("site", "a user without page and slash", "GET", "auth/user/<o>", None),
    ("site", "nobody without a page", "GET", "auth/user/nobody_2F/", None),
    ("list", "users", "GET", "auth/user/", None),
    ("list", "groups", "GET", "auth/group/", None),
    ("list", "users, popup", "GET", "auth/user/?_popup=1", None),
    ("list", "users by password", "GET", "auth/user/?password__startswith=a", None),
    ("list", "users by no field", "GET", "auth/user/?nosuch=1", None),
    ("list", "users, broken", "GET", "auth/user/?nosuch=1&e=1", None),
    ("list", "users by key of another field", "GET", "auth/user/?_to_field=username", None),
    ("list", "delete nobody", "POST", "auth/user/", [("action", "delete_selected"), ("index", "0")]),
    ("list", "no action", "POST", "auth/user/", [("action", ""), ("index", "0"), ("_selected_action", "<o>")]),
    ("list", "delete selected", "POST", "auth/user/", [
        ("action", "delete_selected"), ("index", "0"), ("_selected_action", "<o>")]),
    ("list", "delete selected, confirmed", "POST", "auth/user/?q=o", [
        ("action", "delete_selected"), ("_selected_action", "<o>"), ("post", "yes")]),
    ("list", "delete selected groups, confirmed", "POST", "auth/group/", [
        ("action", "delete_selected"), ("_selected_action", "<g>"), ("post", "yes")]),
    ("form", "add user", "GET", "auth/user/add/", None),
    ("form", "add user, posted", "POST", "auth/user/add/", NEW_USER),
    ("form", "add user, another", "POST", "auth/user/add/", NEW_USER + [("_addanother", "1")]),
    ("form", "add user, wrong", "POST", "auth/user/add/", [("username", "OLGA")]),
    ("form", "add group", "GET", "auth/group/add/", None),
    ("form", "add group, posted", "POST", "auth/group/add/", [("name", "new"), ("_save", "1")]),
    ("form", "add group, another", "POST", "auth/group/add/", [("name", "new"), ("_addanother", "1")]),
    ("form", "add group, on", "POST", "auth/group/add/", [("name", "new"), ("_continue", "1")]),
    ("form", "user", "GET", "auth/user/<o>/change/", None),
    ("form", "oneself", "GET", "auth/user/<me>/change/", None),
    ("form", "group", "GET", "auth/group/<g>/change/", None),
    ("form", "user, from a list", "GET", "auth/user/<o>/change/?_changelist_filters=q%3Da", None),
    ("form", "user by name", "GET", "auth/user/<o>/change/?_to_field=username", None),
    ("form", "missing user", "GET", "auth/user/999/change/", None),
    ("form", "malformed user", "GET", "auth/user/abc/change/", None),
    ("form", "user, posted", "POST", "auth/user/<o>/change/", CHANGED_USER + [("_save", "1")]),
    ("form", "user, on", "POST", "auth/user/<o>/change/", CHANGED_USER + [("_continue", "1")]),
    ("form", "user, another", "POST", "auth/user/<o>/change/", CHANGED_USER + [("_addanother", "1")]),
    ("form", "user, as new", "POST", "auth/user/<o>/change/", CHANGED_USER + [("_saveasnew", "1")]),
    ("form", "user, wrong", "POST", "auth/user/<o>/change/", [("username", "")]),
    ("form", "user, back to the list", "POST", "auth/user/<o>/change/?_changelist_filters=q%3Da",
     CHANGED_USER + [("_save", "1")]),
    ("form", "group, posted", "POST", "auth/group/<g>/change/", [("name", "h"), ("permissions", "<p>"), ("_save", "1")]),
    ("form", "group, as it was", "POST", "auth/group/<g>/change/", [("name", "g"), ("_save", "1")]),
    ("form", "delete user", "GET", "auth/user/<o>/delete/", None),
    ("form", "delete user, posted", "POST", "auth/user/<o>/delete/", [("post", "yes")]),
    ("form", "delete group, posted", "POST", "auth/group/<g>/delete/", [("post", "yes")]),
    ("form", "delete missing user", "POST", "auth/user/999/delete/", [("post", "yes")]),
    ("form", "history", "GET", "auth/user/<o>/history/", None),
    ("form", "history of nobody", "GET", "auth/user/999/history/", None),
    ("form", "password", "GET", "auth/user/<o>/password/", None),
    ("form", "password of nobody", "GET", "auth/user/999/password/", None),
    ("form", "password, posted", "POST", "auth/user/<o>/password/", NEW_PASSWORD),
    ("form", "password, disabled", "POST", "auth/user/<o>/password/", [("usable_password", "false"), ("unset-password", "1")]),
    ("form", "password, contradicting", "POST", "auth/user/<o>/password/", [
        ("usable_password", "false"), ("set-password", "1")]),
]


class Rollback(Exception):
    pass


def people(kind):
    other = User.objects.create_user("olga", password=PASSWORD, is_staff=True)
    me = User.objects.create_user("mia", password=PASSWORD)
    group = Group.objects.create(name="g")
    if kind is not None:
        me.is_staff = kind.get("staff", True)
        me.is_active = kind.get("active", True)
        me.is_superuser = kind.get("superuser", False)
        me.save()
        me.user_permissions.set(Permission.objects.filter(codename__in=kind["perms"]))
    permission = Permission.objects.get(codename="view_user")
    return {"<me>": me.pk, "<o>": other.pk, "<g>": group.pk, "<p>": permission.pk}, me


def put_in(text, keys):
    for name, key in keys.items():
        text = text.replace(name, str(key))
    return text


def named(text, keys):
    """Keys in addresses become names; a key that was made meanwhile is `<new>`."""
    names = {("user", keys["<o>"]): "<o>", ("user", keys["<me>"]): "<me>", ("group", keys["<g>"]): "<g>"}

    def name(match):
        model, key = match[1], int(match[2])
        known = names.get((model if model == "group" else "user", key))
        return f"{model}/{match[2] if key == 999 else known or '<new>'}"
    return re.sub(r"(user|group|r/2)/(\d+)(?!\d)", name, text)


def levels(response):
    """Of messages that the page shows, or that wait for the next one."""
    found = [m.level_tag for m in (response.context or {}).get("messages", ())] if response.context else []
    cookie = response.cookies.get("messages")
    if cookie is not None and cookie.value:
        waiting = CookieStorage(response.wsgi_request)._decode(cookie.value)
        found += [m.level_tag for m in waiting or ()]
    return found


def content(response):
    if response.status_code != 200 or not response.headers["Content-Type"].startswith("text/html"):
        return {}
    text = response.content.decode()
    text = text.split('<div id="content"', 1)[-1].split('<footer', 1)[0]
    return text


def page(response, keys):
    text = content(response)
    if not text:
        return {}
    buttons = set()
    for tag in re.findall(r"<(?:input|button)[^>]*type=\"submit\"[^>]*>", text):
        buttons.update(re.findall(r' name="([^"]*)"', tag))
    links = {href.replace("&amp;", "&") for href in re.findall(r'href="(/admin/[^"]*)"', text)}
    return {"buttons": sorted(buttons), "links": sorted({named(link, keys) for link in links})}


def ask(kind, method, address, fields):
    keys, me = people(kind)
    client = Client()
    if kind is not None:
        client.force_login(me)
    form = None
    if fields is not None:
        form = {}
        for name, value in fields:
            form.setdefault(name, []).append(put_in(value, keys))
    url = "/admin/" + put_in(address, keys)
    response = client.generic(method, url) if form is None else client.post(url, form)
    log = [[entry.action_flag, entry.change_message, entry.object_repr] for entry in LogEntry.objects.order_by("id")]
    answer = {"status": response.status_code}
    if "Location" in response.headers:
        answer["location"] = named(response.headers["Location"], keys)
    return answer | {"levels": levels(response), "log": log} | page(response, keys)


def rolled_back(*question):
    answer = None
    try:
        with transaction.atomic():
            answer = ask(*question)
            raise Rollback
    except Rollback:
        return answer


def main():
    logging.disable(logging.CRITICAL)
    setup_test_environment()
    call_command("migrate", verbosity=0)
    answers = {
        name: {
            "part": part, "method": method, "path": address, "form": form,
            "answers": {kind: rolled_back(about, method, address, form) for kind, about in KINDS.items()},
        }
        for part, name, method, address, form in REQUESTS
    }
    kinds = {
        name: about and {"staff": True, "active": True, "superuser": False} | about
        for name, about in KINDS.items()
    }
    head = json.dumps({"kinds": kinds, "password": PASSWORD})[:-1]
    body = ",\n".join(f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
    print(f'{head}, "requests": {{\n{body}\n}}}}')


main()
