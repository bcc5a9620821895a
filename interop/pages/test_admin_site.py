"""The admin's own pages: by mouse, by keyboard alone, without scripts; how they look and what they weigh."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from pages import admin_walk as walk
from pages.test_flows import visitor  # noqa: F401 (a fixture)
from pages.test_looks import Album
from pages.window import Mouse, Window

LOOKS = {
    "plain": {},
    "phone": {"phone": True},
    "dark": {"dark": True},
    "without-scripts": {"scripts": False},
    "arabic": {"language": "ar"},
    "hebrew-phone-dark": {"language": "he", "phone": True, "dark": True},
}


def press(window, selector):
    """What a keyboard does with a control outside of the content."""
    window.one(selector).send_keys(Keys.ENTER)


def test_enter_look_around_and_leave(site, visitor):  # noqa: F811
    window, hands = visitor
    name, password, _ = site.user()
    walk.log_in(site, window, hands, name, password)
    assert window.one(".who [aria-hidden] bdi").text == name
    press(window, "main h2 a")
    window.until(lambda: window.path == "/admin/auth/", "the page of the application")
    press(window, ".account form button")
    window.until(lambda: window.path == "/admin/logout/", "logged out")
    assert not window.has(".account")
    window.open(site.url + walk.INDEX)
    assert window.path == walk.LOGIN


def test_a_wrong_password_and_then_the_right_one(site, visitor):  # noqa: F811
    window, hands = visitor
    name, password, _ = site.user()
    window.open(site.url + "/admin/auth/")
    hands.send(username=name, password="wrong")
    window.until(lambda: window.has("[role=alert] li"), "refused")
    assert window.path == walk.LOGIN
    assert not window.one("[name=password]").get_dom_attribute("value")
    hands.send(username=name, password=password)
    window.until(lambda: window.path == "/admin/auth/", "the page that was asked for")


def test_change_ones_own_password(site, visitor):  # noqa: F811
    window, hands = visitor
    name, old, _ = site.user()
    new = old + "-new"
    walk.log_in(site, window, hands, name, old)
    press(window, f".account a[href='{walk.PASSWORD}']")
    window.until(lambda: window.path == walk.PASSWORD, "the page for a new password")
    hands.send(old_password=old, new_password1=new, new_password2=new)
    window.until(lambda: window.path == walk.PASSWORD + "done/", "changed")
    window.open(site.url + walk.INDEX)
    assert window.path == walk.INDEX


def test_the_first_stop_of_the_tab_key_skips_to_the_content(site):
    name, password, _ = site.user()
    with Window() as window:
        walk.log_in(site, window, Mouse(window), name, password)
        window.one("body").send_keys(Keys.TAB)
        assert window.driver.switch_to.active_element.get_dom_attribute("class") == "skip"
        window.driver.switch_to.active_element.send_keys(Keys.ENTER)
        assert window.driver.switch_to.active_element.get_dom_attribute("id") == "content"


def test_colours_are_chosen_and_remembered(site):
    with Window(dark=True) as window:
        window.open(site.url + walk.LOGIN)
        page = lambda: window.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
        dark = page()
        window.one(".theme").click()
        light = page()
        assert light != dark
        window.open(site.url + walk.LOGIN)
        assert page() == light
        window.one(".theme").click()
        assert page() == dark


@pytest.mark.parametrize("look", LOOKS)
def test_every_page(site, look):
    options = LOOKS[look]
    with Window(**options) as window:
        if window.scripts:
            walk.listen(window)
        album = Album(f"admin-{look}", window, options.get("language", "en"))
        hands = Mouse(window)
        name, password, _ = site.user()

        def take(*arguments):
            album.take(*arguments)
            if window.scripts:
                walk.nothing_was_blocked(window)

        window.open(site.url + walk.INDEX)
        take("login", walk.LOGIN)
        hands.send(username=name, password="wrong")
        window.until(lambda: window.has("[role=alert] li"), "refused")
        take("login-refused")
        hands.send(username=name, password=password)
        take("index", walk.INDEX)
        window.open(site.url + "/admin/auth/")
        take("application")
        window.open(site.url + walk.PASSWORD)
        take("password")
        hands.send(old_password="wrong", new_password1="12", new_password2="123")
        window.until(lambda: window.has("[role=alert] li"), "refused")
        take("password-refused")
        window.driver.find_element(By.CSS_SELECTOR, ".account form button").click()
        take("logged-out", "/admin/logout/")


def test_pages_are_light(site):
    name, password, _ = site.user()
    with Window() as window:
        window.open(site.url + walk.LOGIN)
        assert walk.weight(window) <= 30_000
        walk.log_in(site, window, Mouse(window), name, password)
        assert walk.weight(window) <= 40_000
