"""Whole tables by single statements: as many users, groups, permissions and sessions as one likes."""

import json
import random
from dataclasses import dataclass, replace

from bench.sites import in_django, settle

#: Rows of ours begin here; what `migrate` made lies below.
FIRST = 1000


@dataclass(frozen=True)
class Shape:
    """How much of what there is; groups have ten permissions each."""

    users: int = 10_000
    sessions: int = 10_000
    groups: int = 50
    groups_of_user: int = 1
    permissions: int = 200

    def but(self, **other):
        return replace(self, **other)


class Tables:
    """The dialects' ways to count, and to join texts."""

    def __init__(self, database):
        self.database = database
        self.kind = database.kind

    def series(self, count, name="n"):
        """A table of the numbers from 0."""
        if self.kind == "sqlite":
            return (
                f"(WITH RECURSIVE s({name}) AS (SELECT 0 UNION ALL SELECT {name} + 1 FROM s"
                f" WHERE {name} < {count - 1}) SELECT {name} FROM s)"
            )
        if self.kind == "postgres":
            return f"generate_series(0, {count - 1})"
        return f"(SELECT seq AS {name} FROM seq_0_to_{count - 1})"

    def source(self, count, name="n"):
        alias = f"{name}_({name})" if self.kind == "postgres" else f"{name}_"
        return f"{self.series(count, name)} AS {alias}"

    def text(self, *parts):
        if self.kind == "mariadb":
            return f"CONCAT({', '.join(parts)})"
        return " || ".join(f"CAST({part} AS text)" for part in parts)

    def flag(self, value):
        return {"sqlite": str(int(value)), "mariadb": str(int(value))}.get(self.kind, str(value).upper())

    def run(self, statement):
        # Without parameters: `%` is an operator here.
        with self.database.cursor() as cursor:
            cursor.execute(statement)

    def without_checks(self):
        """Rows that are right by their making need no check of foreign keys, which costs most."""
        statements = {
            "sqlite": ["PRAGMA synchronous = OFF", "PRAGMA cache_size = -200000"],
            "postgres": ["SET session_replication_role = replica", "SET synchronous_commit = off"],
            "mariadb": ["SET foreign_key_checks = 0", "SET unique_checks = 0"],
        }
        for statement in statements[self.kind]:
            self.run(statement)


def fill(database, settings, shape):
    """The session keys."""
    tables = Tables(database)
    tables.without_checks()
    users(tables, shape, settings)
    permissions(tables, shape)
    links(tables, shape)
    keys = sessions(database, settings, shape)
    settle(database)
    # The next user of this connection wants it as it comes.
    database.connection.close()
    database.connection = None
    return keys


def users(tables, shape, settings):
    no, password = tables.flag(False), encoded(settings)
    tables.run(
        "INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email,"
        " is_staff, is_active, date_joined)"
        f" SELECT {FIRST} + n, '{password}', {no}, {tables.text(repr('user'), 'n')}, 'Ada', 'Example',"
        f" {tables.text(repr('user'), 'n', repr('@example.com'))}, {no}, {tables.flag(True)},"
        f" {moment(tables)} FROM {tables.source(shape.users)}"
    )


def moment(tables, text="2026-01-01 00:00:00"):
    return f"timestamptz '{text}+00'" if tables.kind == "postgres" else f"'{text}'"


def permissions(tables, shape):
    kind = tables.database.query(
        "SELECT id FROM django_content_type WHERE app_label = 'reports' AND model = 'report'"
    )[0]["id"]
    tables.run(
        "INSERT INTO auth_permission (id, content_type_id, codename, name)"
        f" SELECT {FIRST} + n, {kind}, {tables.text(repr('bench_'), 'n')}, {tables.text(repr('Bench '), 'n')}"
        f" FROM {tables.source(shape.permissions)}"
    )
    tables.run(
        f"INSERT INTO auth_group (id, name) SELECT {FIRST} + n, {tables.text(repr('bench '), 'n')}"
        f" FROM {tables.source(shape.groups)}"
    )


def links(tables, shape):
    """Everybody is in the first group, which alone has the first permission; each group has a
    twentieth of the others, at least ten."""
    each = max(10, shape.permissions // 20)
    tables.run(
        f"INSERT INTO auth_group_permissions (group_id, permission_id) VALUES ({FIRST}, {FIRST})"
    )
    tables.run(
        "INSERT INTO auth_group_permissions (group_id, permission_id)"
        f" SELECT {FIRST} + g, {FIRST} + 1 + (g * 7 + p) % {shape.permissions - 1}"
        f" FROM {tables.source(shape.groups, 'g')} CROSS JOIN {tables.source(each, 'p')}"
    )
    tables.run(
        "INSERT INTO auth_user_groups (user_id, group_id)"
        f" SELECT {FIRST} + u, {FIRST} + (CASE WHEN g = 0 THEN 0 ELSE 1 + (u * 3 + g) % {shape.groups - 1} END)"
        f" FROM {tables.source(shape.users, 'u')} CROSS JOIN {tables.source(shape.groups_of_user, 'g')}"
    )


ENCODED = "from django.contrib.auth.hashers import make_password; from bench.data import PASSWORD; print(make_password(PASSWORD), end='')"
PAYLOADS = """
import json, sys
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
store = SessionStore()
for pk in json.load(sys.stdin):
    user = User(pk=pk, password=sys.argv[1])
    print(store.encode({
        "_auth_user_id": str(pk),
        "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
        "_auth_user_hash": user.get_session_auth_hash(),
    }))
"""
known = {}


def encoded(settings):
    """One password for all, at the default cost."""
    if "password" not in known:
        known["password"] = in_django(settings, ENCODED).stdout
    return known["password"]


def sessions(database, settings, shape, expired=False):
    """Spread over the users, signed by Django; some have several. The keys."""
    wanted = min(shape.sessions, shape.users, 10_000)
    step = shape.users / wanted
    pks = [FIRST + int(n * step) for n in range(wanted)]
    payloads = in_django(
        settings, PAYLOADS, encoded(settings), stdin=json.dumps(pks)
    ).stdout.split()
    chance = random.Random(7 + expired)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    keys = ["".join(chance.choices(letters, k=32)) for _ in range(shape.sessions)]
    expires = "2020-01-01 00:00:00" if expired else "2099-01-01 00:00:00"
    rows = [(key, payloads[n % wanted], expires) for n, key in enumerate(keys)]
    insert(database, rows)
    return keys


def insert(database, rows):
    mark = "?" if database.kind == "sqlite" else "%s"
    statement = (
        "INSERT INTO django_session (session_key, session_data, expire_date)"
        f" VALUES ({mark}, {mark}, {mark})"
    )
    with database.cursor() as cursor:
        if database.kind == "postgres":
            with cursor.copy("COPY django_session (session_key, session_data, expire_date) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((*row[:2], row[2] + "+00"))
            return
        cursor.execute("BEGIN")
        cursor.executemany(statement, rows)
        cursor.execute("COMMIT")
