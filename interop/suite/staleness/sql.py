"""Changes behind everybody's back: a driver, and the servers' own programs that people type into."""

import secrets
import subprocess
import time
from urllib.parse import urlsplit

from django.contrib.auth.hashers import PBKDF2PasswordHasher

from suite.databases import connect
from suite.staleness.world import GROUPS, PERMS, USERS, Undone, may_return
from suite.staleness.writers import Writer

DAY_LONG_GONE = "2020-01-01 00:00:00"
USER = "(SELECT id FROM auth_user WHERE username = ?)"
GROUP = "(SELECT id FROM auth_group WHERE name = ?)"
PERM = "(SELECT id FROM auth_permission WHERE codename = ?)"
#: What databases say when they take a transaction back for the sake of another.
TAKEN_BACK = ("deadlock", "lock wait timeout", "record has changed", "could not serialize")


class Driver:
    """A connection of our own."""

    def __init__(self, database):
        self.kind = database.kind
        url = str(database.path) if self.kind == "sqlite" else database.url
        self.connection = connect(self.kind, url)

    def run(self, statement, parameters=()):
        mark = "?" if self.kind == "sqlite" else "%s"
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement.replace("?", mark), parameters)
            return cursor.rowcount
        except Exception as error:
            if not statement.startswith("BEGIN"):
                self.roll_back()
            if any(text in str(error).lower() for text in TAKEN_BACK):
                raise Undone from error
            raise
        finally:
            cursor.close()

    def roll_back(self):
        try:
            self.connection.cursor().execute("ROLLBACK")
        except Exception:  # noqa: BLE001 -- SQLite has no transaction left to roll back.
            assert self.kind == "sqlite"

    def close(self):
        self.connection.close()


class Terminal:
    """`psql` or `mariadb`, typed into; SQLite has the driver in another process than the servers."""

    DONE = "-- that is all --"

    def __init__(self, database):
        self.kind = database.kind
        parts = urlsplit(database.url)
        if self.kind == "postgres":
            command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", database.url]
            self.that_is_all = f"\\echo '{self.DONE}'"
        else:
            command = [
                "mariadb", "--no-defaults", "--batch", "--force", "--skip-column-names", "--unbuffered",
                "--default-character-set=utf8mb4",
                f"--host={parts.hostname}", f"--port={parts.port}", f"--user={parts.username}",
                parts.path.lstrip("/"),
            ]
            self.that_is_all = f"SELECT '{self.DONE}';"
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, statement, parameters=()):
        for parameter in parameters:
            statement = statement.replace("?", self.literal(parameter), 1)
        said = self.type(statement)
        if said:
            self.type("ROLLBACK")
            if any(taken in said.lower() for taken in TAKEN_BACK):
                raise Undone(said)
            raise AssertionError(f"{statement}: {said}")

    def type(self, statement):
        """What it says to that, which is nothing where all is well."""
        self.process.stdin.write(f"{statement};\n{self.that_is_all}\n")
        self.process.stdin.flush()
        said = []
        for line in self.process.stdout:
            if line.strip() == self.DONE:
                return "".join(said)
            said.append(line)
        raise AssertionError(f"the program has ended: {''.join(said)}")

    @staticmethod
    def literal(value):
        if isinstance(value, str):
            assert "'" not in value and "\\" not in value, value
            return f"'{value}'"
        return str(value).upper()

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


