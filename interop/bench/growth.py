"""What a request costs while tables grow, and the commands that touch whole tables."""


import random
import subprocess
import time
from contextlib import ExitStack
from statistics import median

from bench import processes, rows
from bench.data import PERMISSION
from bench.in_process import ours
from bench.load import wrk
from bench.logins import storm
from bench.rounds import interleaved, say
from bench.rows import Shape
from bench.sites import Django, empty, in_django, install_cache, measured, started, with_cache
from suite.sides import Djauth

#: Megabytes for the cache: enough for every session, which the default is not for 10^5.
ENOUGH = 512
#: In process: without the cache, and with it.
MODES = {"one statement": 0, "strict": ENOUGH}
#: As a proxy asks.
SERVED = "strict over HTTP"


def axes(options):
    """Each grows one thing and leaves the others."""
    few = Shape(users=1_000, sessions=1_000, groups=1_001)
    sizes = (1_000, 10_000, 100_000, 1_000_000) if not options.quick else (1_000, 10_000)
    if options.full:
        sizes += (10_000_000,)
    base = Shape()
    axes = {
        # Whoever has several sessions has them asked for by several threads at once.
        "users": {n: base.but(users=n, sessions=1_000) for n in sizes},
        "sessions": {n: base.but(sessions=n) for n in (10, 100, 1_000, 10_000, 100_000)},
        "groups of a user": {n: few.but(groups_of_user=n) for n in (1, 10, 100, 1_000)},
        "permissions": {n: base.but(permissions=n) for n in (100, 1_000, 10_000, 100_000)},
    }
    return {name: dict(list(points.items())[:2]) if options.quick else points for name, points in axes.items()}


def run(options, folder):
    told = {}
    for kind in options.database:
        told[kind] = {
            "requests": {name: requests(kind, name, points, options, folder) for name, points in axes(options).items()},
            "with_perm": with_perm(kind, options, folder),
            "clearsessions": clearsessions(kind, options, folder),
            "models": models(kind, options, folder),
        }
    return told


def requests(kind, name, points, options, folder):
    """All sizes exist at once, so that they can take turns."""
    with ExitStack() as stack:
        variants = {}
        for size, shape in points.items():
            began = time.monotonic()
            database, settings = stack.enter_context(empty(kind, folder))
            keys = folder / f"{database.name}-keys.txt"
            keys.write_text("\n".join(rows.fill(database, settings, shape)) + "\n")
            install_cache(database, settings, folder)
            say(f"{kind}: {size:,} {name}: filled in {time.monotonic() - began:.1f} s")
            for mode, megabytes in MODES.items():
                chosen = with_cache(settings, megabytes)
                variants[f"{size}, {mode}"] = lambda chosen=chosen, keys=keys: ours(
                    chosen, keys, options.seconds, folder
                )
            side = Djauth(with_cache(settings, ENOUGH), folder)
            stack.enter_context(started(side))
            warm_up(side, keys, shape.sessions)
            variants[f"{size}, {SERVED}"] = lambda side=side, keys=keys: wrk(
                side, keys, options.seconds, start=random.random()
            )
        return interleaved(options.rounds, variants, f"growth, {kind}, {name}")


def warm_up(side, keys, sessions):
    """The first visit of a session tells whose it is, and the second makes an entry of it."""
    seconds = 1 + 2 * sessions // 8_000
    assert wrk(side, keys, seconds)["rate"] * seconds >= 2 * sessions, "not every session has its entry"


THEIR_WITH_PERM = """
import sys, time
from django.contrib.auth.models import User
backend = "django.contrib.auth.backends.ModelBackend"
start = time.perf_counter()
found = sum(1 for _ in User.objects.with_perm(sys.argv[1], backend=backend).iterator())
assert found == int(sys.argv[2]), found
print(time.perf_counter() - start)
"""


