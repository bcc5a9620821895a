"""The program, as an operator runs it, with one user and a mail server."""

import json
import os
import secrets
from email import policy
from email.parser import BytesParser
from pathlib import Path
from queue import Empty, Queue

from aiosmtpd.controller import Controller

from suite.sides import PATIENCE, Side, free_port


#: The tests log in and ask for mail far more often than people do.
LIMITS_OFF = {
    "LOGIN_RATE_LIMIT_PER_NETWORK": "",
    "LOGIN_RATE_LIMIT_PER_USERNAME": "",
    "EMAIL_RATE_LIMIT_PER_ADDRESS": "",
    "EMAIL_RATE_LIMIT_PER_NETWORK": "",
}


class Mailbox:
    """A mail server that keeps what it is given."""

    def __init__(self):
        self.messages = Queue()
        self.port = free_port()
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, _server, _session, envelope):
        self.messages.put(BytesParser(policy=policy.default).parsebytes(envelope.content))
        return "250 kept"

    def start(self):
        self.controller.start()
        return self

    def stop(self):
        self.controller.stop()

    def next(self):
        return self.messages.get(timeout=PATIENCE)

    def is_empty(self):
        try:
            self.messages.get_nowait()
        except Empty:
            return True
        return False


class Site(Side):
    """`djauth runserver` on a database of its own."""

    def __init__(self, folder, **settings):
        self.mailbox = Mailbox().start()
        super().__init__(
            {
                "SECRET_KEY": "pages-" + "k" * 44,
                "DATABASE_URL": f"sqlite://{folder}/pages.sqlite3",
                "ALLOWED_HOSTS": ["127.0.0.1"],
                "EMAIL_HOST": "127.0.0.1",
                "EMAIL_PORT": str(self.mailbox.port),
                "DEFAULT_FROM_EMAIL": "site@example.com",
                **LIMITS_OFF,
                **settings,
            },
            folder,
        )

    def costs(self):
        return {"PASSWORD_HASHER_PARAMETERS": json.dumps({"pbkdf2_sha256": {"iterations": 1000}})}

    def command(self, port):
        return [*self.manage(), "runserver", f"127.0.0.1:{port}"]

    def manage(self):
        path = Path(os.environ["DJAUTH_PROGRAMS"], "djauth")
        assert path.exists(), "djauth is not built: run this by `cargo xtask browser`"
        return [str(path)]

    def start(self):
        self.run("migrate")
        return super().start()

    def stop(self):
        super().stop()
        self.mailbox.stop()

    def user(self):
        """A user with a fresh name: the name, the password and the address."""
        name, password = f"u{secrets.token_hex(4)}", f"pw-{secrets.token_hex(6)}"
        email = f"{name}@example.com"
        self.run(
            "createsuperuser", "--noinput", "--username", name, "--email", email,
            DJANGO_SUPERUSER_PASSWORD=password,
        )
        return name, password, email
