"""Where users are logged in: staff end the sessions of others, and everybody their own."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from pages import admin_walk as walk
from pages.test_admin_site import LOOKS
from pages.test_flows import another, visitor  # noqa: F401 (a fixture)
from pages.test_looks import Album
from pages.window import Mouse, Window

OWN = "/accounts/sessions/"
CHANGE = "/accounts/password_change/"


def enter(site, window, hands, name, password, to=CHANGE):
    window.open(f"{site.url}/accounts/login/?next={to}")
    hands.send(username=name, password=password)
    window.until(lambda: window.path == to, "logged in")


def is_in(site, window):
    window.open(site.url + CHANGE)
    return window.path == CHANGE


def press(button):
    """What a keyboard does with a button."""
    button.send_keys(Keys.ENTER)


def of_others(window, row):
    """The buttons that end sessions other than this one."""
    rows = window.all(row)
    others = [one for one in rows if not one.find_elements(By.TAG_NAME, "strong")]
    return [one.find_element(By.CSS_SELECTOR, "button[name=end]") for one in others]


def test_ending_ones_own_session_elsewhere(site, visitor):  # noqa: F811
    window, hands = visitor
    name, password, _ = site.user()
    enter(site, window, hands, name, password)
    with another() as (other, others_hands):
        enter(site, other, others_hands, name, password)
        window.open(site.url + "/accounts/profile/")
        press(window.one(f"a[href='{OWN}']"))
        window.until(lambda: window.path == OWN, "the page of the sessions")
        assert len(window.all(".sessions li")) == 2
        (end,) = of_others(window, ".sessions li")
        press(end)
        window.until(lambda: window.has("[role=status]"), "it is said")
        assert len(window.all(".sessions li")) == 1
        assert not is_in(site, other)
    assert is_in(site, window)


def test_staff_end_all_sessions_of_a_user(site, visitor):  # noqa: F811
    window, hands = visitor
    name, password, _ = site.user()
    admin, secret, _ = site.user()
    with another() as (other, others_hands):
        enter(site, other, others_hands, name, password)
        walk.log_in(site, window, hands, admin, secret)
        window.open(f"{site.url}/admin/auth/user/?q={name}")
        press(window.one("tbody th a, tbody td a"))
        window.until(lambda: window.has(".tools a[href$='/sessions/']"), "the page of the user")
        press(window.one(".tools a[href$='/sessions/']"))
        window.until(lambda: window.path.endswith("/sessions/"), "the page of the sessions")
        assert "Linux" in window.one("tbody").text
        press(window.one("button[name=end_all]"))
        window.until(lambda: window.has(".message.success"), "it is said")
        assert not window.has("tbody")
        assert not is_in(site, other)


@pytest.mark.parametrize("look", LOOKS)
def test_looks(site, look):
    options = LOOKS[look]
    name, password, _ = site.user()
    with another() as (other, others_hands), Window(**options) as window:
        enter(site, other, others_hands, name, password)
        if window.scripts:
            walk.listen(window)
        album = Album(f"sessions-{look}", window, options.get("language", "en"))
        hands = Mouse(window)
        walk.log_in(site, window, hands, name, password)
        window.open(site.url + OWN)
        album.take("own", OWN)
        window.open(f"{site.url}/admin/auth/user/?q={name}")
        link = window.one("tbody th a, tbody td a").get_dom_attribute("href")
        path = link.partition("?")[0].replace("/change/", "/sessions/")
        window.open(site.url + path)
        album.take("of-a-user", path)
        if window.scripts:
            walk.nothing_was_blocked(window)
            assert walk.weight(window) <= 100_000
