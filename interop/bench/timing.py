"""Does time tell whether there is an account, or what is stored for it?

Wrong passwords at accounts of many kinds, in random order, one at a time, under load and after it. For each
pair of kinds the Mann-Whitney test asks whether one tends to take longer than the other: among this
many pairs a value of p under 0.001 should not be seen twice. Run by hand, on a quiet machine:
`cargo xtask bench --only timing`.
"""

import contextlib
import math
import os
import random
import subprocess
import sys
import time
from itertools import combinations
from statistics import median

from bench.sites import Django
from suite.browser import Browser
from suite.conftest import settings_for
from suite.databases import Database
from suite.sides import HERE, Djauth

SAMPLES = int(os.environ.get("TIMING_SAMPLES", "40"))
WORD = "the right one"
SUSPICIOUS = 0.001


def run(options, folder):
    for kind in options.database or ["sqlite"]:
        database = Database(kind, folder)
        try:
            measure(database, folder)
        finally:
            database.drop()


def measure(database, folder):
    settings = settings_for(database)
    del settings["CHEAP_ITERATIONS"]
    Django(settings, folder).run("migrate", "--verbosity=0")
    kinds = accounts(database)
    for preferred in ("PBKDF2", "Argon2"):
        title = f"{database.kind}, {preferred} preferred"
        djauth = Djauth(settings | {"PASSWORD_HASHERS": preferring(preferred)}, folder).start()
        try:
            idle_and_busy(title, djauth, kinds)
        finally:
            djauth.stop()


def preferring(preferred):
    names = ["PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "Scrypt"]
    names.sort(key=preferred.__ne__)
    return [f"django.contrib.auth.hashers.{name}PasswordHasher" for name in names]


def idle_and_busy(title, djauth, kinds):
    # What each costs is learned at the first attempts.
    times(djauth, kinds, 2)
    report(f"{title}, one at a time", times(djauth, kinds, SAMPLES))
    with load(djauth):
        report(f"{title}, under load", times(djauth, kinds, SAMPLES))
    # What was learned under load is not to tell afterwards.
    report(f"{title}, after it", times(djauth, kinds, SAMPLES // 2))


def accounts(database):
    """A user of each kind; the name, and the password that is tried."""
    from django.conf import settings

    if not settings.configured:
        settings.configure()
    from django.contrib.auth import hashers

    def stored(hasher, **costs):
        hasher = getattr(hashers, f"{hasher}PasswordHasher")()
        for name, cost in costs.items():
            setattr(hasher, name, cost)
        return hasher.encode(WORD, hasher.salt())

    current = stored("PBKDF2")
    users = {
        "known": (current, True),
        "inactive": (current, False),
        "unusable": ("!" + "x" * 40, True),
        "old_pbkdf2": (stored("PBKDF2", iterations=600_000), True),
        "argon2": (stored("Argon2"), True),
        "bcrypt": (stored("BCryptSHA256"), True),
        "scrypt": (stored("Scrypt"), True),
        "sha1": (stored("PBKDF2SHA1"), True),
        "malformed": ("pbkdf2_sha256$nonsense", True),
    }
    insert = (
        "INSERT INTO auth_user (username, password, is_active, is_superuser, is_staff, first_name,"
        " last_name, email, date_joined) VALUES (?, ?, ?, ?, ?, '', '', '', '2026-01-01 00:00:00+00:00')"
    )
    for name, (password, active) in users.items():
        database.execute(insert, [name, password, active, False, False])
    tried = {name: (name, "a wrong one") for name in users}
    tried["inactive, right"] = ("inactive", WORD)
    tried["unknown"] = ("nobody", "a wrong one")
    return tried


def times(side, kinds, samples):
    """Seconds of each attempt, by kind."""
    browser = Browser()
    page = browser.get(side, "/accounts/login/")
    assert page.status == 200, page
    token = browser.cookies["csrftoken"]
    order = [name for name in kinds for _ in range(samples)]
    random.shuffle(order)
    taken = {name: [] for name in kinds}
    for name in order:
        username, password = kinds[name]
        form = {"csrfmiddlewaretoken": token, "username": username, "password": password}
        begun = time.perf_counter()
        answer = browser.post(side, "/accounts/login/", form)
        taken[name].append(time.perf_counter() - begun)
        assert answer.status == 200, answer
    return taken


@contextlib.contextmanager
def load(side):
    """Other visitors, who try wrong passwords all the time."""
    code = (
        "import sys, threading\n"
        "from types import SimpleNamespace\n"
        "from suite.browser import Browser\n"
        "side = SimpleNamespace(url=sys.argv[1])\n"
        "def forever():\n"
        "    browser = Browser()\n"
        "    while True: browser.login(side, 'somebody', 'wrong')\n"
        "for _ in range(6): threading.Thread(target=forever, daemon=True).start()\n"
        "threading.Event().wait()\n"
    )
    visitors = subprocess.Popen([sys.executable, "-c", code, side.url], cwd=HERE)
    try:
        time.sleep(2)
        yield
        assert visitors.poll() is None, "the visitors have gone"
    finally:
        visitors.terminate()
        visitors.wait()


def report(title, taken):
    print(f"\n{title}: median of {len(next(iter(taken.values())))} in milliseconds\n", flush=True)
    for name, seconds in taken.items():
        spread = sorted(seconds)
        low, high = spread[len(spread) // 4], spread[3 * len(spread) // 4]
        print(f"| {name:16} | {median(seconds) * 1e3:8.2f} | {low * 1e3:8.2f} to {high * 1e3:8.2f} |")
    print()
    for one, other in combinations(taken, 2):
        p = mann_whitney(taken[one], taken[other])
        mark = "  <-- told apart" if p < SUSPICIOUS else ""
        print(f"{one:16} {other:16} p = {p:.4f}{mark}", flush=True)


def mann_whitney(one, other):
    """The two-sided p-value, by the normal approximation; fit for twenty samples and more."""
    ranks = ranked(one + other)
    n, m = len(one), len(other)
    u = sum(ranks[:n]) - n * (n + 1) / 2
    deviation = math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(u - n * m / 2) / deviation / math.sqrt(2))


def ranked(values):
    """The place of each value among all; equal ones share theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + end + 1) / 2
        start = end
    return ranks
