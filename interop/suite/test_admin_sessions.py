"""The table of django-allauth's `usersessions`: rows of each side are listed and ended by the other."""

import re

import pytest

from suite.browser import Browser
from suite.conftest import House, settings_for
from suite.databases import Database
from suite.sides import Django

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
ROWS = "SELECT user_id, session_key, ip, user_agent, last_seen_at FROM usersessions_usersession ORDER BY id"


class Named(Browser):
    """A browser that says what it is."""

    def __init__(self, agent):
        super().__init__()
        self.agent = agent

    def request(self, side, method, path, form=None, headers=None, data=None):
        headers = {"User-Agent": self.agent, **(headers or {})}
        return super().request(side, method, path, form, headers, data)


@pytest.fixture(scope="module")
def allauth(kind, folder, in_place_of_djauth):
    """A site of allauth's with djauth beside it, on a database that Django made."""
    if in_place_of_djauth == (Django, Django):
        pytest.skip("Django has no such pages")
    database = Database(kind, folder)
    settings = settings_for(database, ALLAUTH="1")
    Django(settings, folder).run("migrate", "--verbosity=0")
    with House(database, settings, folder, in_place_of_djauth) as house:
        yield house
    database.drop()


def at_allauth(house, name, password, agent=FIREFOX):
    browser = Named(agent)
    form = {"login": name, "password": password}
    answer = browser.submit(house.django, "/allauth/login/", form)
    assert answer.status == 302, answer
    return browser


def here(side, name, password, agent=FIREFOX):
    browser = Named(agent)
    assert browser.login(side, name, password).status == 302
    return browser


def rows_of(house, name):
    user = house.database.query("SELECT id FROM auth_user WHERE username = ?", (name,))[0]["id"]
    return [row for row in house.database.query(ROWS) if row["user_id"] == user]


def offered(page):
    return re.findall(r'name="end" value="(\d+)"', page.text)


def test_allauths_rows_are_listed_and_ended_here(allauth):
    for side in (allauth.djauth, allauth.library):
        name, password = allauth.user()
        mine = at_allauth(allauth, name, password)
        other = at_allauth(allauth, name, password, "curl/8.16.0")
        page = mine.get(side, "/accounts/sessions/")
        assert page.status == 200, page
        for text in ("Firefox 145 on Linux", "curl 8", "127.0.0.1"):
            assert text in page.text, page.text
        assert page.text.count("This session") == 1
        ids = offered(page)
        assert len(ids) == 2
        # The newest comes first.
        answer = mine.submit(side, "/accounts/sessions/", {"end": ids[0]})
        assert answer.status == 302, answer
        for anywhere in allauth.sides:
            assert anywhere.who(other) is None
            assert anywhere.who(mine) == name
        assert [row["user_agent"] for row in rows_of(allauth, name)] == [FIREFOX]


def test_our_rows_are_listed_and_ended_by_allauth(allauth):
    for side in (allauth.djauth, allauth.library):
        name, password = allauth.user()
        mine = at_allauth(allauth, name, password)
        other = here(side, name, password, "Mozilla/5.0 (Windows NT 10.0) Other")
        rows = rows_of(allauth, name)
        assert [row["session_key"] for row in rows] == [
            mine.cookies["sessionid"],
            other.cookies["sessionid"],
        ]
        assert rows[1]["user_agent"] == "Mozilla/5.0 (Windows NT 10.0) Other"
        assert str(rows[1]["ip"]) == "127.0.0.1"
        page = mine.get(allauth.django, "/allauth/sessions/")
        assert page.status == 200 and "Mozilla/5.0 (Windows NT 10.0) Other" in page.text, page.text
        # Its button ends all others.
        answer = mine.submit(allauth.django, "/allauth/sessions/", {})
        assert answer.status == 302, answer
        for anywhere in allauth.sides:
            assert anywhere.who(other) is None
            assert anywhere.who(mine) == name
        assert [row["session_key"] for row in rows_of(allauth, name)] == [mine.cookies["sessionid"]]


def test_a_session_goes_on_under_its_new_key(allauth):
    """A new password and a logout, at each side of sessions that were begun at the other."""
    for side in (allauth.djauth, allauth.library):
        name, password = allauth.user()
        mine = at_allauth(allauth, name, password)
        other = here(side, name, password)
        form = {"old_password": password, "new_password1": "newer-" + password, "new_password2": "newer-" + password}
        answer = mine.submit(side, "/accounts/password_change/", form)
        assert answer.status == 302, answer
        # allauth drops the rows of sessions with the old password when it looks.
        page = mine.get(allauth.django, "/allauth/sessions/")
        assert page.status == 200, page
        assert [row["session_key"] for row in rows_of(allauth, name)] == [mine.cookies["sessionid"]]
        assert side.who(other) is None
        mine.logout(side)
        assert rows_of(allauth, name) == []


def test_staff_end_sessions_and_delete_their_user(allauth):
    for side in (allauth.djauth, allauth.library):
        admin, secret = allauth.user(is_staff=True, is_superuser=True)
        name, password = allauth.user()
        browsers = [at_allauth(allauth, name, password), here(side, name, password)]
        user = rows_of(allauth, name)[0]["user_id"]
        staff = here(side, admin, secret)
        path = f"/admin/auth/user/{user}/sessions/"
        page = staff.get(side, path)
        assert len(offered(page)) == 2, page.text
        assert staff.submit(side, path, {"end_all": "1"}).status == 302
        for browser in browsers:
            assert allauth.django.who(browser) is None
        assert rows_of(allauth, name) == []
        # Django reads in the log what was done here.
        history = staff.get(allauth.django, f"/admin/auth/user/{user}/history/")
        assert history.status == 200, history
        assert "Deleted sessions “all (2)”." in history.text, history.text
        at_allauth(allauth, name, password)
        form = {"post": "yes"}
        answer = staff.submit(side, f"/admin/auth/user/{user}/delete/", form)
        assert answer.status == 302, answer
        assert not allauth.database.query("SELECT id FROM auth_user WHERE id = ?", (user,))


def test_migrate_leaves_allauths_table_alone(allauth):
    before = allauth.database.definition("usersessions_usersession")
    allauth.djauth.run("migrate")
    assert allauth.database.definition("usersessions_usersession") == before
    allauth.django.run("migrate", "--check")


def test_a_database_of_ours_has_all_that_allauth_wants(kind, folder, in_place_of_djauth):
    if in_place_of_djauth == (Django, Django):
        pytest.skip("Django makes no such database")
    database = Database(kind, folder)
    try:
        settings = settings_for(database, ALLAUTH="1")
        in_place_of_djauth[0](settings, folder).run("migrate")
        django = Django(settings, folder)
        plan = django.run("showmigrations", "usersessions").stdout
        assert "[X] 0001_initial" in plan, plan
        # The other apps of the project come along, and allauth finds its table made.
        django.run("migrate", "--verbosity=0")
        django.run("migrate", "--check")
    finally:
        database.drop()
