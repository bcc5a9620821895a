"""A slow transaction of Django's delays nobody else: neither by its own locks nor by djauth's triggers."""

import secrets
import threading

import pytest

from suite.browser import Browser
from suite.conftest import settings_for
from suite.sides import PATIENCE, Django, Djauth


class Held:
    """A transaction of Django's that has changed a user and a group, and is not yet committed."""

    def __init__(self, django, folder, **arguments):
        self.begun, self.end = (folder / f"{secrets.token_hex(4)}-{name}" for name in ("begun", "end"))
        arguments |= {"begun": str(self.begun), "end": str(self.end)}
        self.error = None
        self.thread = threading.Thread(target=self.run, args=(django, arguments), daemon=True)

    def run(self, django, arguments):
        try:
            django.do("hold", **arguments)
        except BaseException as error:
            self.error = error

    def __enter__(self):
        self.thread.start()
        waited = threading.Event()
        for _ in range(100 * PATIENCE):
            if self.begun.exists() or not self.thread.is_alive():
                break
            waited.wait(0.01)
        assert self.begun.exists(), self.error
        return self

    def is_open(self):
        return self.thread.is_alive()

    def __exit__(self, *_):
        self.end.touch()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive() and self.error is None, self.error


@pytest.fixture
def sides(database, folder):
    settings = settings_for(database)
    sides = Django(settings, folder), Djauth(settings, folder)
    try:
        sides[1].run("cache", "install")
        for side in sides:
            side.start()
        yield sides
    finally:
        for side in sides:
            side.stop()


# Not SQLite: there one transaction at a time writes, by SQLite's own rule, and whoever logs in waits.
@pytest.mark.servers
def test_a_slow_transaction_delays_nobody_elses_login(sides, folder):
    django, djauth = sides
    names = [f"u{secrets.token_hex(4)}" for _ in range(8)]
    group, other_group = (f"g{secrets.token_hex(4)}" for _ in range(2))
    for name in names:
        django.do("create_user", username=name, password="right")
    for name in (group, other_group):
        django.do("create_group", name=name)
    held, *others = names
    permission = "reports.publish_report"
    before = Browser()
    before.login(djauth, held, "right")
    assert not djauth.may(before, permission)
    with Held(django, folder, username=held, group=group, permission=permission) as transaction:
        for number, name in enumerate(others):
            browser = Browser()
            assert browser.login(sides[number % 2], name, "right").status == 302, name
            assert {side.who(browser) for side in sides} == {name}
            # The same tables, other rows.
            django.do("join", username=name, group=other_group)
            assert not djauth.may(browser, permission)
        django.do("grant_group", name=other_group, permission=permission)
        assert djauth.may(browser, permission)
        django.do("set_password", username=others[0], password="new")
        assert Browser().login(djauth, others[0], "new").status == 302
        # What is not committed is not so.
        assert not djauth.may(before, permission)
        assert transaction.is_open(), "somebody waited for the transaction until it gave up"
    assert djauth.may(before, permission)


def test_triggers_that_are_not_there_are_told(sides, database, kind):
    _, djauth = sides
    if kind == "sqlite":
        assert djauth.run("cache", "status").returncode == 0
        return
    assert djauth.run("cache", "status").returncode == 0
    if kind == "postgres":
        database.execute("ALTER TABLE auth_user DISABLE TRIGGER USER")
    else:
        (trigger, *_) = database.query(
            "SELECT trigger_name AS name FROM information_schema.triggers"
            " WHERE trigger_schema = DATABASE() AND event_object_table = 'auth_user' AND LEFT(trigger_name, 6) = 'djauth'"
        )
        database.execute(f"DROP TRIGGER {trigger['name']}")
    told = djauth.run("cache", "status", check=False)
    assert told.returncode == 1 and "auth_user" in told.stdout + told.stderr, told
    djauth.run("cache", "install")
    assert djauth.run("cache", "status").returncode == 0
    djauth.run("cache", "remove")
    assert djauth.run("cache", "status", check=False).returncode == 1
    djauth.run("cache", "install")
