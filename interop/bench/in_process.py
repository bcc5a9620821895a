"""Session, user and permission without HTTP: Django in one process, djauth in one."""

import subprocess

from bench.data import PERMISSION
from bench.rounds import interleaved
from bench.sites import filled, in_django, install_cache, measured, with_cache
from suite.sides import Djauth

THEIRS = """
import sys, time
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
keys = sys.stdin.read().split()
def one(key):
    request = HttpRequest()
    request.session = SessionStore(key)
    assert get_user(request).has_perm(sys.argv[2])
for key in keys[:50]: one(key)
start, served = time.perf_counter(), 0
while time.perf_counter() - start < float(sys.argv[1]):
    one(keys[served % len(keys)])
    served += 1
print(served / (time.perf_counter() - start))
"""


def run(options, folder):
    told = {}
    for kind in options.database:
        with filled(kind, folder) as (database, settings, keys):
            install_cache(database, settings, folder)

            def theirs():
                done = in_django(settings, THEIRS, str(options.seconds), PERMISSION, stdin=keys.read_text())
                return {"rate": float(done.stdout)}

            variants = {
                "Django": theirs,
                "djauth, one statement": lambda: ours(with_cache(settings, 0), keys, options.seconds, folder),
                "djauth, strict": lambda: ours(settings, keys, options.seconds, folder),
                "djauth, bounded": lambda: ours(with_cache(settings, staleness=2), keys, options.seconds, folder),
            }
            told[kind] = interleaved(options.rounds, variants, f"in process, {kind}")
    return told


def ours(settings, keys, seconds, folder, tasks=16):
    command = [*measured("request_path"), str(seconds), str(tasks), PERMISSION]
    with open(keys) as stdin:
        done = subprocess.run(
            command, env=Djauth(settings, folder).environment(), stdin=stdin, capture_output=True, text=True
        )
    assert done.returncode == 0, done.stderr
    return {"rate": float(done.stdout)}
