"""Whole flows: by mouse, by keyboard alone, and without scripts."""

import contextlib

import pytest

from pages import walk
from pages.window import Keyboard, Mouse, Window

WAYS = {
    "mouse": (Mouse, {}),
    "keyboard": (Keyboard, {}),
    "keyboard-without-scripts": (Keyboard, {"scripts": False}),
    "mouse-without-scripts": (Mouse, {"scripts": False}),
}


@pytest.fixture(params=WAYS.values(), ids=WAYS.keys())
def visitor(request):
    """A window and the hands that use it."""
    hands, options = request.param
    with Window(**options) as window:
        yield window, hands(window)


@contextlib.contextmanager
def another():
    """Somebody's second browser."""
    with Window() as window:
        yield window, Mouse(window)


def test_log_in_and_out(site, visitor):
    window, hands = visitor
    name, password, _ = site.user()
    walk.log_in(site, window, hands, name, password)
    assert window.one("main strong").text == name
    walk.log_out(window, hands)
    window.open(site.url + walk.CHANGE)
    assert window.path == walk.LOGIN


def test_a_wrong_password_and_then_the_right_one(site, visitor):
    window, hands = visitor
    name, password, _ = site.user()
    window.open(f"{site.url}{walk.LOGIN}?next={walk.CHANGE}")
    hands.send(username=name, password="wrong")
    walk.refused(window, walk.LOGIN)
    assert window.one("[name=username]").get_dom_attribute("value") == name
    assert not window.one("[name=password]").get_dom_attribute("value")
    hands.send(username=name, password=password)
    window.until(lambda: window.path == walk.CHANGE, "the page that was asked for")


def test_change_the_password(site, visitor):
    window, hands = visitor
    name, old, _ = site.user()
    new = old + "-new"
    walk.log_in(site, window, hands, name, old)
    with another() as (second, mouse):
        walk.log_in(site, second, mouse, name, old)
        hands.follow(walk.CHANGE)
        window.until(lambda: window.path == walk.CHANGE, "the page for a new password")
        walk.change(window, hands, "not the old one", new)
        walk.refused(window, walk.CHANGE)
        assert window.one("#id_old_password").get_dom_attribute("aria-invalid") == "true"
        walk.change(window, hands, old, new)
        window.until(lambda: window.path == walk.CHANGE + "done/", "changed")
        # This browser stays logged in, the other one does not.
        window.open(site.url + walk.PROFILE)
        assert window.one("main strong").text == name
        second.open(site.url + walk.CHANGE)
        assert second.path == walk.LOGIN
        mouse.send(username=name, password=old)
        walk.refused(second, walk.LOGIN)


def test_reset_the_password_through_the_mail(site, visitor):
    window, hands = visitor
    name, old, email = site.user()
    walk.ask_for_mail(site, window, hands, email)
    message = site.mailbox.next()
    assert message["to"] == email and message["from"] == "site@example.com"
    link = walk.link_in(message, site.url)
    window.open(link)
    assert window.path.endswith("/set-password/"), "the token is out of the address"
    new = old + "-reset"
    hands.send(new_password1=new, new_password2="something else")
    walk.refused(window, window.path)
    hands.send(new_password1=new, new_password2=new)
    window.until(lambda: window.path == "/accounts/reset/done/", "set")
    walk.log_in(site, window, hands, name, new)
    with another() as (second, _):
        second.open(link)
        assert not second.has("[name=new_password1]"), "a link works once"


def test_an_address_without_an_account_looks_the_same(site, visitor):
    window, hands = visitor
    walk.ask_for_mail(site, window, hands, "nobody@example.com")
    page = window.one("main").text
    _, _, email = site.user()
    walk.ask_for_mail(site, window, hands, email)
    assert window.one("main").text == page
    # What comes next is for the one who exists: nothing was sent to the other.
    assert site.mailbox.next()["to"] == email
    assert site.mailbox.is_empty()
