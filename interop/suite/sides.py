"""The two servers of a test: a Django project, and djauth."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import unquote
from urllib.request import urlopen

from suite import nursery
from suite.browser import Browser

HERE = Path(__file__).resolve().parent.parent
PATIENCE = 60
#: For tests that are not about costs: PBKDF2 that takes less than a millisecond.
CHEAP = 1000


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Side:
    """A server process with its settings, which are environment variables under Django's names."""

    def __init__(self, settings, folder):
        self.settings = dict(settings)
        self.folder = folder
        self.process = None
        self.url = None

    def environment(self):
        kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "TMPDIR") if k in os.environ}
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in self.settings.items()}
        return {**kept, "PYTHONDONTWRITEBYTECODE": "1", **texts, **self.costs()}

    def start(self):
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.log = self.folder / f"{type(self).__name__.lower()}-{port}.log"
        self.process = self.begin(self.command(port))
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"{type(self).__name__} did not start:\n{self.log_text()}")
            time.sleep(0.05)
        return self

    def begin(self, command):
        with open(self.log, "wb") as log:
            return subprocess.Popen(
                command, env=self.environment(), stdout=log, stderr=log, cwd=self.folder
            )

    def complete(self, command, environment):
        return subprocess.run(
            command, env=environment, cwd=self.folder, capture_output=True, text=True,
            stdin=subprocess.DEVNULL, timeout=PATIENCE,
        )

    def answers(self):
        try:
            with urlopen(f"{self.url}/accounts/login/", timeout=5):
                return True
        except HTTPError:
            return True
        except OSError:
            return False

    def stop(self):
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def restart(self, **settings):
        self.stop()
        self.settings.update(settings)
        return self.start()

    def log_text(self):
        return self.log.read_text(errors="replace")[-3000:]

    def run(self, *arguments, check=True, **settings):
        """A management command; its exit code and what it said."""
        done = self.complete([*self.manage(), *arguments], self.environment() | settings)
        if check:
            assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def do(self, command, **arguments):
        """A call of the library behind the pages (only sides that serve `/_do`)."""
        answer = Browser().send_json(self, "/_do", {"command": command, **arguments})
        assert answer.status == 200, f"{command} {arguments}: {answer}"
        return answer.json()

    def who(self, browser):
        """The name of whom this side sees, None for nobody."""
        answer = browser.get(self, "/")
        assert answer.status == 200, answer
        return answer.json()["user"] or None


class Django(Side):
    """The project in `project/` under gunicorn, with the Django of this interpreter."""

    def environment(self):
        # A connection for each request would be most of the work of some tests.
        return {"CONN_MAX_AGE": "600", **super().environment()}

    def begin(self, command):
        return nursery.Program(command[1:], self.environment(), self.folder, self.log, self.log)

    def complete(self, command, environment):
        return nursery.run(command[1:], environment, self.folder, PATIENCE)

    def costs(self):
        cheap = self.settings.get("CHEAP_ITERATIONS")
        return {"CHEAP_ITERATIONS": str(cheap)} if cheap else {}

    def command(self, port):
        return [
            sys.executable, "-m", "gunicorn", "--chdir", str(HERE / "project"), "--threads", "4",
            "--bind", f"127.0.0.1:{port}", "--log-level", "warning", "house.wsgi",
        ]

    def manage(self):
        return [sys.executable, str(HERE / "project/manage.py")]


class Rust(Side):
    """One of our programs; costs are settings there, not classes."""

    def environment(self):
        environment = super().environment()
        environment.pop("CHEAP_ITERATIONS", None)
        return environment

    def costs(self):
        import django

        preset = "%d.%d" % django.VERSION[:2]
        cheap = self.settings.get("CHEAP_ITERATIONS")
        parameters = {"preset": preset}
        if cheap:
            parameters["pbkdf2_sha256"] = {"iterations": cheap}
        return {"PASSWORD_HASHER_PARAMETERS": json.dumps(parameters)}

    def program(self, name):
        path = Path(os.environ["DJAUTH_PROGRAMS"], name)
        assert path.exists(), f"{name} is not built: run this by `cargo xtask interop`"
        return str(path)


class Djauth(Rust):
    """The binary, as an operator runs it."""

    def command(self, port):
        return [self.program("djauth"), "runserver", f"127.0.0.1:{port}"]

    def manage(self):
        return [self.program("djauth")]

    def who(self, browser):
        before = dict(browser.cookies)
        answer = browser.get(self, "/auth/verify")
        assert browser.cookies == before, "verify only reads"
        assert answer.header("cache-control") == "no-store", answer.headers
        if answer.status == 401:
            return None
        assert answer.status == 200, answer
        return unquote(answer.header("x-remote-user"))

    def may(self, browser, *permissions):
        query = "&".join(f"perm={name}" for name in permissions)
        answer = browser.get(self, f"/auth/verify?{query}")
        assert answer.status in (200, 403), answer
        return answer.status == 200


class Library(Rust):
    """The crates inside an application of our own: the Rust twin of the Django project."""

    def command(self, port):
        return [self.program("interop-app"), f"127.0.0.1:{port}"]
