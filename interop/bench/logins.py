"""Logins at Django's default cost: by 32 visitors at once, and by one alone."""

import contextlib
import json
import subprocess
import sys
import time

from bench import processes
from bench.rounds import interleaved
from bench.sites import Gunicorn, Uvicorn, check_login, filled, started
from suite.sides import HERE, Djauth

CLIENTS = 32
DJANGO = "Django, gunicorn"
#: So many for each, in a round: about as long for all.
LOGINS = {DJANGO: 64, "Django, uvicorn": 64, "djauth": 192, "djauth, a thread for each core": 256}
ALONE = 6


def run(options, folder):
    told = {}
    for kind in options.database:
        with filled(kind, folder) as (_, settings, _), started(*sides(settings, folder).values()) as all_sides:
            named = dict(zip(LOGINS, all_sides, strict=True))
            for side in all_sides:
                check_login(side)
            told[kind] = {
                "crowd": interleaved(options.rounds, {n: crowd(s, CLIENTS, n, options) for n, s in named.items()}, f"{CLIENTS} visitors, {kind}"),
                "alone": interleaved(options.rounds, {n: crowd(s, 1, n, options) for n, s in named.items()}, f"one visitor, {kind}"),
            }
    return told


def sides(settings, folder):
    """Django's defaults; the limits of failed logins are lifted on our side (`settings_for`)."""
    cores = {"HASHING_THREADS": str(processes.cores())}
    return dict(zip(LOGINS, [
        Gunicorn(settings, folder), Uvicorn(settings, folder),
        Djauth(settings, folder), Djauth(settings | cores, folder),
    ], strict=True))


def crowd(side, clients, name, options):
    total = ALONE if clients == 1 else LOGINS[name] // (2 if options.quick else 1)

    def measure():
        used = processes.cpu_of_family(side.process.pid)
        command = [sys.executable, "-m", "bench.visitors", side.url, str(clients), str(total)]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.stderr[-2000:]}\n{side.log_text()}"
        told = json.loads(done.stdout)
        assert told["logins"] == total, told
        used = processes.cpu_of_family(side.process.pid) - used
        return {
            "rate": total / told["seconds"],
            "per cpu second": total / used,
            "p50": told["p50"],
            "longest": told["longest"],
            "driver": told["cpu"] / told["seconds"] / processes.cores(),
        }

    return measure


@contextlib.contextmanager
def storm(side, kind="right", clients=CLIENTS, first=0):
    """Visitors without a pause while the body runs; what they did comes in the list."""
    command = [sys.executable, "-m", "bench.visitors", side.url, str(clients), "storm", kind, str(first)]
    process = subprocess.Popen(
        command, cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    told = []
    try:
        # Until every thread that hashes is busy.
        time.sleep(1.5)
        yield told
        assert process.poll() is None, f"the visitors have gone: {process.stderr.read()}"
        out, err = process.communicate(timeout=150)
        assert process.returncode == 0, err
        told.append(json.loads(out))
        until_calm(side)
    finally:
        process.kill()
        process.wait()


def until_calm(side):
    """What the visitors left behind has been worked off."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        used = processes.cpu_of_family(side.process.pid)
        time.sleep(0.25)
        if processes.cpu_of_family(side.process.pid) - used < 0.02:
            return
    raise AssertionError(f"the server still works a minute after the visitors left:\n{side.log_text()}")
