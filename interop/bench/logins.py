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
LOGINS = {DJANGO: 64, "Django, uvicorn": 64, "djauth": 256}
ALONE = 6


def run(options, folder):
    told = {}
    for kind in options.database:
        with filled(kind, folder) as (_, settings, _):
            named = sides(settings, folder)
            with started(*named.values()):
                told[kind] = measure(named, options, kind)
    return told


def measure(named, options, kind):
    for side in named.values():
        check_login(side)
    of = lambda clients: {name: crowd(side, clients, name, options) for name, side in named.items()}
    return {
        "crowd": interleaved(options.rounds, of(CLIENTS), f"{CLIENTS} visitors, {kind}"),
        "alone": interleaved(options.rounds, of(1), f"one visitor, {kind}"),
    }


def sides(settings, folder):
    """Django's defaults; the limits of failed logins are lifted on our side (`settings_for`)."""
    kinds = (Gunicorn, Uvicorn, Djauth)
    return {name: kind(settings, folder) for name, kind in zip(LOGINS, kinds, strict=True)}


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


class Storm:
    """Visitors who log in without a pause."""

    def __init__(self, side, kind, clients, first):
        command = [sys.executable, "-m", "bench.visitors", side.url, str(clients), "storm", kind, str(first)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=HERE, text=True, **pipes)
        self.told = None

    def so_far(self):
        """How many logins there were, right or wrong."""
        assert self.process.poll() is None, f"the visitors have gone: {self.process.stderr.read()}"
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the visitors have gone: {self.process.stderr.read()}"
        return int(answer)

    def end(self):
        out, complaint = self.process.communicate(timeout=150)
        assert self.process.returncode == 0, complaint
        self.told = json.loads(out)


@contextlib.contextmanager
def storm(side, kind="right", clients=CLIENTS, first=0):
    """Lasts while the body runs; what the visitors tell is there afterwards."""
    visitors = Storm(side, kind, clients, first)
    try:
        # Until every thread that hashes is busy.
        time.sleep(1.5)
        assert visitors.so_far(), f"no login in the first seconds of a storm:\n{side.log_text()}"
        yield visitors
        visitors.end()
        until_calm(side)
    finally:
        visitors.process.kill()
        visitors.process.wait()


def until_calm(side):
    """What the visitors left behind has been worked off."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        used = processes.cpu_of_family(side.process.pid)
        time.sleep(0.25)
        if processes.cpu_of_family(side.process.pid) - used < 0.02:
            return
    raise AssertionError(f"the server still works a minute after the visitors left:\n{side.log_text()}")
