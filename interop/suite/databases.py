"""Fresh databases on each server, and every row of them."""

import contextlib
import copy
import os
import secrets
import shutil
import sqlite3
import subprocess
from urllib.parse import urlsplit

KINDS = ("sqlite", "postgres", "mariadb")
SERVERS = {"postgres": "DJAUTH_TEST_POSTGRES_URL", "mariadb": "DJAUTH_TEST_MARIADB_URL"}


class Database:
    """A database of its own, empty at first, or a copy of one that nobody uses."""

    def __init__(self, kind, folder, model=None):
        self.kind = kind
        self.name = f"interop_{secrets.token_hex(6)}"
        self.connection = None
        if kind == "sqlite":
            self.path = folder / f"{self.name}.sqlite3"
            self.url = f"sqlite://{self.path}"
            if model:
                shutil.copy(model.path, self.path)
            return
        self.server = os.environ[SERVERS[kind]]
        self.url = urlsplit(self.server)._replace(path=f"/{self.name}").geturl()
        mark = '"' if kind == "postgres" else "`"
        like = f' TEMPLATE "{model.name}"' if model and kind == "postgres" else ""
        self.on_server(f"CREATE DATABASE {mark}{self.name}{mark}{like}")
        if model and kind == "mariadb":
            model.pour_into(self)

    def pour_into(self, other):
        """Dumps this one and loads the other, with the server's own programs."""
        if self.kind == "postgres":
            dumped = subprocess.run(["pg_dump", "--no-owner", self.url], capture_output=True, check=True)
            loader = ["psql", "-q", "-X", "-v", "ON_ERROR_STOP=1", other.url]
        else:
            parts = urlsplit(self.url)
            where = [f"--host={parts.hostname}", f"--port={parts.port}", f"--user={parts.username}",
                     f"--password={parts.password or ''}", "--protocol=tcp"]
            program = shutil.which("mariadb-dump") or "mysqldump"
            dumped = subprocess.run([program, *where, self.name], capture_output=True, check=True)
            loader = ["mariadb", *where, other.name]
        subprocess.run(loader, input=dumped.stdout, check=True, stdout=subprocess.DEVNULL)

    def again(self):
        """The same, for another thread."""
        other = copy.copy(self)
        other.connection = None
        return other

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def drop(self):
        self.close()
        if self.kind == "sqlite":
            for path in self.path.parent.glob(f"{self.path.name}*"):
                path.unlink()
        elif self.kind == "postgres":
            self.on_server(f'DROP DATABASE "{self.name}" WITH (FORCE)')
        else:
            self.on_server(f"DROP DATABASE `{self.name}`")

    def on_server(self, statement):
        with contextlib.closing(connect(self.kind, self.server)) as connection:
            connection.cursor().execute(statement)

    def cursor(self):
        """Of one connection in autocommit: it sees what others have committed."""
        if not self.connection:
            url = str(self.path) if self.kind == "sqlite" else self.url
            self.connection = connect(self.kind, url)
        return contextlib.closing(self.connection.cursor())

    def execute(self, statement, parameters=()):
        """Changes rows behind everybody's back; parameters are written as `?`."""
        mark = "?" if self.kind == "sqlite" else "%s"
        with self.cursor() as cursor:
            cursor.execute(statement.replace("?", mark), parameters)
            return cursor.rowcount

    def query(self, statement, parameters=()):
        mark = "?" if self.kind == "sqlite" else "%s"
        with self.cursor() as cursor:
            cursor.execute(statement.replace("?", mark), parameters)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]

    def tables(self):
        statement = {
            "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
            "postgres": "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
            "mariadb": "SELECT table_name AS name FROM information_schema.tables"
            " WHERE table_schema = DATABASE()",
        }[self.kind]
        return sorted(row["name"] for row in self.query(statement))

    def everything(self):
        """Each table with its definition and its rows."""
        return {table: (self.definition(table), self.rows(table)) for table in self.tables()}

    def rows(self, table):
        return sorted(self.query(f"SELECT * FROM {table}"), key=repr)

    def definition(self, table):
        statement = {
            "sqlite": "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ?",
            "postgres": "SELECT column_name, data_type, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_name = ?",
            "mariadb": "SELECT column_name, column_type, is_nullable, column_default, column_key"
            " FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ?",
        }[self.kind]
        return sorted(self.query(statement, (table,)), key=repr)


def connect(kind, url):
    if kind == "sqlite":
        return sqlite3.connect(url, isolation_level=None, timeout=20)
    if kind == "postgres":
        import psycopg

        return psycopg.connect(url, autocommit=True)
    import MySQLdb

    parts = urlsplit(url)
    where = {"host": parts.hostname, "port": parts.port, "db": parts.path.lstrip("/")}
    who = {"user": parts.username, "passwd": parts.password or ""}
    return MySQLdb.connect(**where, **who, charset="utf8mb4", autocommit=True)
