"""What the admin has beyond Django's: why somebody may do something, who holds a permission, the log."""

import csv
import io

import pytest

from pages import admin_walk as walk
from pages.admin_data import Data, fresh
from pages.admin_visitors import visitor, way  # noqa: F401 (fixtures)

PERMISSIONS = "/admin/auth/permission/"
LOG = "/admin/log/"


@pytest.fixture
def data(site):
    return Data(site)


@pytest.fixture
def boss(data):
    return data.superuser()


def test_why_somebody_may_do_something(site, data, boss, visitor):  # noqa: F811
    window, hands = visitor
    person, group = data.person(), fresh("g")
    key = data.group(group)
    data.join([person], key)
    data.allow(key, "view_user")
    walk.log_in(site, window, hands, boss.name, boss.password, f"{walk.USERS}{person.id}/change/")
    hands.click("main .tools a[href$='/permissions/']")
    walk.arrive(window, f"{walk.USERS}{person.id}/permissions/", "what they may do")
    rows = [row.text for row in window.all(".entries tbody tr")]
    assert len(rows) == 1 and "auth.view_user" in rows[0] and group in rows[0]
    ask(window, hands, "auth.view_user", "yes")
    assert group in window.one(".answer").text
    ask(window, hands, "auth.delete_user", "no")


def ask(window, hands, permission, answer):
    hands.type("#id_perm", permission)
    hands.click("main .search button")
    window.until(lambda: window.has(f".answer.is-{answer}"), f"{permission}: {answer}")
    assert permission in window.one(".answer").text


def test_who_holds_a_permission(site, data, boss, visitor):  # noqa: F811
    window, hands = visitor
    person, group = data.person(), fresh("g")
    key = data.group(group)
    data.join([person], key)
    data.allow(key, "delete_group")
    walk.log_in(site, window, hands, boss.name, boss.password)
    hands.click(f"main a[href='{PERMISSIONS}']")
    walk.arrive(window, PERMISSIONS, "the permissions")
    walk.search(window, hands, "delete_group")
    hands.click("main tbody a[href*='holders']")
    window.until(lambda: window.path.endswith("/holders/"), "who holds it")
    (reason,) = reasons(window)[person.name]
    assert group in reason
    assert boss.name not in reasons(window)
    hands.tick("#id_superusers")
    hands.click("main .switches button")
    window.until(lambda: "superusers=1" in walk.query(window), "superusers too")
    assert boss.name in reasons(window)


def reasons(window):
    """For each name the groups that give the permission."""
    rows = window.all("main tbody tr")
    return {row.find_element("css selector", "th bdi").text: [a.text for a in row.find_elements("css selector", ".reasons a")] for row in rows}


def test_the_log_is_filtered_and_taken_along(site, boss, visitor, tmp_path):  # noqa: F811
    window, hands = visitor
    nobody = fresh("nobody")
    window.open(site.url + walk.LOGIN)
    hands.send(username=nobody, password="wrong")
    window.until(lambda: window.has("[role=alert] li"), "refused")
    walk.log_in(site, window, hands, boss.name, boss.password)
    hands.click(f"main a[href='{LOG}']")
    walk.arrive(window, LOG, "the log")
    hands.choose("#id_kind", "Failed login")
    hands.type("#id_who", nobody)
    hands.click(".eventfilter button")
    window.until(lambda: nobody in walk.query(window), "filtered")
    rows = [row.text for row in window.all(".entries tbody tr")]
    assert len(rows) == 1 and "Failed login" in rows[0]
    lines = taken(window, hands, tmp_path)
    assert len(lines) == 2 and nobody in lines[1]


def taken(window, hands, folder):
    """The lines of the file that the log is saved as."""
    behaviour = {"behavior": "allow", "downloadPath": str(folder)}
    window.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    hands.click("main a[download]")
    # The browser may reserve the name with an empty file before the whole one takes its place.
    saved = lambda: [file for file in folder.glob("*.csv") if file.stat().st_size]
    window.until(saved, "downloaded")
    (file,) = saved()
    return list(csv.reader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
