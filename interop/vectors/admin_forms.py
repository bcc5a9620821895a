"""Makes crates/djauth-admin/tests/data/forms.json: what Django's admin does with forms that are sent to it.

A superuser sends each form to the same scene: where it leads, the codes of its errors by field, the levels of
messages, what it changed of users and groups, and the rows that the log gained. Keys are named: `<o>` is a
user, `<w>` one without a password, `<g>` and `<h>` are groups, `<p>` and `<q>` permissions.
"""

import json
import logging
import re
from datetime import datetime, timezone

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
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
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
    TIME_ZONE="UTC",
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

OLD, NEW = "correct horse", "battery staple 9"
JOINED = datetime(2025, 5, 6, 7, 8, 9, tzinfo=timezone.utc)

#: What the page of `<o>` sends when nobody touched it. The hidden inputs are Django's own: without them it
#: takes the date for changed.
USER = [
    ("username", "olga"), ("first_name", "Olga"), ("last_name", ""), ("email", "olga@example.com"),
    ("is_active", "on"), ("is_staff", "on"), ("groups", "<g>"), ("user_permissions", "<p>"),
    ("last_login_0", ""), ("last_login_1", ""), ("date_joined_0", "2025-05-06"), ("date_joined_1", "07:08:09"),
    ("initial-date_joined_0", "2025-05-06"), ("initial-date_joined_1", "07:08:09"),
]
NEW_USER = [("username", "new"), ("usable_password", "true"), ("password1", NEW), ("password2", NEW)]
GROUP = [("name", "editors"), ("permissions", "<p>")]
PASSWORD = [("usable_password", "true"), ("password1", NEW), ("password2", NEW)]

CHANGE, ADD = "auth/user/<o>/change/", "auth/user/add/"
CHANGE_GROUP, ADD_GROUP = "auth/group/<g>/change/", "auth/group/add/"
SET = "auth/user/<o>/password/"


def sent(form, *pressed, without=(), **fields):
    """A form with other values in some fields, and what was pressed."""
    kept = [pair for pair in form if pair[0] not in without and pair[0] not in fields]
    for name, value in fields.items():
        kept += [(name, one) for one in (value if isinstance(value, list) else [value])]
    return kept + [(name, "1") for name in pressed]


def user(*pressed, **fields):
    return sent(USER, *(pressed or ("_save",)), **fields)