def with_perm(kind, options, folder):
    """Everybody who has a permission, in a program that looks at each and keeps none; Django's too for few, because
    its statement reads all memberships for each user."""
    told = {}
    few, many = (1_000, 100_000) if options.quick else (10_000, 1_000_000)
    for size in (few, many):
        with empty(kind, folder) as (database, settings):
            rows.fill(database, settings, Shape(users=size, sessions=10))
            environment = Djauth(settings, folder).environment()
            times = [our_with_perm(environment, size) for _ in range(3)]
            told[str(size)] = {"seconds": median(seconds for seconds, _ in times), "peak": max(peak for _, peak in times)}
            if size == few:
                told[str(size)]["Django"] = float(in_django(settings, THEIR_WITH_PERM, PERMISSION, str(size), patience=600).stdout)
            say(f"{kind}: with_perm of {size:,}: {told[str(size)]}")
    return told


def our_with_perm(environment, size):
    """Seconds with the program's start, and the most memory that it took."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [*measured("with_perm"), PERMISSION], env=environment,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    found = process.stdout.readline()
    seconds = time.perf_counter() - start
    peak = processes.peak_memory(process.pid) if found else None
    _, complaint = process.communicate()
    assert process.returncode == 0 and int(found) == size, f"{found!r} {complaint}"
    return seconds, peak


def clearsessions(kind, options, folder):
    """Of many that have ended, while visitors log in; Django's the same."""
    count = 20_000 if options.quick else 100_000
    told = {"sessions": count}
    with empty(kind, folder) as (database, settings):
        rows.fill(database, settings, Shape(sessions=1_000))
        install_cache(database, settings, folder)
        expired = Shape(sessions=count)
        with started(Djauth(settings, folder)) as (server,):
            with storm(server, clients=4) as calm:
                time.sleep(3)
            for name, side in {"djauth": Djauth(settings, folder), "Django": Django(settings, folder)}.items():
                rows.sessions(database, settings, expired, expired=True)
                with storm(server, clients=4) as visits:
                    start = time.perf_counter()
                    side.run("clearsessions")
                    seconds = time.perf_counter() - start
                    time.sleep(1)
                left = database.query("SELECT count(*) AS n FROM django_session WHERE expire_date < '2021-01-01'")
                assert left[0]["n"] == 0, f"{name} left {left} sessions"
                told[name] = {"seconds": seconds, "login": visits.told}
            told["calm"] = {"login": calm.told}
    return told


MODELS = """
import sys, time
from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.contenttypes.management import create_contenttypes
from django.db import models
for n in range(int(sys.argv[1])):
    type(f"Model{n}", (models.Model,), {"__module__": "reports.models"})
start = time.perf_counter()
create_contenttypes(apps.get_app_config("reports"), verbosity=0)
create_permissions(apps.get_app_config("reports"), verbosity=0)
print(time.perf_counter() - start)
"""


def models(kind, options, folder):
    """Content types and the four permissions of each of many models; and again, when all are there."""
    count = 100 if options.quick else 1_000
    told = {"models": count}
    with empty(kind, folder) as (database, settings):
        told["Django"] = [float(in_django(settings, MODELS, str(count)).stdout) for _ in range(2)]
        expect(database, count, 4 * count)
    with empty(kind, folder) as (database, settings):
        file = folder / "models.toml"
        entries = [
            f'{{content_type = "reports.model{n}", codename = "{verb}_model{n}", name = "Can {verb} model{n}"}}'
            for n in range(count) for verb in ("add", "change", "delete", "view")
        ]
        file.write_text("PERMISSIONS = [\n" + ",\n".join(entries) + "\n]\n")
        side, told["djauth"] = Djauth(settings, folder), []
        for _ in range(2):
            start = time.perf_counter()
            side.run("migrate", DJAUTH_SETTINGS=str(file))
            told["djauth"].append(time.perf_counter() - start)
        expect(database, count, 4 * count)
    return told


def expect(database, kinds, permissions):
    found = database.query(
        "SELECT count(*) AS permissions, count(DISTINCT content_type_id) AS kinds FROM auth_permission"
        " WHERE codename LIKE ?", ("%model%",)
    )[0]
    assert (found["kinds"], found["permissions"]) == (kinds, permissions), found