class BySql(Writer):
    """Statements that know of no ORM: at once, in a slow transaction, or taken back in the end."""

    def begin(self):
        self.driver = Driver(self.database)
        typed = self.database.kind != "sqlite"
        self.clients = [self.driver, *([Terminal(self.database)] if typed else [])]
        self.kept, self.hasher = self.world.kept, PBKDF2PasswordHasher()

    def end(self):
        for client in getattr(self, "clients", []):
            client.close()

    def steps(self):
        return [
            (6, self.flag), (2, self.rename), (1, self.password), (4, self.password_again),
            (7, self.grant), (7, self.membership), (7, self.grant_group), (1, self.delete_user),
            (1, self.delete_permission), (1, self.empty), (4, self.session), (3, self.swap),
        ]

    def execute(self, values, cause, *statements, client=None):
        """False if it was taken back on purpose."""
        client = client or self.random.choice(self.clients)
        by = f"{type(client).__name__}: {cause}"
        way = self.random.random()
        if way < 0.6 and len(statements) == 1:
            with self.facts.change(values, by):
                client.run(*statements[0])
            return True
        client.run("BEGIN IMMEDIATE" if client.kind == "sqlite" else "BEGIN")
        for statement in statements:
            client.run(*statement)
        if way < 0.9:
            time.sleep(self.random.uniform(0, 0.08))
        if 0.75 < way < 0.9:
            client.run("ROLLBACK")
            return False
        with self.facts.change(values, f"{by}, commit"):
            client.run("COMMIT")
        return True

    def flag(self):
        user = self.user()
        flag = self.flag_of(user)
        with self.world.alone(user):
            if not self.facts["exists", user]:
                return False
            value = not self.facts[flag, user]
            statement = f"UPDATE auth_user SET is_{flag} = ? WHERE username = ?"
            self.execute({(flag, user): value}, flag, (statement, (value, self.facts["name", user])))
            self.look(user)

    def rename(self):
        user = self.user()
        with self.world.alone(user):
            if not self.facts["exists", user]:
                return False
            before, name = self.facts["name", user], f"user{user}.{secrets.token_hex(2)}"
            email = f"{name}@example.org"
            statement = "UPDATE auth_user SET username = ?, email = ? WHERE username = ?"
            values = {("name", user): name, ("email", user): email}
            self.execute(values, "rename", (statement, (name, email, before)))
            self.look(user)

    def password(self):
        user = self.user()
        with self.world.alone(user):
            if not self.facts["exists", user]:
                return False
            self.kept[user] = (self.facts["password", user], self.world.passwords[user])
            password = secrets.token_hex(4)
            self.store(user, self.hasher.encode(password, secrets.token_hex(11), 1000), password)

    def password_again(self):
        """A hash that was there before: its sessions are good again, where no page has ended them."""
        user = self.user()
        with self.world.alone(user):
            if not self.facts["exists", user] or not may_return(user) or user not in self.kept:
                return False
            kept = self.kept.pop(user)
            self.kept[user] = (self.facts["password", user], self.world.passwords[user])
            self.store(user, *kept)

    def store(self, user, encoded, password):
        statement = "UPDATE auth_user SET password = ? WHERE username = ?"
        values = {("password", user): encoded}
        if self.execute(values, "password", (statement, (encoded, self.facts["name", user]))):
            self.world.passwords[user] = password
        self.look(user)

    def grant(self):
        user, perm = self.user(), self.perm()
        with self.world.alone(user, perm):
            if not self.facts["exists", user]:
                return False
            granted = self.facts["granted", user, perm]
            statement = self.link("auth_user_user_permissions", "user_id", USER, "permission_id", PERM, granted)
            values = {("granted", user, perm): not granted}
            self.execute(values, "grant", (statement, (self.facts["name", user], perm)))
            self.look(user, perm)

    def membership(self):
        user, group = self.user(), self.group()
        with self.world.alone(user, group):
            if not self.facts["exists", user]:
                return False
            member = self.facts["member", user, group]
            statement = self.link("auth_user_groups", "user_id", USER, "group_id", GROUP, member)
            values = {("member", user, group): not member}
            self.execute(values, "join", (statement, (self.facts["name", user], group)))
            self.look(user)

    def grant_group(self):
        group, perm = self.group(), self.perm()
        with self.world.alone(group, perm):
            holds = self.facts["holds", group, perm]
            statement = self.link("auth_group_permissions", "group_id", GROUP, "permission_id", PERM, holds)
            self.execute({("holds", group, perm): not holds}, "grant_group", (statement, (group, perm)))
            self.look_around(perm)

    @staticmethod
    def link(table, one, first, other, second, there):
        """Takes the link away where it is there, and makes it where not."""
        if there:
            return f"DELETE FROM {table} WHERE {one} = {first} AND {other} = {second}"
        return f"INSERT INTO {table} ({one}, {other}) VALUES ({first}, {second})"

    def delete_user(self):
        """And, for some, the same row again under the same number."""
        user = self.user()
        with self.world.alone(user):
            if not self.facts["exists", user] or not may_return(user):
                return False
            name = self.facts["name", user]
            row = self.database.query("SELECT * FROM auth_user WHERE username = ?", (name,))[0]
            tables = ("auth_user_groups", "auth_user_user_permissions")
            links = [(f"DELETE FROM {table} WHERE user_id = {USER}", (name,)) for table in tables]
            last = ("DELETE FROM auth_user WHERE username = ?", (name,))
            if self.execute(self.world.without_user(user), "delete user", *links, last):
                self.look(user)
                time.sleep(self.random.uniform(0, 0.05))
                self.insert({("exists", user): True}, "auth_user", row)
            self.look(user)

    def insert(self, values, table, row, first=()):
        marks = ", ".join("?" for _ in row)
        statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})"
        done = False
        while not done:
            try:
                last = (statement, tuple(row.values()))
                done = self.execute(values, f"{table} again", *first, last, client=self.driver)
            except Undone:
                self.undone += 1

    def delete_permission(self):
        perm = self.perm()
        with self.world.alone(perm):
            row = self.database.query("SELECT * FROM auth_permission WHERE codename = ?", (perm,))[0]
            tables = ("auth_group_permissions", "auth_user_user_permissions")
            links = [(f"DELETE FROM {table} WHERE permission_id = {PERM}", (perm,)) for table in tables]
            last = ("DELETE FROM auth_permission WHERE codename = ?", (perm,))
            if self.execute(self.world.without_permission(perm), "delete permission", *links, last):
                self.look_around(perm)
                self.insert({}, "auth_permission", row)

    def empty(self):
        """A whole table at once; on PostgreSQL by TRUNCATE, of which row triggers hear nothing."""
        table = self.random.choice(["auth_user_groups", "auth_user_user_permissions", "auth_group_permissions"])
        values = {
            "auth_user_groups": {("member", user, group): False for user in USERS for group in GROUPS},
            "auth_user_user_permissions": {("granted", user, perm): False for user in USERS for perm in PERMS},
            "auth_group_permissions": {("holds", group, perm): False for group in GROUPS for perm in PERMS},
        }[table]
        verb = "TRUNCATE" if self.database.kind == "postgres" else "DELETE FROM"
        with self.world.alone(*USERS, *GROUPS, *PERMS):
            self.execute(values, verb, (f"{verb} {table}", ()))
            self.look_around()

    def session(self):
        """Deletes or ends the row of a session, and puts it back as it was."""
        user, way = self.user(), self.random.choice(["delete", "expire"])
        with self.world.alone(user):
            number = self.number_of(user)
            if not self.world.sessions_are_rows or number is None or not self.world.is_alive(number):
                return False
            key, login = self.world.keys[number], self.facts["session", number]
            found = self.database.query("SELECT * FROM django_session WHERE session_key = ?", (key,))
            assert found, f"session {number} is alive, and not in the database"
            delete = ("DELETE FROM django_session WHERE session_key = ?", (key,))
            expire = ("UPDATE django_session SET expire_date = ? WHERE session_key = ?", (DAY_LONG_GONE, key))
            done = self.execute({("session", number): None}, way, delete if way == "delete" else expire)
            self.look(user)
            if done and self.random.random() < 0.7:
                time.sleep(self.random.uniform(0, 0.1))
                # The row may be gone: commands that clear sessions run too.
                self.insert({("session", number): login}, "django_session", found[0], first=[delete])
                self.look(user)

    def swap(self):
        """A session is somebody else's from now on."""
        user, other = self.user(), self.random.choice(USERS)
        with self.world.alone(user, other):
            one, two = self.number_of(user), self.number_of(other)
            fit = all(n is not None and self.world.is_alive(n) for n in (one, two))
            fit = fit and may_return(user) and may_return(other)
            if not fit or user == other or not self.world.sessions_are_rows:
                return False
            login = self.facts["session", two]
            statement = (
                "UPDATE django_session SET session_data = ? WHERE session_key = ?",
                (self.data_of(two), self.world.keys[one]),
            )
            self.execute({("session", one): login}, f"data of session {two}", statement, client=self.driver)
            self.look(user)

    def data_of(self, number):
        key = self.world.keys[number]
        rows = self.database.query("SELECT session_data FROM django_session WHERE session_key = ?", (key,))
        return rows[0]["session_data"]