def cases():
    yield "user, untouched", CHANGE, user()
    yield "user, each text", CHANGE, user(
        username="olga2", first_name="O", last_name="L", email="o@example.org")
    yield "user, blanks around", CHANGE, user(username="  olga ", first_name=" Olga  ", last_name=" ")
    yield "user, flags off", CHANGE, user(without=("is_active", "is_staff"))
    yield "user, superuser", CHANGE, user(is_superuser="on")
    for value in ("true", "True", "1", "false", "False", "0", "off", ""):
        yield f"user, staff is {value!r}", CHANGE, user(is_staff=value)
    yield "user, another group", CHANGE, user(groups="<h>")
    yield "user, both groups", CHANGE, user(groups=["<h>", "<g>"])
    yield "user, the same group twice", CHANGE, user(groups=["<g>", "<g>"])
    yield "user, another permission", CHANGE, user(user_permissions="<q>")
    yield "user, no groups and permissions", CHANGE, user(without=("groups", "user_permissions"))
    yield "user, a group that is none", CHANGE, user(groups="9999")
    yield "user, a group that is no number", CHANGE, user(groups="x")
    yield "user, a permission that is none", CHANGE, user(user_permissions=["<p>", "9999"])
    yield "user, last login", CHANGE, user(last_login_0="2026-02-03", last_login_1="04:05:06")
    yield "user, last login without seconds", CHANGE, user(last_login_0="2026-02-03", last_login_1="04:05")
    yield "user, last login without a time", CHANGE, user(last_login_0="2026-02-03")
    yield "user, last login without a date", CHANGE, user(last_login_1="04:05:06")
    yield "user, joined another day", CHANGE, user(date_joined_0="2025-05-07")
    yield "user, joined never", CHANGE, user(date_joined_0="", date_joined_1="")
    yield "user, joined at no time", CHANGE, user(date_joined_1="")
    yield "user, joined on no date", CHANGE, user(date_joined_0="2025-02-30")
    yield "user, joined at 25", CHANGE, user(date_joined_1="25:00:00")
    yield "user, joined at nothing sensible", CHANGE, user(date_joined_0="soon", date_joined_1="late")
    yield "user, no name", CHANGE, user(username="")
    yield "user, name of blanks", CHANGE, user(username="   ")
    yield "user, name with a blank", CHANGE, user(username="ol ga")
    yield "user, name with markup", CHANGE, user(username="<b>")
    yield "user, name of 150", CHANGE, user(username="o" * 150)
    yield "user, name of 151", CHANGE, user(username="o" * 151)
    yield "user, name taken", CHANGE, user(username="wim")
    yield "user, name with NUL", CHANGE, user(username="ol\0ga")
    yield "user, name in other letters", CHANGE, user(username="ölgá")
    yield "user, first name of 151", CHANGE, user(first_name="ä" * 151)
    yield "user, address that is none", CHANGE, user(email="olga")
    yield "user, address of 255", CHANGE, user(email="o" * 243 + "@example.com")
    yield "user, several errors", CHANGE, user(username="a b", email="x", date_joined_0="", groups="x")
    yield "user, nothing sent", CHANGE, [("_save", "1")]
    yield "user, what is not in the form", CHANGE, user(password="x", id="77", pk="77", nosuch="1")
    yield "user, on", CHANGE, user("_continue", first_name="O")
    yield "user, another", CHANGE, user("_addanother", first_name="O")
    yield "user, no button", CHANGE, sent(USER, first_name="O")
    yield "user, popup", CHANGE, user("_popup", first_name="O")
    yield "user, from a list", CHANGE + "?_changelist_filters=q%3Dol%26p%3D2", user(first_name="O")
    yield "user, from a list and on", CHANGE + "?_changelist_filters=q%3Dol", user("_continue")
    yield "nobody", "auth/user/9999/change/", user()

    yield "new user", ADD, sent(NEW_USER, "_save")
    yield "new user, on", ADD, sent(NEW_USER, "_continue")
    yield "new user, another", ADD, sent(NEW_USER, "_addanother")
    yield "new user, popup", ADD, sent(NEW_USER, "_popup")
    yield "new user, from a list", ADD + "?_changelist_filters=q%3Dol", sent(NEW_USER, "_save")
    yield "new user without a password", ADD, sent(NEW_USER, password1="", password2="", usable_password="false")
    yield "new user, off with a password", ADD, sent(NEW_USER, usable_password="false")
    yield "new user, passwords differ", ADD, sent(NEW_USER, password2="other")
    yield "new user, no passwords", ADD, sent(NEW_USER, password1="", password2="")
    yield "new user, one password", ADD, sent(NEW_USER, password2="")
    yield "new user, no choice", ADD, sent(NEW_USER, without=("usable_password",))
    yield "new user, another choice", ADD, sent(NEW_USER, usable_password="perhaps")
    yield "new user, no name", ADD, sent(NEW_USER, username="")
    yield "new user, name taken", ADD, sent(NEW_USER, username="olga")
    yield "new user, name taken in capitals", ADD, sent(NEW_USER, username="OLGA")
    yield "new user, name with a blank", ADD, sent(NEW_USER, username="a b")
    yield "new user, name of 151", ADD, sent(NEW_USER, username="n" * 151)
    yield "new user, what is not in the form", ADD, sent(NEW_USER, is_superuser="on", email="n@example.com")
    yield "new user, nothing sent", ADD, [("_save", "1")]

    yield "group, untouched", CHANGE_GROUP, sent(GROUP, "_save")
    yield "group, name", CHANGE_GROUP, sent(GROUP, "_save", name="authors")
    yield "group, permissions", CHANGE_GROUP, sent(GROUP, "_save", permissions=["<q>", "<p>"])
    yield "group, both", CHANGE_GROUP, sent(GROUP, "_save", name="authors", without=("permissions",))
    yield "group, no name", CHANGE_GROUP, sent(GROUP, "_save", name="")
    yield "group, name taken", CHANGE_GROUP, sent(GROUP, "_save", name="writers")
    yield "group, name of 151", CHANGE_GROUP, sent(GROUP, "_save", name="g" * 151)
    yield "group, no permission", CHANGE_GROUP, sent(GROUP, "_save", permissions="9999")
    yield "group, on", CHANGE_GROUP, sent(GROUP, "_continue", name="authors")
    yield "group, another", CHANGE_GROUP, sent(GROUP, "_addanother", name="authors")
    yield "group, popup", CHANGE_GROUP, sent(GROUP, "_popup", name="authors")
    yield "group, from a list", CHANGE_GROUP + "?_changelist_filters=q%3De", sent(GROUP, "_save")
    yield "new group", ADD_GROUP, sent(GROUP, "_save", name="new")
    yield "new group, on", ADD_GROUP, sent(GROUP, "_continue", name="new")
    yield "new group, another", ADD_GROUP, sent(GROUP, "_addanother", name="new")
    yield "new group, popup", ADD_GROUP, sent(GROUP, "_popup", name="new")
    yield "new group, name taken", ADD_GROUP, sent(GROUP, "_save")
    yield "new group, nothing sent", ADD_GROUP, [("_save", "1")]

    yield "password", SET, sent(PASSWORD, "set-password")
    yield "password, passwords differ", SET, sent(PASSWORD, "set-password", password2="other")
    yield "password, none", SET, sent(PASSWORD, "set-password", password1="", password2="")
    yield "password, one", SET, sent(PASSWORD, "set-password", password1="")
    yield "password off", SET, [("usable_password", "false"), ("unset-password", "1")]
    yield "password off, with passwords", SET, sent(PASSWORD, "unset-password", usable_password="false")
    yield "password off, by the other button", SET, sent(PASSWORD, "set-password", usable_password="false")
    yield "password on, by the other button", SET, sent(PASSWORD, "unset-password")
    yield "password, no button", SET, sent(PASSWORD)
    yield "password, nothing sent", SET, [("set-password", "1")]
    yield "first password", "auth/user/<w>/password/", sent(PASSWORD, "set-password", without=("usable_password",))
    yield "first password, none", "auth/user/<w>/password/", [("set-password", "1")]
    yield "password of nobody", "auth/user/9999/password/", sent(PASSWORD, "set-password")

    yield "delete a user", "auth/user/<o>/delete/", [("post", "yes")]
    yield "delete a user, from a list", "auth/user/<o>/delete/?_changelist_filters=q%3Dol", [("post", "yes")]
    yield "delete a user, popup", "auth/user/<o>/delete/", [("post", "yes"), ("_popup", "1")]
    yield "delete a group", "auth/group/<g>/delete/", [("post", "yes")]
    yield "delete nobody", "auth/user/9999/delete/", [("post", "yes")]


