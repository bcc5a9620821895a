"""The log of logins and changes: django-axes reads our rows, and our admin reads those of django-axes."""

import csv
import hashlib
import io
import json

import pytest

from suite.browser import Browser
from suite.conftest import House, settings_for
from suite.databases import Database
from suite.sides import Django

AGENT = {"User-Agent": "Interop/1.0", "Accept": "text/html"}
#: What axes' own models make of the two tables.
READ = """
import json
from axes.models import AccessFailureLog, AccessLog
fields = ["username", "ip_address", "user_agent", "http_accept", "path_info"]
of = lambda model, *more: list(model.objects.order_by("id").values(*fields, *more))
logins = [row | {"ended": row.pop("logout_time") is not None} for row in of(AccessLog, "logout_time", "session_hash")]
print("ROWS " + json.dumps({"logins": logins, "failures": of(AccessFailureLog, "locked_out")}))
"""


@pytest.fixture
def empty(kind, folder):
    database = Database(kind, folder)
    yield database
    database.drop()


def read_by_axes(django):
    said = django.run("shell", "-c", READ).stdout
    (line,) = [line for line in said.splitlines() if line.startswith("ROWS ")]
    return json.loads(line.removeprefix("ROWS "))


def visit(side, name, password):
    """Fails, logs in and logs out; the hash of the session's key."""
    browser = Browser()
    page = browser.get(side, "/accounts/login/")
    form = {"csrfmiddlewaretoken": page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]}
    wrong = {**form, "username": f"no-{name}", "password": "hunter2"}
    assert browser.post(side, "/accounts/login/", wrong, headers=AGENT).status == 200
    right = {**form, "username": name, "password": password}
    assert browser.post(side, "/accounts/login/", right, headers=AGENT).status == 302
    key = browser.cookies["sessionid"]
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    assert browser.post(side, "/accounts/logout/", token, headers=AGENT).status in (200, 302)
    return hashlib.sha256(key.encode()).hexdigest()


def expected(name, hash):
    visit = {
        "ip_address": "127.0.0.1", "user_agent": "Interop/1.0", "http_accept": "text/html",
        "path_info": "/accounts/login/",
    }
    login = {"username": name, **visit, "session_hash": hash, "ended": True}
    return login, {"username": f"no-{name}", **visit, "locked_out": False}


def test_axes_has_nothing_to_do_on_a_database_of_ours(empty, folder, in_place_of_djauth):
    if in_place_of_djauth[0] is Django:
        pytest.skip("A second Django makes no tables of axes.")
    settings = settings_for(empty, ONLY_AUTH="1")
    in_place_of_djauth[0](settings, folder).run("migrate")
    django = Django(settings | {"AXES": "1"}, folder)
    django.run("migrate", "--check")
    django.run("makemigrations", "--check", "--dry-run")
    made = [row for row in empty.rows("django_migrations") if row["app"] == "axes"]
    django.run("migrate", "--verbosity=0")
    assert [row for row in empty.rows("django_migrations") if row["app"] == "axes"] == made
    ours = in_place_of_djauth[0](settings, folder)
    ours.run("migrate", "--check")


def test_each_reads_the_rows_of_the_other(empty, folder, in_place_of_djauth):
    settings = settings_for(empty)
    Django(settings | {"AXES": "1"}, folder).run("migrate", "--verbosity=0")
    with House(empty, settings | {"AXES": "1"}, folder, in_place_of_djauth) as house:
        name, password = house.user(is_staff=True, is_superuser=True)
        sides = (house.django, house.djauth)
        rows = [expected(name, visit(side, name, password)) for side in sides]
        reader = Browser()
        assert reader.login(house.djauth, name, password, "/admin/login/").status == 302
        # What this process has not written yet is written now.
        log = reader.get(house.djauth, "/admin/log/export/")
        found = read_by_axes(house.django)
        assert found["logins"][:2] == [login for login, _ in rows]
        assert found["failures"] == [failure for _, failure in rows]
        if in_place_of_djauth[0] is not Django:
            read_by_us(log, name)


def read_by_us(log, name):
    assert log.status == 200, log
    entries = list(csv.DictReader(io.StringIO(log.body.decode("utf-8-sig"))))
    kinds = [(entry["kind"], entry["who"], bool(entry["logged_out"])) for entry in entries]
    assert kinds == [
        ("login", name, False),
        ("login", name, True), ("failure", f"no-{name}", False),
        ("login", name, True), ("failure", f"no-{name}", False),
    ]
    assert {entry["ip"] for entry in entries} == {"127.0.0.1"}
    assert {entry["path"] for entry in entries} == {"/accounts/login/", "/admin/login/"}


def test_changes_of_django_are_in_our_log(own_database, folder, in_place_of_djauth):
    settings = settings_for(own_database)
    with House(own_database, settings, folder, in_place_of_djauth) as house:
        name, password = house.user(is_staff=True, is_superuser=True)
        browser = Browser()
        assert browser.login(house.django, name, password, "/admin/login/").status == 302
        form = {"name": "editors", "_save": "Save"}
        assert browser.submit(house.django, "/admin/auth/group/add/", form).status == 302
        if in_place_of_djauth[0] is Django:
            return
        # A site without django-axes: there are changes alone, and no table was made.
        log = browser.get(house.djauth, "/admin/log/export/")
        entries = list(csv.DictReader(io.StringIO(log.body.decode("utf-8-sig"))))
        shown = [(entry["kind"], entry["who"], entry["action"], entry["model"], entry["object"]) for entry in entries]
        assert shown == [("change", name, "addition", "auth.group", "editors")]
        assert not [table for table in own_database.tables() if table.startswith("axes_")]
