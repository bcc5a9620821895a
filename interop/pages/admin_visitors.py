"""Who tries the admin: one window for each way to use it, emptied between two tests."""

import pytest

from pages import admin_walk as walk
from pages.test_flows import WAYS
from pages.window import Mouse, Window


def emptied(window):
    """As if nobody had been here; what the policy of a page forbids is heard of."""
    window.driver.delete_all_cookies()
    window.open("about:blank")
    return window


def listening(**options):
    window = Window(**options)
    if window.scripts:
        walk.listen(window)
    return window


@pytest.fixture(scope="session", params=WAYS.values(), ids=WAYS.keys())
def way(request):
    hands, options = request.param
    with listening(**options) as window:
        yield window, hands(window)


@pytest.fixture(scope="session")
def beside():
    """A second browser, with a mouse."""
    with listening() as window:
        yield window


@pytest.fixture
def visitor(way):
    """A window and the hands that use it."""
    window, hands = way
    yield emptied(window), hands
    if window.scripts:
        walk.nothing_was_blocked(window)


@pytest.fixture
def window(beside):
    """A window for who comes only once."""
    yield emptied(beside)
    walk.nothing_was_blocked(beside)


@pytest.fixture
def second(beside):
    """Somebody else, at the same time."""
    return emptied(beside), Mouse(beside)
