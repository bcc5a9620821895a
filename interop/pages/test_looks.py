"""Every page in every look: a picture, no finding of axe-core, nothing that overflows."""

import pytest

from pages import walk
from pages.site import Site
from pages.window import Mouse, Window

LOOKS = {
    "plain": {},
    "phone": {"phone": True},
    "dark": {"dark": True},
    "without-scripts": {"scripts": False},
    "arabic": {"language": "ar"},
    "arabic-phone-dark": {"language": "ar", "phone": True, "dark": True},
    "hebrew": {"language": "he"},
    "german-phone": {"language": "de", "phone": True},
    "french": {"language": "fr"},
    "spanish": {"language": "es"},
    "portuguese": {"language": "pt-BR"},
    "polish-phone": {"language": "pl", "phone": True},
    "japanese": {"language": "ja"},
}
RIGHT_TO_LEFT = ("ar", "he")


class Album:
    """Takes a picture of each page once it is as it must be."""

    def __init__(self, look, window, language):
        self.look, self.window, self.language = look, window, language
        self.count = 0

    def take(self, name, path=None):
        window = self.window
        if path:
            window.until(lambda: window.path == path, name)
        html = window.one("html")
        assert html.get_dom_attribute("lang") == self.language.lower()
        right_to_left = self.language in RIGHT_TO_LEFT
        assert html.get_dom_attribute("dir") == ("rtl" if right_to_left else "ltr")
        self.count += 1
        window.picture(f"{self.look}-{self.count:02}-{name}")
        if window.scripts:
            window.check()


@pytest.mark.parametrize("look", LOOKS)
def test_every_page(site, look):
    options = LOOKS[look]
    with Window(**options) as window:
        album = Album(look, window, options.get("language", "en"))
        name, password, email = site.user()
        hands = Mouse(window)
        password = logins(site, window, hands, album, name, password)
        resets(site, window, hands, album, email, password)
        errors(site, window, album)


def logins(site, window, hands, album, name, password):
    window.open(f"{site.url}{walk.LOGIN}?next={walk.PROFILE}")
    album.take("login")
    hands.send(username=name, password="wrong")
    walk.refused(window, walk.LOGIN)
    album.take("login-refused")
    hands.send(username=name, password=password)
    album.take("profile", walk.PROFILE)
    hands.follow(walk.CHANGE)
    album.take("change", walk.CHANGE)
    walk.change(window, hands, "wrong", "12", "123")
    walk.refused(window, walk.CHANGE)
    album.take("change-refused")
    walk.change(window, hands, password, password + "-new")
    album.take("changed", walk.CHANGE + "done/")
    window.open(site.url + walk.PROFILE)
    walk.log_out(window, hands)
    album.take("logged-out")
    window.open(site.url)
    album.take("welcome")
    return password + "-new"


def resets(site, window, hands, album, email, password):
    window.open(site.url + walk.RESET)
    album.take("reset", walk.RESET)
    walk.ask_for_mail(site, window, hands, email)
    album.take("reset-asked", walk.RESET + "done/")
    link = walk.link_in(site.mailbox.next(), site.url)
    window.open(link)
    album.take("reset-confirm")
    hands.send(new_password1=password + "-1", new_password2=password + "-2")
    walk.refused(window, window.path)
    album.take("reset-confirm-refused")
    hands.send(new_password1=password + "-1", new_password2=password + "-1")
    album.take("reset-complete", "/accounts/reset/done/")
    window.open(link)
    album.take("reset-link-used")


def errors(site, window, album):
    window.open(f"{site.url}/there/is/no/such/page")
    album.take("not-found")
    window.open(site.url + walk.LOGIN)
    window.driver.delete_all_cookies()
    Mouse(window).send(username="x", password="y")
    window.until(lambda: not window.has("form"), "refused")
    album.take("csrf")


@pytest.mark.parametrize("look", ["phone", "arabic"])
def test_too_many_attempts(tmp_path, look):
    options = LOOKS[look]
    site = Site(tmp_path, LOGIN_RATE_LIMIT_PER_USERNAME="2/m")
    try:
        site.start()
        with Window(**options) as window:
            for _ in range(2):
                window.open(site.url + walk.LOGIN)
                Mouse(window).send(username="x", password="y")
                walk.refused(window, walk.LOGIN)
            Mouse(window).send(username="x", password="y")
            window.until(lambda: not window.has("form"), "too many")
            Album(f"{look}-limit", window, options.get("language", "en")).take("too-many")
    finally:
        site.stop()
