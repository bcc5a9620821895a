"""The admin's lists: find, filter, sort, page, open and come back, delete several; each way of using them."""

import pytest

from pages import admin_walk as walk
from pages.admin_data import Data, fresh
from pages.admin_visitors import beside, visitor, way, window  # noqa: F401 (fixtures)
from pages.window import Mouse


@pytest.fixture
def data(site):
    return Data(site)


@pytest.fixture
def people(data):
    """A hundred and three whose names nobody else's begin like."""
    prefix = fresh("p")
    for number, last in ((40, "Smith"), (60, "Jones")):
        names = [f"{prefix}-{last.lower()}{i:02}" for i in range(number)]
        data.users(names, last_name=last)
    data.users([f"{prefix}-smith{i}" for i in range(90, 93)], last_name="Smith", is_staff=1)
    return prefix


def test_find_filter_sort_open_and_come_back(site, data, people, visitor):  # noqa: F811
    window, hands = visitor
    boss = data.superuser()
    walk.log_in(site, window, hands, boss.name, boss.password)
    walk.open_list(window, hands)
    walk.search(window, hands, f"{people} smith")
    assert len(walk.names(window)) == 43
    assert window.one(".count").text.startswith("43 users")
    walk.filter_by(window, hands, "is_staff__exact=1")
    staff = [f"{people}-smith{i}" for i in range(90, 93)]
    assert walk.names(window) == staff
    sort(window, hands)
    open_and_save(window, hands, data, staff)
    hands.click(".filters .tools a:last-child")
    window.until(lambda: "is_staff" not in walk.query(window), "every filter is gone")
    assert len(walk.names(window)) == 43, "but not the search"


def sort(window, hands):
    """By the address downwards, then by the name alone."""
    for direction in ("ascending", "descending"):
        hands.click("thead th:nth-child(3) > a")
        window.until(lambda: window.has(f"th:nth-child(3)[aria-sort={direction}]"), direction)
    addresses = [cell.text for cell in window.all("#result_list tbody td:nth-child(3)")]
    assert addresses == sorted(addresses, reverse=True)
    hands.click("th:nth-child(3) .off")
    window.until(lambda: not window.has("th:nth-child(3)[aria-sort]"), "sorted by something else")


def open_and_save(window, hands, data, names):
    """The list is as it was after a user was changed."""
    before = walk.query(window)
    assert "q=" in before and "is_staff__exact=1" in before and "o=" in before
    hands.click("#result_list tbody tr:first-child th a")
    window.until(lambda: window.path.endswith("/change/"), "the page of the user")
    hands.type("#id_first_name", "Ann")
    walk.save(window, hands)
    walk.arrive(window, walk.USERS, "the list")
    assert names[0] in walk.said(window, "success")
    assert walk.query(window) == before
    assert walk.names(window) == names
    assert data.user(names[0])["first_name"] == "Ann"


def test_page_through(site, data, people, visitor):  # noqa: F811
    window, hands = visitor
    boss = data.superuser()
    walk.log_in(site, window, hands, boss.name, boss.password, walk.USERS)
    walk.search(window, hands, people)
    assert len(walk.names(window)) == 100
    hands.click(".pages a[rel=next]")
    window.until(lambda: "p=2" in walk.query(window), "the second page")
    assert len(walk.names(window)) == 3
    hands.click(".pages a[rel=prev]")
    window.until(lambda: len(walk.names(window)) == 100, "the first page")


def test_delete_several(site, data, visitor):  # noqa: F811
    window, hands = visitor
    boss, prefix = data.superuser(), fresh("d")
    data.users([f"{prefix}-{i}" for i in range(5)])
    walk.log_in(site, window, hands, boss.name, boss.password, walk.USERS)
    walk.search(window, hands, prefix)
    walk.act(window, hands)
    assert walk.said(window, "warning")
    assert "q=" in walk.query(window)
    chosen = walk.tick_rows(window, hands, 2)
    walk.act(window, hands)
    window.until(lambda: window.has("[name=post]"), "asked whether to")
    assert [name.text for name in window.all("main .plain a")] == [f"{prefix}-0", f"{prefix}-1"]
    hands.click("main a.button")
    window.until(lambda: window.has("#result_list"), "back")
    assert len(walk.names(window)) == 5, "nobody is deleted yet"
    assert walk.tick_rows(window, hands, 2) == chosen
    walk.act(window, hands)
    window.until(lambda: window.has("[name=post]"), "asked whether to")
    hands.click("main button.danger")
    assert "2" in walk.said(window, "success")
    assert walk.names(window) == [f"{prefix}-{i}" for i in range(2, 5)]


def test_delete_all_that_were_found(site, data, people, visitor):  # noqa: F811
    window, hands = visitor
    boss = data.superuser()
    walk.log_in(site, window, hands, boss.name, boss.password, walk.USERS)
    walk.search(window, hands, people)
    if window.scripts:
        assert not window.one(".across").is_displayed(), "not before all of the page are ticked"
        hands.tick("thead input")
        assert window.one("[data-selected]").text.endswith("100")
    else:
        walk.tick_rows(window, hands, 1)
    hands.tick("[name=select_across]")
    walk.act(window, hands)
    window.until(lambda: window.has("[name=post]"), "asked whether to")
    assert "103 users" in window.one("main .card").text
    hands.click("main button.danger")
    assert "103 users" in walk.said(window, "success")
    assert data.one("SELECT COUNT(*) FROM auth_user WHERE username LIKE ?", people + "%") == 0


def test_who_may_only_look(site, data, window):  # noqa: F811
    viewer, other = data.staff("view_user", "view_group"), data.person()
    digest = data.user(other.name)["password"].rsplit("$", 1)[1]
    hands = Mouse(window)
    walk.log_in(site, window, hands, viewer.name, viewer.password)
    walk.open_list(window, hands)
    assert not window.has("#action") and not window.has("#result_list input")
    assert not window.has("main a.add")
    walk.search(window, hands, other.name)
    hands.click("#result_list tbody th a")
    window.until(lambda: window.path.endswith("/change/"), "the page of the user")
    fields = "main form input:not([type=hidden]), main form select, main form button"
    assert not window.has(fields)
    assert digest not in window.driver.page_source and digest[-10:] not in window.driver.page_source
    hands.click("main .submit a")
    walk.arrive(window, walk.USERS, "closed")
