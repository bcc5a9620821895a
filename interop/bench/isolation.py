"""How long an authenticated request takes while logins keep every hashing thread busy."""

import time

from bench.load import wrk
from bench.logins import storm
from bench.rounds import interleaved
from bench.sites import check_answers, filled, in_django, install_cache, started
from bench.data import PASSWORD, USERS
from suite.sides import Djauth

#: Closed loops that never wait: what is measured is the latency of a server that is kept busy by them.
CONNECTIONS = 2
#: The second half of the users has passwords of Argon2.
ARGON2 = """
import sys
from django.contrib.auth.hashers import get_hasher
from django.contrib.auth.models import User
hasher = get_hasher("argon2")
encoded = hasher.encode(sys.argv[1], hasher.salt())
names = [f"user{n}" for n in range(int(sys.argv[2]), int(sys.argv[3]))]
for start in range(0, len(names), 500):
    User.objects.filter(username__in=names[start:start + 500]).update(password=encoded)
"""
PREFERRED = [f"django.contrib.auth.hashers.{name}PasswordHasher" for name in ("Argon2", "PBKDF2")]


def run(options, folder):
    told = {}
    for kind in options.database:
        with filled(kind, folder) as (database, settings, keys):
            install_cache(database, settings, folder)
            if kind == "sqlite":
                # As the files are that djauth makes. In Django's own mode each login that is right shuts
                # readers out until it is on the disk, whoever hashes.
                assert database.query("PRAGMA journal_mode = WAL")[0]["journal_mode"] == "wal"
            argon2 = settings | {"PASSWORD_HASHERS": PREFERRED}
            first_half = folder / f"{kind}-first-half.txt"
            first_half.write_text("\n".join(keys.read_text().split()[: USERS // 2]) + "\n")
            in_django(argon2, ARGON2, PASSWORD, str(USERS // 2), str(USERS))
            pair = Djauth(settings, folder), Djauth(argon2, folder)
            with started(*pair):
                told[kind] = measure(pair, first_half, options, kind)
    return told


def measure(pair, keys, options, kind):
    """The requests are of users who do not log in meanwhile, except in the storm of right passwords."""
    pbkdf2, argon2 = pair
    check_answers(pbkdf2, keys.read_text().split())
    for side in pair:
        wrk(side, keys, 1, CONNECTIONS)

    def idle(side):
        return wrk(side, keys, options.seconds, CONNECTIONS)

    def busy(side, passwords, first):
        with storm(side, passwords, first=first) as visitors:
            before, began = visitors.so_far(), time.monotonic()
            figures = wrk(side, keys, options.seconds, CONNECTIONS)
            figures["hashes"] = (visitors.so_far() - before) / (time.monotonic() - began)
        return figures

    variants = {
        "idle": lambda: idle(pbkdf2),
        "right passwords, PBKDF2": lambda: busy(pbkdf2, "right", 0),
        "wrong passwords, PBKDF2": lambda: busy(pbkdf2, "wrong", 0),
        "idle, Argon2": lambda: idle(argon2),
        "right passwords, Argon2": lambda: busy(argon2, "right", USERS // 2),
    }
    return interleaved(options.rounds, variants, f"isolation, {kind}")
