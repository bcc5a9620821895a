"""The triggers of `djauth cache install` beside Django: what it writes is heard of, nobody waits, and all goes again."""

import contextlib

import pytest

from suite.conftest import migrated, settings_for
from suite.databases import Database
from suite.sides import Django

SHARED = -2


@pytest.fixture(params=("postgres", "mariadb"))
def site(request, folder, in_place_of_djauth):
    """Django's database with its triggers: the database, Django and djauth. SQLite needs none."""
    if in_place_of_djauth[0] is Django:
        pytest.skip("Django has no such triggers")
    with migrated(request.param, folder) as database:
        settings = settings_for(database)
        django, djauth = Django(settings, folder), in_place_of_djauth[0](settings, folder)
        made = database.everything()
        djauth.run("cache", "install")
        yield database, django, djauth
        djauth.run("cache", "remove")
        assert set(database.tables()) == set(made)


def versions(database):
    rows = database.query("SELECT subject, SUM(stamp) AS version FROM djauth_cache_change GROUP BY subject")
    return {row["subject"]: row["version"] for row in rows}


def heard(database, django, code):
    """The subjects whose versions a piece of Django code moves."""
    before = versions(database)
    django.run("shell", "-c", IMPORTS + code)
    after = versions(database)
    return {subject for subject in before.keys() | after.keys() if before.get(subject) != after.get(subject)}


IMPORTS = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
User = get_user_model()
"""

MAKE = """
User.objects.bulk_create(User(username=f"u{n}", password="!") for n in range(300))
Group.objects.bulk_create(Group(name=f"g{n}") for n in range(5))
"""


def test_django_has_nothing_to_say_about_them(site):
    _, django, djauth = site
    django.run("migrate", "--check")
    django.run("makemigrations", "--check", "--dry-run")
    django.run("check")
    djauth.run("migrate", "--check")
    assert "Installed" in djauth.run("cache", "status").stdout
    djauth.run("check")


def test_bulk_operations_and_cascades_are_heard_of(site):
    database, django, _ = site
    assert heard(database, django, MAKE) == {SHARED}
    ids = {row["id"] for row in database.query("SELECT id FROM auth_user")}
    everybody = "User.objects.update(is_staff=True)"
    assert heard(database, django, everybody) == ids
    few = "users = list(User.objects.all()[:7])\nfor u in users: u.email = 'x@example.com'\n" \
        "User.objects.bulk_update(users, ['email'])"
    assert len(heard(database, django, few)) == 7
    assert heard(database, django, "User.objects.first().groups.set(Group.objects.all())") == {min(ids)}
    gone = "Group.objects.first().delete()"
    assert heard(database, django, gone) == {SHARED, min(ids)}
    cascade = "User.objects.filter(username__startswith='u1').delete()"
    named = {row["id"] for row in database.query("SELECT id FROM auth_user")}
    moved = heard(database, django, cascade)
    assert moved == named - {row["id"] for row in database.query("SELECT id FROM auth_user")}
    undone = "\ntry:\n  with transaction.atomic():\n    User.objects.update(is_staff=False); raise KeyError\n" \
        "except KeyError: pass"
    assert heard(database, django, undone) == set()


def test_flush_leaves_them_in_place(site):
    database, django, djauth = site
    django.run("shell", "-c", IMPORTS + MAKE)
    django.run("flush", "--noinput")
    assert "Installed" in djauth.run("cache", "status").stdout
    django.run("shell", "-c", IMPORTS + MAKE)
    assert heard(database, django, "User.objects.update(is_staff=True)")


def test_a_sleeping_transaction_delays_no_login(site):
    """With users, memberships, groups and permissions in flight. Old stamps are put together meanwhile."""
    database, django, djauth = site
    django.run("shell", "-c", IMPORTS + MAKE)
    sleeper = database.again()
    begin = "BEGIN" if database.kind == "postgres" else "START TRANSACTION"
    if database.kind == "mariadb":
        # As Django sets it.
        sleeper.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
    ids = [row["id"] for row in database.query("SELECT id FROM auth_user ORDER BY id")]
    groups = [row["id"] for row in database.query("SELECT id FROM auth_group ORDER BY id")]
    # All users but one, and half of the rest.
    sleeper.execute(begin)
    sleeper.execute("UPDATE auth_user SET first_name = 'asleep' WHERE id <> ?", (ids[0],))
    sleeper.execute("INSERT INTO auth_user_groups (user_id, group_id) VALUES (?, ?)", (ids[1], groups[0]))
    sleeper.execute("UPDATE auth_group SET name = 'asleep' WHERE id = ?", (groups[0],))
    others = database.again()
    # Whoever waits for the sleeper, who sleeps until all is done, waits in vain.
    others.execute("SET lock_timeout = '20s'" if database.kind == "postgres" else "SET innodb_lock_wait_timeout = 20")
    with contextlib.closing(others), contextlib.closing(sleeper):
        others.execute("UPDATE auth_user SET last_login = NULL WHERE id = ?", (ids[0],))
        others.execute("INSERT INTO auth_user_groups (user_id, group_id) VALUES (?, ?)", (ids[0], groups[1]))
        others.execute("UPDATE auth_group SET name = 'awake' WHERE id = ?", (groups[2],))
        others.execute("INSERT INTO auth_group_permissions (group_id, permission_id)"
                       " SELECT ?, MIN(id) FROM auth_permission", (groups[3],))
        djauth.run("clearsessions")
        sleeper.execute("COMMIT")


def test_a_dump_takes_them_along(site, folder):
    database, django, djauth = site
    django.run("shell", "-c", IMPORTS + MAKE)
    copy = Database(database.kind, folder)
    try:
        database.pour_into(copy)
        restored = type(djauth)(djauth.settings | {"DATABASE_URL": copy.url}, folder)
        assert "Installed" in restored.run("cache", "status").stdout
        other = Django(django.settings | {"DATABASE_URL": copy.url}, folder)
        assert heard(copy, other, "User.objects.update(is_staff=True)")
        restored.run("cache", "install")
        assert "Installed" in restored.run("cache", "status").stdout
    finally:
        copy.drop()
