"""`GET /auth/verify?perm=…` over HTTP, by Django, by us, and by servers written for the comparison."""

import contextlib
import random
import subprocess
import threading
import time

from bench.load import wrk
from bench.rounds import interleaved
from bench.sites import (
    Gunicorn, Peer, Uvicorn, check_answers, filled, install_cache, peer, started, with_cache,
)
from suite.databases import Database
from suite.sides import Djauth

#: Seconds in which the slowest of those with a cache answers 20,000 requests without it.
WARM_UP = 4
#: Seconds of the same load before each measurement. While the others had their turn nobody asked this one, and
#: whatever may be believed for a while is past that when its turn comes: a start, and not what a server does.
RUN_UP = 1
BARE = {"sqlite": "bare-sqlite", "postgres": "bare-postgres"}
#: Changes a second that another process makes meanwhile. In the journal mode that Django leaves a file of
#: SQLite in, a writer shuts readers out; at a hundred Django answers nobody any more.
WRITES = {"sqlite": (1, 10), "postgres": (10, 100), "mariadb": (10, 100)}


def run(options, folder):
    return {kind: on(kind, options, folder) for kind in options.database}


def on(kind, options, folder):
    with filled(kind, folder) as (database, settings, keys), contextlib.ExitStack() as stack:
        install_cache(database, settings, folder)
        sides = all_sides(kind, settings, folder, keys)
        theirs = sessions_of_the_peer(sides, folder)
        stack.enter_context(started(*sides.values()))
        of = {name: theirs if name == "axum-login" else keys for name in sides}
        for name, side in sides.items():
            if not name.startswith("hello"):
                check_answers(side, of[name].read_text().split())
        seconds = options.seconds
        for name, side in sides.items():
            # Every session is in the cache once it was asked for twice.
            wrk(side, of[name], WARM_UP)
        variants = {n: lambda n=n, s=s: under_load(s, of[n], seconds) for n, s in sides.items()}
        told = {"quiet": interleaved(options.rounds, variants, f"verify, {kind}")}
        mixed = {n: variants[n] for n in variants if n.startswith("djauth") or n.startswith("bare") or n == "Django, gunicorn"}
        for writes in WRITES[kind]:
            with changes(database, writes) as made:
                began = time.monotonic()
                told[f"{writes} changes"] = interleaved(
                    max(1, options.rounds // 2), mixed, f"verify, {kind}, {writes} changes a second"
                )
                took = time.monotonic() - began
            told[f"{writes} changes made"] = made[0] / took
        return told


def under_load(side, keys, seconds):
    wrk(side, keys, RUN_UP)
    return wrk(side, keys, seconds)


def all_sides(kind, settings, folder, keys):
    sides = {
        "Django, gunicorn": Gunicorn(settings, folder),
        "Django, uvicorn": Uvicorn(settings, folder),
        **({"Django, by itself": AsItComes(settings, folder)} if kind == "sqlite" else {}),
        "djauth, one statement": Djauth(with_cache(settings, 0), folder),
        "djauth, strict": Djauth(settings, folder),
        "djauth, bounded": Djauth(with_cache(settings, staleness=2), folder),
        "hello": Peer("hello", settings, folder, keys),
        "hello, our fields": Peer("hello", settings, folder, keys, "like-verify"),
    }
    if kind in BARE:
        sides["axum-login"] = Peer("axum-login-peer", settings, folder, keys)
        sides[BARE[kind]] = Peer(BARE[kind], settings, folder, keys)
    return sides


class AsItComes(Gunicorn):
    """Without `CONN_MAX_AGE`, which is how a new project opens its file of SQLite: anew for each request."""

    def environment(self):
        return super().environment() | {"SQLITE_CONN_MAX_AGE": "0"}


def sessions_of_the_peer(sides, folder):
    """axum-login has sessions of its own form, in a table of its own."""
    if "axum-login" not in sides:
        return None
    side = sides["axum-login"]
    done = subprocess.run(
        [peer(side.name), "fill"], env=side.environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    keys = folder / "axum-login-keys.txt"
    keys.write_text(done.stdout)
    return keys


@contextlib.contextmanager
def changes(database, each_second):
    """Another process's writes at an even pace: each saves a user, as a login does, at random."""
    ids = [row["id"] for row in database.query("SELECT id FROM auth_user WHERE username LIKE ?", ("user%",))]
    end, made, failures = threading.Event(), [0], []

    def write():
        chance, start = random.Random(2), time.monotonic()
        try:
            with contextlib.closing(Writer(database)) as writer:
                while not end.is_set():
                    writer.save(chance.choice(ids))
                    made[0] += 1
                    end.wait(max(0, start + made[0] / each_second - time.monotonic()))
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield made
    finally:
        end.set()
        thread.join()
    assert not failures, f"the writer failed: {failures[0]!r}"


class Writer:
    """A connection of its own, for a thread of its own."""

    def __init__(self, database):
        self.database = Database.__new__(Database)
        self.database.__dict__ |= database.__dict__ | {"connection": None}

    def save(self, user):
        self.database.execute("UPDATE auth_user SET last_name = ? WHERE id = ?", (f"n{time.time():.6f}", user))
        if self.database.kind == "postgres":
            # What bare-postgres goes by; ours goes by triggers.
            self.database.execute("UPDATE bare_version SET version = version + 1")

    def close(self):
        if self.database.connection:
            self.database.connection.close()
