"""Users, groups and permissions, many at once and by SQL: what the pages show need not come through them."""

import base64
import contextlib
import hashlib
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import urlsplit

#: As cheap as the site's own (`Site.costs`), so that nothing is hashed again at a login.
ITERATIONS = 1000
USER = (
    "password", "is_superuser", "username", "first_name", "last_name", "email", "is_staff",
    "is_active", "date_joined",
)
#: A name that looks like a tag, one that turns the line round, and one as long as the field holds.
HOSTILE = {
    "markup": "<script>window.violations.push('ran')</script><img src=x onerror=alert(1)>'\"&amp;",
    "right-to-left": "\u202egnp.live\u202c \u2067\u05d0\u05d1\u05d2\u2069 \u061c\u200f",
    "emoji": "\U0001f9d1\U0001f3fd" * 75,
}


@dataclass
class Person:
    id: int
    name: str
    password: str = ""


def fresh(prefix):
    """A name that nothing else on the site begins with."""
    return f"{prefix}{secrets.token_hex(4)}"


def encoded(password):
    salt = secrets.token_hex(8)
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), ITERATIONS)
    return f"pbkdf2_sha256${ITERATIONS}${salt}${base64.b64encode(digest).decode()}"


class Data:
    def __init__(self, site):
        self.path = urlsplit(site.settings["DATABASE_URL"]).path

    @contextlib.contextmanager
    def open(self):
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as connection, connection:
            yield connection

    def rows(self, statement, *values):
        with self.open() as connection:
            return connection.execute(statement, values).fetchall()

    def one(self, statement, *values):
        (row,) = self.rows(statement, *values)
        return row[0]

    def users(self, names, **fields):
        """Users without a usable password, unless `password` is given; those who were added."""
        now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")
        common = {
            "password": "!" + secrets.token_hex(20), "is_superuser": 0, "first_name": "",
            "last_name": "", "is_staff": 0, "is_active": 1, "date_joined": now, **fields,
        }
        columns = ", ".join(USER)
        rows = [
            tuple({"email": f"{i}@{secrets.token_hex(3)}.example", **common, "username": name}[c] for c in USER)
            for i, name in enumerate(names)
        ]
        marks = ", ".join("?" * len(USER))
        with self.open() as connection:
            add = f"INSERT INTO auth_user ({columns}) VALUES ({marks}) RETURNING id"
            return [Person(connection.execute(add, row).fetchone()[0], row[2]) for row in rows]

    def person(self, name=None, password=None, **fields):
        password = password or "pw-" + secrets.token_hex(6)
        (person,) = self.users([name or fresh("u")], password=encoded(password), **fields)
        person.password = password
        return person

    def superuser(self):
        return self.person(fresh("boss"), is_superuser=1, is_staff=1)

    def staff(self, *codenames):
        """Somebody of the staff with these permissions for users and groups."""
        person = self.person(fresh("staff"), is_staff=1)
        marks = ", ".join("?" * len(codenames))
        self.rows(
            "INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT ?, p.id FROM auth_permission p"
            f" JOIN django_content_type c ON c.id = p.content_type_id WHERE c.app_label = 'auth' AND p.codename IN ({marks})",
            person.id, *codenames,
        )
        return person

    def group(self, name):
        return self.rows("INSERT INTO auth_group (name) VALUES (?) RETURNING id", name)[0][0]

    def join(self, people, group):
        with self.open() as connection:
            add = "INSERT INTO auth_user_groups (user_id, group_id) VALUES (?, ?)"
            connection.executemany(add, [(person.id, group) for person in people])

    def allow(self, group, codename):
        """Gives a group one permission for users or groups."""
        self.rows(
            "INSERT INTO auth_group_permissions (group_id, permission_id) SELECT ?, p.id FROM auth_permission p"
            " JOIN django_content_type c ON c.id = p.content_type_id WHERE c.app_label = 'auth' AND p.codename = ?",
            group, codename,
        )

    def permissions(self, app, models):
        """The four permissions of each of so many models of an application that is not ours."""
        with self.open() as connection:
            for number in range(models):
                model = f"model{number:03}"
                add = "INSERT INTO django_content_type (app_label, model) VALUES (?, ?) RETURNING id"
                content_type = connection.execute(add, (app, model)).fetchone()[0]
                add = "INSERT INTO auth_permission (content_type_id, codename, name) VALUES (?, ?, ?)"
                actions = ("add", "change", "delete", "view")
                rows = [(content_type, f"{a}_{model}", f"Can {a} {model}") for a in actions]
                connection.executemany(add, rows)

    def user(self, name):
        """The row of a user, by names of columns; None if there is none."""
        with self.open() as connection:
            connection.row_factory = sqlite3.Row
            row = connection.execute("SELECT * FROM auth_user WHERE username = ?", (name,)).fetchone()
            return dict(row) if row else None

    def groups_of(self, name):
        found = self.rows(
            "SELECT g.name FROM auth_group g JOIN auth_user_groups l ON l.group_id = g.id"
            " JOIN auth_user u ON u.id = l.user_id WHERE u.username = ? ORDER BY g.name",
            name,
        )
        return [row[0] for row in found]

    def permissions_of(self, name):
        found = self.rows(
            "SELECT p.codename FROM auth_permission p JOIN auth_user_user_permissions l ON l.permission_id = p.id"
            " JOIN auth_user u ON u.id = l.user_id WHERE u.username = ? ORDER BY p.codename",
            name,
        )
        return [row[0] for row in found]
