"""Makes crates/djauth/tests/data/models.json: users, groups and permissions as Django has them.

Run with Django 6.1: python models.py > ../../crates/djauth/tests/data/models.json
"""

import json
import random

import django
from django.conf import settings

KEY = "models-vector-key-0123456789abcdefghijklmnopqrstuv"
FALLBACK = "models-vector-fallback-0123456789abcdefghijklmnop"

settings.configure(
    SECRET_KEY=KEY,
    SECRET_KEY_FALLBACKS=[FALLBACK],
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import Group, Permission, User, UserManager  # noqa: E402
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402

EMAILS = [
    None, "", " A@B.com ", "a@b@C.D", "No At Sign ", "\x1cx@Y.Z\x1f", "@UPPER", "trailing@",
    "Straße@ÄÖ.DE", "a@İstanbul.tr", "\u00a0n@B.c\u3000",
]
USERNAMES = ["alice", "Ω\ufb00", "\u212b\u0041\u030a", "ｆｕｌｌ", "①", "e\u0301", "\u1e9b\u0323"]


def row(user):
    names = [f.column for f in User._meta.concrete_fields if f.column not in ("password", "date_joined")]
    values = User.objects.filter(pk=user.pk).values(*names).get()
    password = User.objects.values_list("password", flat=True).get(pk=user.pk)
    return values | {"usable": not password.startswith("!"), "length": len(password)}


def made_users():
    cases = []
    for n, (username, email, password, staff) in enumerate([
        ("alice", "Alice@Example.COM", "secret", False),
        ("Ω\ufb00", None, None, False),
        ("root", "root@EXAMPLE.com", "secret", True),
        ("bob", "", "", False),
    ]):
        make = User.objects.create_superuser if staff else User.objects.create_user
        user = make(username, email, password)
        cases.append({"username": username, "email": email, "password": password,
                      "superuser": staff, "row": row(user)})
    User.objects.all().delete()
    return cases


def graph(rng):
    ContentType.objects.all().delete()
    types = [ContentType.objects.create(app_label=a, model=m)
             for a, m in [("shop", "item"), ("shop", "order"), ("blog", "post"), ("shopx", "item")]]
    perms = [Permission.objects.create(content_type=t, codename=c, name=c)
             for t in types for c in ["add", "view", "other", "v.w", "é%_"]]
    groups = [Group.objects.create(name=f"g{n}") for n in range(6)]
    for group in groups:
        group.permissions.set(rng.sample(perms, rng.randrange(5)))
    users = [User.objects.create(username=f"u{n:02}", is_active=rng.random() < 0.8,
                                 is_superuser=rng.random() < 0.15) for n in range(24)]
    for user in users:
        user.groups.set(rng.sample(groups, rng.randrange(4)))
        user.user_permissions.set(rng.sample(perms, rng.randrange(4)))
    return types, perms, groups, users


def described(types, perms, groups, users):
    return {
        "types": [[t.app_label, t.model] for t in types],
        "permissions": [[types.index(p.content_type), p.codename] for p in perms],
        "groups": [sorted(perms.index(p) for p in g.permissions.all()) for g in groups],
        "users": [answers(u, perms, groups) for u in users],
        "with_perm": with_perm(perms),
        "ordering": [p.user_perm_str for p in Permission.objects.all()],
    }


def answers(user, perms, groups):
    user = User.objects.get(pk=user.pk)
    asked = sorted({p.user_perm_str for p in perms} | {"shop.none", "Shop.view", "shop.VIEW", "blog.Add", "shop", "blog.v", ""})
    return {
        "name": user.username, "active": user.is_active, "superuser": user.is_superuser,
        "groups": sorted(groups.index(g) for g in user.groups.all()),
        "permissions": sorted(perms.index(p) for p in user.user_permissions.all()),
        "user": sorted(user.get_user_permissions()),
        "group": sorted(user.get_group_permissions()),
        "all": sorted(user.get_all_permissions()),
        "has": [p for p in asked if user.has_perm(p)],
        "has_for_object": [p for p in asked if user.has_perm(p, obj=user)],
        "modules": [a for a in ["shop", "shopx", "blog", "none"] if user.has_module_perms(a)],
    }


def with_perm(perms):
    cases = []
    for perm in ["shop.view", "blog.add", "shop.none", "shopx.other"]:
        for active in [True, False, None]:
            for superusers in [True, False]:
                found = User.objects.with_perm(perm, is_active=active, include_superusers=superusers)
                cases.append({"perm": perm, "active": active, "superusers": superusers,
                              "users": sorted(u.username for u in found)})
    return cases


def hashes():
    user = User(password="pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$3sV/SVfT6ME4dIgYVdSlH0jEvyK0z+y3AJvov9Y+8MA=")
    empty = User(password="")
    return [{"password": u.password, "hash": u.get_session_auth_hash(),
             "fallbacks": list(u.get_session_auth_fallback_hash())} for u in (user, empty)]


def main():
    call_command("migrate", verbosity=0)
    rng = random.Random(20261126)
    print(json.dumps({
        "key": KEY, "fallback": FALLBACK,
        "emails": [[e, UserManager.normalize_email(e)] for e in EMAILS],
        "usernames": [[u, User.normalize_username(u)] for u in USERNAMES],
        "users": made_users(),
        "graph": described(*graph(rng)),
        "hashes": hashes(),
    }, ensure_ascii=True, separators=(",", ":"), sort_keys=True))


main()
