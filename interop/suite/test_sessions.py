"""What a visitor sees who goes back and forth, with every session engine."""

import pytest

from suite.browser import Browser, token_in


def names(pair):
    return "→".join(type(side).__name__ for side in pair)


def test_login_on_one_side_is_a_login_on_the_other(house):
    for first, second in house.pairs():
        name, password = house.user()
        browser = Browser()
        assert browser.login(first, name, password).status == 302
        assert second.who(browser) == name, names((first, second))
        assert first.who(browser) == name
        assert first.who(Browser()) is None and second.who(Browser()) is None


def test_logout_on_one_side_is_seen_by_the_other_at_once(house, engine):
    for first, second in house.pairs():
        name, password = house.user()
        browser, thief = Browser(), Browser()
        browser.login(first, name, password)
        thief.cookies = dict(browser.cookies)
        assert second.who(browser) == name
        answer = browser.logout(second)
        assert answer.status == 200 and answer.cookie("sessionid").deletes, answer
        assert first.who(browser) is None, names((first, second))
        # Such a cookie holds the session itself: nothing can take it back, in Django neither.
        if engine != "signed_cookies":
            assert first.who(thief) is None and second.who(thief) is None


def test_a_new_password_ends_the_sessions_on_the_other_side(house):
    for first, second in house.pairs():
        name, password = house.user()
        browser = Browser()
        browser.login(first, name, password)
        assert second.who(browser) == name
        house.library.do("set_password", username=name, password="one")
        assert second.who(browser) is None, names((first, second))
        assert browser.login(first, name, "one").status == 302
        house.django.do("set_password", username=name, password="two")
        assert second.who(browser) is None, names((first, second))
        assert Browser().login(second, name, "one").status == 200
        assert browser.login(second, name, "two").status == 302
        assert first.who(browser) == name


def test_changing_ones_own_password_keeps_this_session_and_ends_the_others(house):
    for _, side in house.pairs()[::2]:
        name, password = house.user()
        own, other = Browser(), Browser()
        for browser in (own, other):
            browser.login(side, name, password)
        form = {"old_password": password, "new_password1": "rather new", "new_password2": "rather new"}
        answer = own.submit(house.django, "/accounts/password_change/", form)
        assert answer.status == 302, answer
        assert side.who(own) == name
        assert side.who(other) is None


VALUES = {
    "text": "Grüße, 世界 \"quoted\" \\ / 😀",
    "number": 3,
    "big": 2**40,
    "negative": -7,
    "fraction": 1.5,
    "truth": True,
    "nothing": [None, False],
    "list": [1, [2, {"three": "drei"}], []],
    "object": {"b": 1, "a": {"": "empty key"}},
    "long": "word " * 200,
}


def test_session_data_of_one_is_read_by_the_other(house):
    for first, second in ((house.django, house.library), (house.library, house.django)):
        browser = Browser()
        browser.send_json(first, "/session/", VALUES)
        assert browser.get(second, "/session/").json() == VALUES
        changes = {"text": "new", "number": None, "added": [1]}
        browser.send_json(second, "/session/", changes)
        expected = {k: v for k, v in VALUES.items() if k != "number"} | {"text": "new", "added": [1]}
        assert browser.get(first, "/session/").json() == expected
        assert browser.get(second, "/session/").json() == expected


def test_session_data_of_a_visitor_survives_the_login_on_the_other_side(house):
    for first, second in ((house.django, house.library), (house.library, house.djauth)):
        name, password = house.user()
        browser = Browser()
        browser.send_json(first, "/session/", {"cart": [1, 2]})
        before = browser.cookies["sessionid"]
        browser.login(second, name, password)
        assert browser.cookies["sessionid"] != before
        held = browser.get(first, "/session/").json()
        assert held["cart"] == [1, 2] and held["_auth_user_id"].isdigit()


def test_another_user_does_not_inherit_a_session(house):
    for first, second in house.pairs():
        (one, password_one), (two, password_two) = house.user(), house.user()
        browser = Browser()
        browser.send_json(house.django, "/session/", {"secret": 1})
        browser.login(first, one, password_one)
        browser.login(second, two, password_two)
        assert first.who(browser) == two
        assert "secret" not in browser.get(house.library, "/session/").json()


def test_forms_of_one_side_may_be_sent_to_the_other(house):
    for first, second in house.pairs():
        name, password = house.user()
        browser = Browser()
        page = browser.get(first, "/accounts/login/")
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token_in(page)}
        secret = browser.cookies["csrftoken"]
        answer = browser.post(second, "/accounts/login/", form)
        assert answer.status == 302, answer
        assert answer.cookie("csrftoken").value != secret, "login must rotate the secret"
        # The old pair is worth nothing now, the new cookie is accepted by both.
        assert browser.post(first, "/accounts/login/", form).status == 403
        assert browser.logout(first).status == 200


@pytest.mark.parametrize("forged", ["", "x", "x" * 32, "é", "a;b", "." * 5000, "../../etc/passwd"])
def test_cookies_that_nobody_made_are_nobody(house, forged):
    for side in house.sides:
        for name in ("sessionid", "csrftoken"):
            browser = Browser()
            header = {"Cookie": f"{name}={forged}".encode()}
            answer = browser.get(side, "/accounts/login/", headers=header)
            assert answer.status == 200, f"{type(side).__name__} {name}={forged[:20]!r}: {answer}"
        assert side.who(Browser()) is None


def test_a_new_secret_key_is_followed_by_both_sides(house):
    """Django first, then djauth, then the other way round; nobody is logged out on the way."""
    old, new = house.django.settings["SECRET_KEY"], "rotated-" + "n" * 42
    for first, second in ((house.django, house.djauth), (house.djauth, house.django)):
        name, password = house.user()
        kept, forgotten = Browser(), Browser()
        for browser in (kept, forgotten):
            browser.login(first, name, password)
        try:
            first.restart(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[old])
            second.restart(SECRET_KEY=old, SECRET_KEY_FALLBACKS=[new])
            assert second.who(kept) == name
            # A page (not verify, which only reads) gives the session a new key and a hash by the
            # side's own first secret; so the last word must be the new secret's.
            for side in (first, second, first):
                answer = kept.get(side, "/")
                assert answer.status == 200 and answer.cookie("sessionid"), answer.headers
            second.restart(SECRET_KEY=new, SECRET_KEY_FALLBACKS=[])
            assert second.who(kept) == name
            assert second.who(forgotten) is None
        finally:
            for side in (first, second):
                side.restart(SECRET_KEY=old, SECRET_KEY_FALLBACKS=[])
