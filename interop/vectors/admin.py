"""Makes crates/djauth/tests/data/admin.json: what Django's admin knows of users and groups.

The attributes of the two classes, and what its pages answer in each case that the classes decide.
"""

import itertools
import json
import logging

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="admin-vector-key-0123456789abcdefghijklmnopqrstuv",
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
)
django.setup()

from django.contrib import admin  # noqa: E402
from django.contrib.admin.models import LogEntry  # noqa: E402
from django.contrib.auth.admin import IS_POPUP_VAR, GroupAdmin, UserAdmin  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.contrib.messages import get_messages  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client, RequestFactory  # noqa: E402
from django.test.utils import override_settings, setup_test_environment  # noqa: E402
from django.urls import path  # noqa: E402

urlpatterns = [path("admin/", admin.site.urls)]

LOOKUPS = """
    password password__startswith passwords is_staff__exact username username__icontains q
    groups groups__id__exact groups__id groups__name groups__name__startswith groups__permissions
    groups__permissions__codename groups__permissions__id user_permissions user_permissions__id
    user_permissions__codename user_permissions__content_type user_permissions__content_type__id
    user_permissions__content_type__model groups__user__password last_login__year nosuch
    groups__nosuch id pk groups__pk logentry logentry__id logentry__object_repr date_joined__gte
    groups__user user_permissions__group user_permissions__group__name user_permissions__user__email
    logentry__user__password logentry__content_type__model
""".split()


def named(fieldsets):
    """Titles as identifiers: the words themselves are not needed."""
    return [
        {"name": name and str(name).lower().replace(" ", "_"), "fields": list(options["fields"]),
         "classes": list(options.get("classes", ()))}
        for name, options in fieldsets
    ]


def attributes():
    users = UserAdmin(User, admin.site)
    groups = GroupAdmin(Group, admin.site)
    request = RequestFactory().get("/")
    request.user = User(is_active=True, is_superuser=True)
    user = {name: list(getattr(users, name)) for name in
            ("list_display", "list_filter", "search_fields", "ordering", "filter_horizontal")}
    user |= {name: getattr(users, name).__name__ for name in
             ("form", "add_form", "change_password_form")}
    user |= {
        "add_form_template": users.add_form_template,
        "change_user_password_template": users.change_user_password_template,
        "fieldsets": named(users.get_fieldsets(request, User())),
        "add_fieldsets": named(users.get_fieldsets(request)),
        "get_form": {"adding": users.get_form(request).__mro__[1].__name__,
                     "changing": users.get_form(request, User()).__mro__[1].__name__},
        "urls": [[url.pattern._route, url.name] for url in users.get_urls() if url.name],
        "lookups": {name: users.lookup_allowed(name, "1", request) for name in LOOKUPS},
    }
    loads = groups.formfield_for_manytomany(Group._meta.get_field("permissions"), request)
    group = {name: list(getattr(groups, name)) for name in
             ("search_fields", "ordering", "filter_horizontal")}
    group["select_related"] = {"permissions": list(loads.queryset.query.select_related)}
    return {"user": user, "group": group, "IS_POPUP_VAR": IS_POPUP_VAR}


def staff(**may):
    User.objects.all().delete()
    user = User.objects.create_user("boss", password="secret", is_staff=True)
    for action in ("add", "change"):
        if may.get(action):
            user.user_permissions.add(Permission.objects.get(codename=f"{action}_user"))
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def adding():
    cases = []
    for add, change, debug in itertools.product([False, True], repeat=3):
        with override_settings(DEBUG=debug):
            status = staff(add=add, change=change).get("/admin/auth/user/add/").status_code
        cases.append({"add": add, "change": change, "debug": debug, "status": status})
    return cases


def added():
    cases = []
    for extra in ([], ["_addanother"], ["_popup"], ["_continue"], ["_addanother", "_popup"],
                  ["_save"], ["_continue", "_addanother"]):
        client = staff(add=True, change=True)
        form = {"username": "new", "usable_password": "true",
                "password1": "zr7-quince", "password2": "zr7-quince"}
        answer = client.post("/admin/auth/user/add/", form | dict.fromkeys(extra, "1"))
        new = User.objects.get(username="new").pk
        goes_to = (answer.headers.get("Location") or "popup").replace(str(new), "<id>")
        cases.append({"posted": extra, "goes_to": goes_to})
    return cases


def setting_passwords():
    cases = []
    flags = ("change", "exists", "valid", "disable", "unset")
    for values in itertools.product([False, True], repeat=len(flags)):
        case = dict(zip(flags, values))
        client = staff(change=case["change"])
        other = User.objects.create_user("other", password="old")
        key = other.pk if case["exists"] else 999999
        form = {"usable_password": "false" if case["disable"] else "true",
                "password1": "zr7-quince" if case["valid"] else "a", "password2": "zr7-quince"}
        if case["unset"]:
            form["unset-password"] = "1"
        LogEntry.objects.all().delete()
        answer = client.post(f"/admin/auth/user/{key}/password/", form)
        goes_to = (answer.headers.get("Location") or "").replace(str(key), "<id>")
        told = [m.level_tag for m in get_messages(answer.wsgi_request)]
        log = [entry.action_flag for entry in LogEntry.objects.all()]
        other.refresh_from_db()
        cases.append(case | {"status": answer.status_code, "goes_to": goes_to, "told": told, "log": log,
                             "usable": other.has_usable_password()})
    return cases


def main():
    logging.disable()
    setup_test_environment()
    call_command("migrate", verbosity=0)
    answers = {"add_view": adding(), "response_add": added(), "user_change_password": setting_passwords()}
    print(json.dumps(attributes() | answers, indent=1))


main()