class Rollback(Exception):
    pass


def scene():
    """Who and what is there, by the names of their keys."""
    me = User.objects.create_superuser("ada", "", OLD)
    view, add = (Permission.objects.get(codename=name) for name in ("view_user", "add_user"))
    editors, writers = (Group.objects.create(name=name) for name in ("editors", "writers"))
    editors.permissions.add(view)
    olga = User.objects.create_user(
        "olga", "olga@example.com", OLD, first_name="Olga", is_staff=True, date_joined=JOINED)
    olga.groups.add(editors)
    olga.user_permissions.add(view)
    wim = User.objects.create_user("wim", date_joined=JOINED)
    keys = {"<o>": olga, "<w>": wim, "<g>": editors, "<h>": writers, "<p>": view, "<q>": add}
    return me, {name: row.pk for name, row in keys.items()}


def moment(value):
    return value and value.strftime("%Y-%m-%dT%H:%M:%S")


def password(row):
    if not row.has_usable_password():
        return "off"
    return {(True, False): "old", (False, True): "new"}[row.check_password(OLD), row.check_password(NEW)]


def picture():
    """Everything that a form could change, by names."""
    users = {
        row.username: {
            "first_name": row.first_name, "last_name": row.last_name, "email": row.email,
            "active": row.is_active, "staff": row.is_staff, "superuser": row.is_superuser,
            "groups": sorted(row.groups.values_list("name", flat=True)),
            "permissions": sorted(row.user_permissions.values_list("codename", flat=True)),
            "password": password(row),
            "last_login": moment(row.last_login),
            # Who was made by the form joined just now.
            "joined": moment(row.date_joined) if row.username not in ("ada", "new") else None,
        } for row in User.objects.exclude(username="ada")
    }
    groups = {
        row.name: sorted(row.permissions.values_list("codename", flat=True)) for row in Group.objects.all()
    }
    return {"users": users, "groups": groups}


def difference(before, after):
    """What there is now and was otherwise, and the names of what is gone."""
    return {
        kind: {name: row for name, row in after[kind].items() if before[kind].get(name) != row}
        | {name: None for name in before[kind] if name not in after[kind]}
        for kind in before
    }


def named(text, keys):
    models = {"<o>": "user", "<w>": "user", "<g>": "group"}
    for name, model in models.items():
        text = text.replace(f"{model}/{keys[name]}/", f"{model}/{name}/")
    return re.sub(r"(user|group)/(?!9999/)\d+/", r"\1/<new>/", text)


def codes(response):
    context = response.context
    if response.status_code != 200 or not context:
        return {}
    form = context["adminform"].form if "adminform" in context else context.get("form")
    if form is None:
        return {}
    return {
        field: [code for error in errors for code in [error.code]]
        for field, errors in form.errors.as_data().items()
    }


def levels(response):
    cookie = response.cookies.get("messages")
    if cookie is None or not cookie.value:
        return []
    return [message.level_tag for message in CookieStorage(response.wsgi_request)._decode(cookie.value)]


def ask(address, fields):
    me, keys = scene()
    client = Client()
    client.force_login(me)
    before = picture()

    def put_in(text):
        for name, key in keys.items():
            text = text.replace(name, str(key))
        return text

    form = {}
    for name, value in fields:
        form.setdefault(name, []).append(put_in(value))
    response = client.post("/admin/" + put_in(address), form)
    answer = {"status": response.status_code}
    if "Location" in response.headers:
        answer["location"] = named(response.headers["Location"], keys)
    log = LogEntry.objects.order_by("id").values_list("action_flag", "change_message", "object_repr")
    return answer | {
        "codes": codes(response), "levels": levels(response),
        "after": difference(before, picture()), "log": [list(row) for row in log],
    }


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
    rows = [
        {"name": name, "page": address, "post": fields} | rolled_back(address, fields)
        for name, address, fields in cases()
    ]
    print("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]")


main()
