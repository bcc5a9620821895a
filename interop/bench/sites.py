"""Databases with data in them, and the servers that stand on them."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from bench import processes
from bench.data import PASSWORD, PERMISSION
from suite.conftest import settings_for
from suite.databases import Database
from suite import sides
from suite.sides import HERE, Djauth, Rust, Side

VERIFY = f"/auth/verify?perm={PERMISSION}"
PROJECT = HERE / "project"
#: Half a minute would do for the tests; whole tables are made here.
PATIENCE = 1800


def program(name):
    """One of our benchmarks' programs, where cargo built it."""
    found = dict(line.split("=", 1) for line in os.environ["DJAUTH_BENCH_PROGRAMS"].splitlines())
    assert name in found, f"cargo has built no {name}, only {', '.join(found)}"
    return found[name]


def measured(name):
    """The beginning of a command for what is measured in a process of our own."""
    return [program("measured"), name]


class Django(sides.Django):
    """Started as anybody starts it: the suite's copies of a process that has imported it already are quicker to
    start, and may have no processes of their own."""

    begin, complete, environment = Side.begin, Side.complete, Side.environment


class Gunicorn(Django):
    """Django as one would run it: a process for each core, connections that stay."""

    def command(self, port):
        return [
            sys.executable, "-m", "gunicorn", "--chdir", str(PROJECT), "--workers", str(processes.cores()),
            "--threads", "4", "--keep-alive", "60", "--bind", f"127.0.0.1:{port}",
            "--log-level", "warning", "house.wsgi",
        ]

    def environment(self):
        return super().environment() | {"CONN_MAX_AGE": "600", "SQLITE_CONN_MAX_AGE": "600"}


class Uvicorn(Django):
    """Django under ASGI, with a pool where the driver has one: there connections cannot stay with a
    thread."""

    def command(self, port):
        return [
            sys.executable, "-m", "uvicorn", "--app-dir", str(PROJECT), "--workers", str(processes.cores()),
            "--host", "127.0.0.1", "--port", str(port), "--no-access-log", "--log-level", "warning",
            "--loop", "uvloop", "--http", "httptools", "house.asgi:application",
        ]

    def environment(self):
        environment = super().environment()
        if environment["DATABASE_URL"].startswith("postgres"):
            environment["DATABASE_POOL"] = '{"min_size": 8, "max_size": 8}'
        return environment


class Peer(Rust):
    """A server that was written for the comparison."""

    def __init__(self, name, settings, folder, keys, *arguments):
        super().__init__(settings, folder)
        self.name, self.keys, self.arguments = name, keys, arguments

    def costs(self):
        return {}

    def command(self, port):
        return [peer(self.name), f"127.0.0.1:{port}", *self.arguments]

    def environment(self):
        return super().environment() | {"BENCH_KEYS": str(self.keys)}


def peer(name):
    path = Path(os.environ["DJAUTH_BENCH_PEERS"], name)
    assert path.exists(), f"{name} is not among the programs built from interop/peers"
    return str(path)


@contextlib.contextmanager
def started(*sides):
    """They run until the end, and still run then: one that has crashed is an error."""
    try:
        for side in sides:
            side.start()
        yield sides
        for side in sides:
            code = side.process.poll()
            assert code is None, f"{type(side).__name__} ended by itself ({code}):\n{side.log_text()}"
    finally:
        for side in sides:
            side.stop()


@contextlib.contextmanager
def empty(kind, folder):
    """A database that Django has migrated, and settings for it at default costs."""
    database = Database(kind, folder)
    try:
        settings = settings_for(database)
        del settings["CHEAP_ITERATIONS"]
        Django(settings, folder).run("migrate", "--verbosity=0")
        yield database, settings
    finally:
        database.drop()


@contextlib.contextmanager
def filled(kind, folder):
    """A database with users and sessions; its settings and the file of session keys."""
    with empty(kind, folder) as (database, settings):
        done = in_django(settings, "from bench import data; print('\\n'.join(data.fill()))")
        settle(database)
        keys = folder / f"{kind}-keys.txt"
        keys.write_text(done.stdout)
        yield database, settings, keys


def settle(database):
    """Statistics as a database has them after a while, which a fresh one has not."""
    tables = ["auth_user", "auth_user_groups", "auth_group_permissions", "auth_permission", "django_session"]
    if database.kind == "mariadb":
        database.query("ANALYZE TABLE " + ", ".join(tables))
    elif database.kind == "postgres":
        database.execute("VACUUM ANALYZE")
    else:
        database.execute("ANALYZE")


def in_django(settings, code, *arguments, stdin="", patience=PATIENCE):
    """Runs code in a process of its own, because Django has one set of settings for each."""
    environment = Django(settings, HERE).environment() | {
        "DJANGO_SETTINGS_MODULE": "house.settings",
        "PYTHONPATH": f"{PROJECT}:{HERE}",
        "CONN_MAX_AGE": "600",
    }
    code = f"import django; django.setup()\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, input=stdin,
        capture_output=True, text=True, timeout=patience,
    )
    assert done.returncode == 0, done.stderr
    return done


def with_cache(settings, megabytes=None, staleness=None):
    """The settings of djauth's cache: none of it, as it comes, or with a bound."""
    more = {}
    if megabytes is not None:
        more["AUTH_CACHE_MAX_BYTES"] = str(megabytes << 20)
    if staleness is not None:
        more["AUTH_CACHE_STALENESS"] = str(staleness)
    return settings | more


def install_cache(database, settings, folder):
    """What the proof of freshness needs of a database server."""
    if database.kind != "sqlite":
        Djauth(settings, folder).run("cache", "install")


def check_answers(side, keys):
    """Before anything is measured: the answers are right."""
    from suite.browser import Browser

    browser = Browser()
    assert browser.get(side, VERIFY).status == 401
    for number in (0, 1, 0):
        browser.cookies["sessionid"] = keys[number]
        answer = browser.get(side, VERIFY)
        assert answer.status == 200, answer
        assert answer.header("x-remote-user") == f"user{number}", answer.headers
    assert browser.get(side, "/auth/verify?perm=no.such").status == 403


def check_login(side, name="user7"):
    from suite.browser import Browser

    browser = Browser()
    refused = browser.login(side, name, PASSWORD + "?")
    assert refused.status == 200 and "sessionid" not in browser.cookies, refused
    answer = browser.login(side, name, PASSWORD)
    assert answer.status == 302 and browser.cookies["sessionid"], answer
