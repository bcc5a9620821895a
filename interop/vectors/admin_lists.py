"""Makes crates/djauth-admin/tests/data/lists.json: what Django's lists show to whom.

A fixed set of people and groups, queries of the list with the names that come, in their order, how many
there are, or where the query leads; and texts with the words that a search makes of them.
"""

import json
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
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.urls import path  # noqa: E402
from django.utils.text import smart_split  # noqa: E402

urlpatterns = [path("admin/", admin.site.urls)]

NAMES = [
    ("Ada", "King Noel"), ("Bob", "O'Brien"), ("Cyd", "100% a_b"), ("Dora", "back\\slash"),
    ("Eve", 'say "hi"'), ("Finn", "King"), ("Gus", ""), ("", "Noel"), ("Hal", "a%b"), ("Ida", "axb"),
]


def people():
    """Forty, with equal names, addresses that are missing, and few who ever logged in."""
    for number in range(40):
        first, last = NAMES[number % len(NAMES)]
        yield {
            "username": f"p{number * 7 % 40:02}",
            "first_name": first,
            "last_name": last,
            "email": "" if number % 4 == 0 else f"{last[:1] or 'x'}{number % 3}@example.com",
            "is_staff": number % 3 == 0,
            "is_active": number % 5 != 0,
            "is_superuser": number % 11 == 0,
            "last_login": None if number % 2 else f"2026-0{number % 9 + 1}-15T10:00:00Z",
            "date_joined": f"2025-{number % 12 + 1:02}-01T08:00:00Z",
            "groups": [group for at, group in enumerate(GROUPS) if number % (at + 2) == 0],
        }


GROUPS = ["writers", "readers", "Editors", "100%"]

# `<writers>` stands for the key of that group.
QUERIES = [
    "", "o=1", "o=-1", "o=2", "o=-2", "o=2.1", "o=-5.2.-1", "o=", "o=0", "o=9.-3", "o=x.-.1", "o=--2",
    "q=king", "q=king+noel", "q=%22king+noel%22", "q='king+noel'", "q=o'brien", "q=%25", "q=a_b", "q=a%25b",
    "q=back%5Cslash", "q=%22say+%5C%22hi%5C%22%22", "q=EXAMPLE", "q=nobody", "q=", "q=+", "q=%22", "q=%22%22",
    "q=p0+ada&o=-2", "q=noel&is_staff__exact=1",
    "is_staff__exact=1", "is_staff__exact=0", "is_staff=True", "is_staff=f", "is_staff__exact=2", "is_staff__exact=",
    "is_staff__exact=1&is_staff__exact=0", "is_active__exact=0&is_superuser__exact=1", "is_staff__isnull=True",
    "groups__id__exact=<writers>", "groups__id__exact=<readers>&q=ada", "groups__exact=<Editors>",
    "groups__id__exact=<writers>&groups__id__exact=<readers>", "groups__id__in=<writers>,<100%>",
    "groups__isnull=True", "groups__isnull=0", "groups__id__exact=x", "groups__id__exact=9999",
    "groups__name=writers", "groups__id__exact=<writers>&o=-2",
    "last_login__isnull=True", "last_login__isnull=False", "last_login__gte=2026-05-01", "last_login__gte=soon",
    "date_joined__year=2025", "date_joined__year=2024", "date_joined__lt=2025-03-01+00:00:00%2B00:00",
    "date_joined__gte=2025-11-01&date_joined__lt=2025-12-01", "last_login__year=x",
    "username=p03", "username=p03&username=p04", "username__in=p03,p04,", "username__startswith=p1",
    "username__endswith=9", "username__icontains=P2", "username__iexact=P05", "username__contains=0",
    "first_name=", "email__isnull=True", "email__exact=", "first_name__gt=F", "first_name__lte=Bob",
    "id=1", "id__in=1,2,3", "pk=2", "pk__in=2,4", "id=x", "id__in=1,x", "id__gt=38", "id__lte=2",
    "nosuch=1", "username__nosuch=1", "is_staff__exact__x=1", "p=99", "p=0", "p=-1", "p=x", "all=", "all=&q=king",
    "e=1", "nosuch=1&e=1", "_facets=True", "_popup=1", "_to_field=id", "_to_field=email", "password=x",
    "password__startswith=md5", "user_permissions__codename=x", "user_permissions__id=1",
    "groups__permissions__codename__startswith=a",
]

TEXTS = [
    "", " ", "a b", "a  b\tc\n", '"a b" c', "'a b' c", "a'b c'd e", '"a \\" b"', '"open end', "it's here",
    'a"b"c"d e', '"a""b"', "'\"' x", '"\\\\"', '"a\\', "ä\u00a0ö", "a\u001cb", '""', "'", "\"'\"'",
]


def names(page):
    text = page.content.decode()
    cells = re.findall(r'<th class="field-\w+"><a href="[^"]*/(\d+)/change/', text)
    return [NAME_OF[int(key)] for key in cells]


def asked(client, query):
    for group in Group.objects.all():
        query = query.replace(f"<{group.name}>", str(group.pk))
    page = client.get(f"/admin/auth/user/?{query}")
    answer = {"status": page.status_code}
    if page.headers.get("Location"):
        answer["location"] = page.headers["Location"]
    context = page.context or {}
    if page.status_code == 200 and "cl" in context:
        answer["names"] = names(page)
        answer["result_count"] = context["cl"].result_count
    return answer


def main():
    setup_test_environment()
    call_command("migrate", verbosity=0)
    for name in GROUPS:
        Group.objects.create(name=name)
    rows = list(people())
    for row in rows:
        fields = {name: value for name, value in row.items() if name != "groups"}
        user = User(**fields)
        user.save()
        user.groups.set(Group.objects.filter(name__in=row["groups"]))
    watchers = {}
    for kind in ("super", "view"):
        user = User.objects.create(username=f"zz-{kind}", is_staff=True, is_superuser=kind == "super",
                                   date_joined="2020-01-01T00:00:00Z")
        if kind == "view":
            user.user_permissions.add(Permission.objects.get(codename="view_user"))
        watchers[kind] = user
    NAME_OF.update(User.objects.values_list("pk", "username"))
    answers = []
    for kind, user in watchers.items():
        client = Client()
        client.force_login(user)
        # Everybody is as before the login.
        User.objects.filter(pk=user.pk).update(last_login=None)
        for query in QUERIES:
            answers.append({"kind": kind, "query": query, **asked(client, query)})
    made = {
        "groups": GROUPS,
        "users": rows,
        "smart_split": [[text, list(smart_split(text))] for text in TEXTS],
        "queries": answers,
    }
    parts = []
    for name, value in made.items():
        lines = ",\n".join(json.dumps(row) for row in value)
        parts.append(f"{json.dumps(name)}: [\n{lines}\n]")
    print("{" + ",\n".join(parts) + "}")


NAME_OF = {}
main()
