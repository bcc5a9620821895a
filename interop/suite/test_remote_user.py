"""Users whom a server in front names in a header: one session, seen by both sides."""

import secrets

import pytest

from suite.browser import Browser
from suite.conftest import settings_for
from suite.sides import Django

REMOTE = "django.contrib.auth.backends.RemoteUserBackend"
MODEL = "django.contrib.auth.backends.ModelBackend"


class Pair:
    """A Django and a djauth that believe the same header."""

    def __init__(self, database, folder, theirs, **more):
        settings = settings_for(
            database, AUTHENTICATION_BACKENDS=[REMOTE, MODEL], REMOTE_USER_HEADER="HTTP_X_WHO",
            TRUSTED_PROXIES=["127.0.0.1"], **more,
        )
        self.sides = (Django(settings, folder), theirs(settings, folder))

    def __enter__(self):
        try:
            for side in self.sides:
                side.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for side in self.sides:
            side.stop()

    def orders(self):
        return (self.sides, self.sides[::-1])


@pytest.fixture(scope="module")
def pair(database, folder, in_place_of_djauth):
    with Pair(database, folder, in_place_of_djauth[0]) as pair:
        yield pair


@pytest.fixture(scope="module")
def persistent_pair(database, folder, in_place_of_djauth):
    with Pair(database, folder, in_place_of_djauth[0], REMOTE_USER_PERSISTENT=True) as pair:
        yield pair


def visit(side, browser, name=None):
    """Opens a page with the header; the name of whom the side then sees."""
    headers = {} if name is None else {"X-Who": name}
    if isinstance(side, Django):
        answer = browser.get(side, "/", headers=headers)
        assert answer.status == 200, answer
        return answer.json()["user"] or None
    assert browser.get(side, "/accounts/login/", headers=headers).status == 200
    return side.who(browser)


def fresh_name():
    return f"r{secrets.token_hex(4)}"


def test_a_session_that_one_began_goes_on_at_the_other(pair):
    for first, second in pair.orders():
        name, browser = fresh_name(), Browser()
        assert visit(first, browser, name) == name
        key = browser.cookies["sessionid"]
        assert visit(second, browser, name) == name
        assert visit(first, browser, name) == name
        assert browser.cookies["sessionid"] == key, "nobody logged in again"


def test_without_the_header_the_other_ends_it(pair):
    for first, second in pair.orders():
        name, browser, thief = fresh_name(), Browser(), Browser()
        assert visit(first, browser, name) == name
        thief.cookies = dict(browser.cookies)
        assert visit(second, browser) is None
        assert "sessionid" not in browser.cookies
        assert visit(first, thief) is None


def test_another_name_gets_a_session_of_its_own(pair):
    for first, second in pair.orders():
        one, other, browser = fresh_name(), fresh_name(), Browser()
        assert visit(first, browser, one) == one
        key = browser.cookies["sessionid"]
        assert visit(second, browser, other) == other
        assert browser.cookies["sessionid"] != key
        assert visit(first, browser, other) == other
        assert visit(first, browser, "") is None


def test_a_password_login_is_left_alone(pair):
    for first, second in pair.orders():
        name, password, browser = fresh_name(), "pw", Browser()
        pair.sides[0].do("create_user", username=name, password=password)
        assert browser.login(first, name, password).status == 302
        assert visit(second, browser) == name
        assert visit(first, browser) == name


def test_persistent_sessions_stay(persistent_pair):
    for first, second in persistent_pair.orders():
        name, other, browser = fresh_name(), fresh_name(), Browser()
        assert visit(first, browser, name) == name
        assert visit(second, browser) == name
        assert visit(first, browser) == name
        assert visit(second, browser, other) == other
