"""An authenticated, permission-checked request: in process, and over HTTP."""

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from statistics import median

from bench.data import PERMISSION
from bench.table import interleaved, ratio, show
from suite.conftest import settings_for
from suite.databases import Database
from suite.sides import Django, Djauth, HERE

CONNECTIONS = 16
#: Takes the next session for each request.
LUA = """
local keys = {}
for key in io.lines(os.getenv("BENCH_KEYS")) do keys[#keys + 1] = key end
local threads = 0
function setup(thread) thread:set("first", threads * 4999) threads = threads + 1 end
function init() position = first end
function request()
  position = position % #keys + 1
  return wrk.format("GET", nil, {["Cookie"] = "sessionid=" .. keys[position]})
end
"""


class Served(Django):
    """gunicorn as one would run it: a process for each core, connections that stay."""

    def command(self, port):
        return [
            sys.executable, "-m", "gunicorn", "--chdir", str(HERE / "project"), "--workers", "2",
            "--threads", "4", "--keep-alive", "60", "--bind", f"127.0.0.1:{port}",
            "--log-level", "warning", "house.wsgi",
        ]


@contextlib.contextmanager
def filled(kind, folder):
    """A database with the data in it; its settings and the file of session keys."""
    database = Database(kind, folder)
    try:
        settings = settings_for(database, CONN_MAX_AGE="600")
        del settings["CHEAP_ITERATIONS"]
        side = Django(settings, folder)
        side.run("migrate", "--verbosity=0")
        done = in_django(settings, "import json; from bench import data; print(json.dumps(data.fill()))")
        keys = folder / f"{kind}-keys.txt"
        keys.write_text("\n".join(json.loads(done.stdout)) + "\n")
        yield settings, keys
    finally:
        database.drop()


def in_django(settings, code, *arguments, stdin=None):
    """Runs code in a process of its own, because Django has one set of settings for each."""
    environment = Django(settings, HERE).environment() | {
        "DJANGO_SETTINGS_MODULE": "house.settings",
        "PYTHONPATH": f"{HERE / 'project'}:{HERE}",
    }
    code = f"import django; django.setup()\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], env=environment, stdin=stdin,
        capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    return done


IN_PROCESS = """
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


def in_process(options, folder):
    rows = []
    for kind in options.database:
        with filled(kind, folder) as (settings, keys):

            def theirs():
                with open(keys) as stdin:
                    return float(in_django(settings, IN_PROCESS, str(options.seconds), PERMISSION, stdin=stdin).stdout)

            def ours():
                command = [os.environ["DJAUTH_BENCH_REQUEST_PATH"], str(options.seconds), "16", PERMISSION]
                environment = Djauth(settings, folder).environment()
                with open(keys) as stdin:
                    done = subprocess.run(command, env=environment, stdin=stdin, capture_output=True, text=True)
                assert done.returncode == 0, done.stderr
                return float(done.stdout)

            figures = interleaved(options.rounds, {"Django": theirs, "djauth": ours})
            rows.append(line(kind, figures))
    show("Session, user and permission in process (Django: one process)", HEAD, rows)


def over_http(options, folder):
    rows = []
    for kind in options.database:
        with filled(kind, folder) as (settings, keys), servers(settings, folder) as (django, djauth):
            check(django, keys)
            check(djauth, keys)
            variants = {
                "Django": lambda: wrk(django, keys, options.seconds)[0],
                "djauth": lambda: wrk(djauth, keys, options.seconds)[0],
            }
            figures = interleaved(options.rounds, variants)
            rows.append(line(kind, figures))
    show(f"GET /auth/verify?perm={PERMISSION} over HTTP, {CONNECTIONS} connections", HEAD, rows)


HEAD = ["database", "Django, requests/s", "djauth, requests/s", "times as many"]


def line(kind, figures):
    django, djauth = (f"{median(figures[name]):,.0f}" for name in ("Django", "djauth"))
    return [kind, django, djauth, f"{ratio(figures, 'djauth', 'Django'):.1f}"]


@contextlib.contextmanager
def servers(settings, folder):
    with one(Served(settings, folder)) as django, one(Djauth(settings, folder)) as djauth:
        yield django, djauth


@contextlib.contextmanager
def one(side):
    try:
        yield side.start()
    finally:
        side.stop()


def check(side, keys):
    """Before anything is measured: the answers are right."""
    from suite.browser import Browser

    browser = Browser()
    path = f"/auth/verify?perm={PERMISSION}"
    assert browser.get(side, path).status == 401
    browser.cookies["sessionid"] = keys.read_text().split()[0]
    answer = browser.get(side, path)
    assert answer.status == 200 and answer.header("x-remote-user") == "user0", answer
    assert browser.get(side, "/auth/verify?perm=no.such").status == 403


def wrk(side, keys, seconds, connections=CONNECTIONS):
    """Requests a second, and the 99th percentile of the latency in milliseconds."""
    script = keys.with_suffix(".lua")
    script.write_text(LUA)
    threads = str(min(2, connections))
    command = ["wrk", "-t", threads, "-c", str(connections), "-d", f"{seconds}s", "--latency", "-s", str(script)]
    command.append(f"{side.url}/auth/verify?perm={PERMISSION}")
    environment = os.environ | {"BENCH_KEYS": str(keys)}
    text = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in text, text
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", text).groups()
    return rate, float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def latency(options, folder):
    """The 99th percentile of requests that need no hash, idle and while every hashing thread is busy."""
    rows = []
    for kind in options.database:
        with filled(kind, folder) as (settings, keys), one(Djauth(settings, folder)) as djauth:

            def idle():
                return wrk(djauth, keys, options.seconds, 2)[1]

            def busy():
                with logins(djauth):
                    return wrk(djauth, keys, options.seconds, 2)[1]

            wrk(djauth, keys, 1)
            figures = interleaved(options.rounds, {"idle": idle, "busy": busy})
        texts = [f"{median(figures[name]):.2f} ms" for name in ("idle", "busy")]
        rows.append([kind, *texts, f"{ratio(figures, 'busy', 'idle'):.2f}"])
    head = ["database", "idle", "while hashing", "times"]
    show("99th percentile of GET /auth/verify, 2 connections", head, rows)


@contextlib.contextmanager
def logins(side):
    """Wrong passwords at default cost, sent without a pause by twice as many visitors as cores."""
    program = [sys.executable, "-m", "bench.visitors", side.url, str(2 * (os.cpu_count() or 1))]
    visitors = subprocess.Popen(program, cwd=HERE)
    try:
        time.sleep(1)
        yield
        assert visitors.poll() is None, "the visitors have gone"
    finally:
        visitors.terminate()
        visitors.wait()
