"""Every page of lists and forms in every look, with names that mean harm; what the pages weigh."""

import pytest
from selenium.webdriver.common.keys import Keys

from pages import admin_walk as walk
from pages.admin_data import HOSTILE
from pages.admin_pages import fill
from pages.site import Site
from pages.test_looks import Album
from pages.window import WIDE, ZOOMED, Keyboard, Mouse, Window, screenshots

LOOKS = {
    "plain": {},
    "wide-dark": {"screen": WIDE, "dark": True},
    "zoomed": {"screen": ZOOMED},
    "phone": {"phone": True},
    "phone-without-scripts": {"phone": True, "scripts": False},
    "arabic-wide": {"language": "ar", "screen": WIDE},
    "hebrew-phone-dark": {"language": "he", "phone": True, "dark": True},
}
#: Bytes of page, style sheet and script together, uncompressed.
LIMITS = {"login": 30_000, "index": 40_000, "users": 80_000, "user-change": 75_000}
LIMIT = 100_000


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("looks"))
    try:
        yield fill(site.start())
    finally:
        site.stop()


@pytest.mark.parametrize("look", LOOKS)
def test_every_page(pages, look):
    options = LOOKS[look]
    with Window(**options) as window:
        if window.scripts:
            walk.listen(window)
        album = Album(f"admin-pages-{look}", window, options.get("language", "en"))
        hands = Mouse(window)
        walk.log_in(pages.site, window, hands, pages.boss.name, pages.boss.password)
        for name, path in pages.paths.items():
            take(album, pages, name, path)
        refused(album, pages)
        confirm(album, pages)


def take(album, pages, name, path=None):
    if path:
        album.window.open(pages.site.url + path)
    album.take(name)
    if album.window.scripts:
        walk.nothing_was_blocked(album.window)


def refused(album, pages):
    """A form that comes back with what is wrong."""
    window, hands = album.window, Mouse(album.window)
    window.open(pages.site.url + pages.paths["user-change"])
    hands.type("#id_email", "no address")
    walk.save(window, hands)
    window.until(lambda: window.has("[role=alert] li"), "refused")
    take(album, pages, "user-change-refused")


def confirm(album, pages):
    """The page between the choice of several and their end, and the message if there are none."""
    window, hands = album.window, Mouse(album.window)
    window.open(pages.site.url + pages.paths["users-found"])
    hands.click(".actions button")
    window.until(lambda: window.has(".messages .message"), "told to choose")
    take(album, pages, "users-message")
    walk.tick_rows(window, hands, 2)
    window.all("#action option")[1].click()
    hands.click(".actions button")
    window.until(lambda: window.has("[name=post]"), "asked whether to")
    take(album, pages, "users-delete")


def test_who_may_only_look(pages):
    with Window() as window:
        walk.listen(window)
        album = Album("admin-pages-viewer", window, "en")
        walk.log_in(pages.site, window, Mouse(window), pages.viewer.name, pages.viewer.password)
        for name in ("index", "users-found", "user-change", "user-history", "group-change"):
            take(album, pages, name, pages.paths[name])


#: Texts that hold the name, and are not apart from what surrounds them.
LOOSE = """
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const loose = [];
while (walker.nextNode()) {
  const text = walker.currentNode;
  if (text.textContent.includes(arguments[0]) && !text.parentElement.closest("bdi, [dir=auto], option")) loose.push(text.parentElement.outerHTML);
}
return loose;
"""


@pytest.mark.parametrize("kind", HOSTILE)
def test_names_that_mean_harm(pages, kind):
    """They are text wherever they stand, and turn nothing round but themselves."""
    person, name = pages.hostile[kind], HOSTILE[kind]
    own, group = f"{walk.USERS}{person.id}/", f"{walk.GROUPS}{pages.harm[kind]}/change/"
    with Window() as window:
        walk.listen(window)
        hands = Mouse(window)
        walk.log_in(pages.site, window, hands, pages.boss.name, pages.boss.password)
        for path in (pages.paths["users-harm"], *(f"{own}{page}/" for page in ("change", "password", "delete", "history"))):
            window.open(pages.site.url + path)
            harmless(window, name)
        window.open(pages.site.url + group)
        walk.save(window, hands)
        walk.arrive(window, walk.GROUPS, "saved")
        assert name in window.one(".messages .message").get_property("textContent")
        harmless(window, name)
        window.open(pages.site.url + walk.INDEX)
        harmless(window, name)
        hands.click(".recent li:first-child a")
        walk.arrive(window, group, "the page of the group")
        assert window.one("#id_name").get_property("value") == name


def harmless(window, name):
    walk.nothing_was_blocked(window)
    assert not window.has("main img, main script")
    assert window.driver.execute_script(LOOSE, name) == []
    assert name in window.one("body").get_property("textContent"), window.path
    window.check()


def test_the_focus_can_be_seen_everywhere(pages):
    """At every stop of the Tab key there is a ring around what has the focus."""
    with Window() as window:
        hands = Keyboard(window)
        walk.log_in(pages.site, window, hands, pages.boss.name, pages.boss.password)
        for name in ("users-found", "user-change", "user-delete"):
            window.open(pages.site.url + pages.paths[name])
            for _ in range(60):
                hands.press(Keys.TAB)
                ring = "const e = document.activeElement, s = getComputedStyle(e); return [e.outerHTML.slice(0, 99), s.outlineStyle, parseFloat(s.outlineWidth)]"
                what, style, width = window.driver.execute_script(ring)
                assert what.startswith("<body") or (style != "none" and width >= 2), what


def test_pages_are_light(pages):
    with Window() as window:
        window.open(pages.site.url + walk.LOGIN)
        weights = {"login": walk.weight(window)}
        walk.log_in(pages.site, window, Mouse(window), pages.boss.name, pages.boss.password)
        for name, path in {"users": walk.USERS, **pages.paths}.items():
            window.open(pages.site.url + path)
            if name == "users":
                assert len(walk.names(window)) == 100
            if name == "user-change":
                assert len(window.labels("#id_user_permissions")) >= 400
            weights[name] = walk.weight(window)
    table = "\n".join(f"| {name} | {weight / 1000:.1f} |" for name, weight in weights.items())
    table = f"| page with style sheet and script | kB |\n|---|---|\n{table}\n"
    (screenshots() / "admin-weights.md").write_text(table)
    print(table)
    heavy = {name: weight for name, weight in weights.items() if weight > LIMITS.get(name, LIMIT)}
    assert not heavy, heavy
