"""10,000 users with sessions, 50 groups, 200 permissions: what the requests are measured on."""

import random

USERS, GROUPS, PERMISSIONS, GROUPS_OF_USER = 10_000, 50, 200, 5
PASSWORD = "correct horse battery staple"
#: Every user has it, by a group.
PERMISSION = "reports.bench_0"


def fill():
    """Fills the migrated database of the current settings; the session keys."""
    from datetime import timedelta

    from django.contrib.auth.hashers import make_password
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.contenttypes.models import ContentType
    from django.contrib.sessions.backends.db import SessionStore
    from django.contrib.sessions.models import Session
    from django.utils import timezone

    chance = random.Random(1)
    kind = ContentType.objects.get(app_label="reports", model="report")
    permissions = Permission.objects.bulk_create(
        Permission(codename=f"bench_{n}", name=f"Bench {n}", content_type=kind) for n in range(PERMISSIONS)
    )
    permissions = list(Permission.objects.filter(codename__startswith="bench_").order_by("pk"))
    Group.objects.bulk_create(Group(name=f"bench {n}") for n in range(GROUPS))
    groups = list(Group.objects.order_by("pk"))
    for group in groups:
        group.permissions.set([permissions[0], *chance.sample(permissions[1:], 9)])
    # At the default cost; one for all, because each takes a third of a second.
    password = make_password(PASSWORD)
    User.objects.bulk_create(
        [User(username=f"user{n}", email=f"user{n}@example.com", password=password) for n in range(USERS)],
        batch_size=500,
    )
    users = list(User.objects.filter(username__startswith="user").order_by("pk"))
    through = User.groups.through
    links = [through(user=user, group=group) for user in users for group in chance.sample(groups, GROUPS_OF_USER)]
    through.objects.bulk_create(links, batch_size=400)
    backend = "django.contrib.auth.backends.ModelBackend"
    store, expires = SessionStore(), timezone.now() + timedelta(days=14)
    keys, sessions = [], []
    for user in users:
        data = {
            "_auth_user_id": str(user.pk),
            "_auth_user_backend": backend,
            "_auth_user_hash": user.get_session_auth_hash(),
        }
        keys.append("".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=32)))
        sessions.append(Session(session_key=keys[-1], session_data=store.encode(data), expire_date=expires))
    Session.objects.bulk_create(sessions, batch_size=300)
    return keys
