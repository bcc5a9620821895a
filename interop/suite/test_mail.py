"""Mail of djauth to a real SMTP server, with and without TLS and login."""

import socket
import ssl
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from suite.sides import Djauth, free_port

CERTIFICATES = Path(__file__).resolve().parents[2] / "crates/djauth-db/tests/data"
AUTHORITY = CERTIFICATES / "tls-authority.crt"
LOGIN = {"EMAIL_HOST_USER": "ann", "EMAIL_HOST_PASSWORD": "hunter2 \u00fc"}


class Mailbox:
    def __init__(self):
        self.messages = []

    async def handle_DATA(self, server, session, envelope):
        self.messages.append(envelope)
        return "250 taken"


def judge(server, session, envelope, mechanism, login):
    good = (login.login, login.password) == (b"ann", LOGIN["EMAIL_HOST_PASSWORD"].encode())
    return AuthResult(success=good, handled=False)


class Tls(Controller):
    """TLS from the first byte; the waiting for the start is done in TLS too."""

    def _trigger_server(self):
        context = ssl.create_default_context(cafile=AUTHORITY)
        with socket.create_connection(("localhost", self.port), 5) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secure:
                secure.recv(1024)


@pytest.fixture
def certificate():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "tls-server.crt", CERTIFICATES / "tls-server.key")
    return context


def start(kind, certificate):
    """A server that runs, and the settings that lead to it."""
    common = {"hostname": "127.0.0.1", "port": free_port()}
    login = {"authenticator": judge, "auth_required": True}
    if kind == "plain":
        controller, settings = Controller(Mailbox(), **common), {}
    elif kind == "starttls":
        controller = Controller(Mailbox(), tls_context=certificate, require_starttls=True, **login, **common)
        settings = {"EMAIL_USE_TLS": "true", **LOGIN}
    else:
        # It does not know that it speaks TLS, and would not let anybody log in.
        controller = Tls(Mailbox(), ssl_context=certificate, auth_require_tls=False, **login, **common)
        settings = {"EMAIL_USE_SSL": "true", **LOGIN}
    controller.start()
    return controller, settings | {"EMAIL_HOST": "localhost", "EMAIL_PORT": str(controller.port)}


@pytest.fixture(params=["plain", "starttls", "tls"])
def server(request, certificate):
    controller, settings = start(request.param, certificate)
    yield controller, settings
    controller.stop()


@pytest.fixture(params=["starttls", "tls"])
def secure_server(request, certificate):
    controller, settings = start(request.param, certificate)
    yield controller, settings
    controller.stop()


def run(settings, folder, *arguments, check=True):
    common = {"SECRET_KEY": "k" * 50, "EMAIL_SSL_CAFILE": str(AUTHORITY)}
    return Djauth(common | settings, folder).run(*arguments, check=check)


def test_a_message_arrives(server, folder):
    controller, settings = server
    sender = {"DEFAULT_FROM_EMAIL": "B\u00fccher <site@example.com>"}
    run(settings | sender, folder, "sendtestemail", "alice@example.com", "bob@b\u00fccher.example")
    [envelope] = controller.handler.messages
    assert envelope.mail_from == "site@example.com"
    assert envelope.rcpt_tos == ["alice@example.com", "bob@xn--bcher-kva.example"]
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert not message.defects and not any(header.defects for header in message.values())
    assert message["From"] == "B\u00fccher <site@example.com>"
    assert message["Date"].datetime and "@" in message["Message-ID"]
    assert message.get_content_type() == "text/plain"


def test_a_wrong_password_sends_nothing(secure_server, folder):
    controller, settings = secure_server
    wrong = settings | {"EMAIL_HOST_PASSWORD": "wrong"}
    done = run(wrong, folder, "sendtestemail", "alice@example.com", check=False)
    assert done.returncode == 1 and "535" in done.stderr, done
    assert controller.handler.messages == []


def test_a_server_that_nobody_vouches_for_gets_nothing(secure_server, folder):
    controller, settings = secure_server
    alone = settings | {"EMAIL_SSL_CAFILE": ""}
    done = run(alone, folder, "sendtestemail", "alice@example.com", check=False)
    assert done.returncode == 1 and "clear text" in done.stderr, done
    assert controller.handler.messages == []
