"""Who gets in, where each address leads and what each form does: the same visitors at both admins."""

import json
import re
import secrets
from pathlib import Path

import django
import pytest

from suite.admin_differences import is_alike
from suite.browser import Browser
from suite.edits import levels
from suite.test_walk import read_as_django

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "crates/djauth-admin/tests/data/pages.json").read_text()
)
#: In the vectors everybody asks once, and for what was not done before.
ONCE = ("log out", "change own password", "index, put")


def requests(does):
    """Those that do something with users and groups, or those that do not."""
    return {
        name: request for name, request in VECTORS["requests"].items()
        if is_alike(name) and does == (request["part"] != "site" and request["form"] is not None)
    }


def visitor(house, kind):
    """Somebody of this kind with their key, logged in where that is possible."""
    browser = Browser()
    about = VECTORS["kinds"][kind]
    if about is None:
        return browser, None
    name, password = house.user(
        is_staff=about["staff"], is_superuser=about["superuser"], is_active=True)
    key = house.database.query("SELECT id FROM auth_user WHERE username = ?", (name,))[0]["id"]
    for permission in about["perms"]:
        house.django.do("grant", username=name, permission=f"auth.{permission}")
    assert browser.login(house.django, name, password).status == 302
    if not about["active"]:
        house.django.do("update_user", username=name, is_active=False)
    return browser, key


def put_in(text, keys):
    for name, key in keys.items():
        text = text.replace(name, str(key))
    return text


def sent(browser, side, request, keys, form):
    """The visitor's cookies are as they were afterwards; those of the guest are what the side left."""
    guest = Browser()
    guest.cookies = dict(browser.cookies)
    headers = {}
    if form is not None:
        headers["X-CSRFToken"] = guest.cookies.setdefault("csrftoken", "c" * 32)
    path = "/admin/" + put_in(request["path"], keys)
    return guest, guest.request(side, request["method"], path, form=form, headers=headers)


def answer(browser, side, request, keys):
    """What a side says."""
    _, answer = sent(browser, side, request, keys, request["form"])
    return answer.status, answer.location


@pytest.mark.parametrize("staff", VECTORS["kinds"], ids=str)
def test_both_admins_answer_alike(plain_house, staff):
    browser, me = visitor(plain_house, staff)
    other = str(plain_house.django.do("create_user", username=f"o{secrets.token_hex(4)}")["id"])
    group = str(plain_house.django.do("create_group", name=f"g{secrets.token_hex(4)}")["id"])
    for name, request in requests(does=False).items():
        if request["form"] and any(field == "password" for field, _ in request["form"]):
            continue  # The names in the vectors are those of the vectors.
        if name in ONCE:
            continue  # They end the visitor's session, or send no token.
        keys = {"<me>": me, "<o>": other, "<g>": group}
        theirs = answer(browser, plain_house.django, request, keys)
        if django.VERSION >= (6, 1):
            assert theirs[0] == request["answers"][staff]["status"], f"{name}, by {staff}: {theirs}"
        for side in (plain_house.djauth, plain_house.library):
            assert answer(browser, side, request, keys) == theirs, f"{name}, by {staff}"


class Place:
    """A user and a group at whom one side is asked to do something, with names of their own."""

    def __init__(self, house, visitor):
        self.house, self.me = house, visitor
        self.token = secrets.token_hex(4)
        make = house.django.do
        self.user = str(make("create_user", username=f"olga{self.token}", password="olga's", is_staff=True)["id"])
        self.group = str(make("create_group", name=f"g{self.token}")["id"])
        self.permission = str(permission_of(house.database, "view_user"))

    def keys(self):
        return {"<me>": self.me, "<o>": self.user, "<g>": self.group, "<p>": self.permission}

    def value(self, name, value):
        """Of a field of the form; new names are of this place alone."""
        if name in ("username", "name") and value:
            return value + (self.token.upper() if value.isupper() else self.token)
        return put_in(value, self.keys())

    def named(self, text):
        """Without what is of this place alone."""
        known = {("user", self.user): "<o>", ("user", str(self.me)): "<me>", ("group", self.group): "<g>"}
        known |= {("user", "999"): "999"}  # In the vectors nobody has this key.
        named = lambda match: f"{match[1]}/{known.get((match[1], match[2]), '<new>')}"
        return text and re.sub(r"(user|group)/(\d+)", named, text).replace(self.token, "")

    def entries(self):
        rows = self.house.database.query(
            "SELECT action_flag, change_message, object_repr FROM django_admin_log WHERE user_id = ? ORDER BY id",
            (self.me,),
        ) if self.me else []
        return [[row["action_flag"], row["change_message"], self.named(row["object_repr"])] for row in rows]

    def ask(self, browser, side, request):
        """What a side answers, tells and records."""
        before = len(self.entries())
        form = [(name, self.value(name, value)) for name, value in request["form"]]
        guest, answer = sent(browser, side, request, self.keys(), form)
        if "sessionid" in guest.cookies:  # Setting a password gives the session another key.
            browser.cookies["sessionid"] = guest.cookies["sessionid"]
        return answer.status, self.named(answer.location), levels(guest), self.entries()[before:]


def as_told(answer, vector, what):
    """Both could have been alike because nobody was logged in any more: the vectors know better."""
    status, location, _, log = answer
    is_login = lambda location: (location or "").startswith("/admin/login/")
    assert is_login(location) == is_login(vector.get("location")), f"{what}: {location}"
    if django.VERSION >= (6, 1):
        assert (status, location, log) == (vector["status"], vector.get("location"), vector["log"]), what


def permission_of(database, codename):
    return database.query("SELECT id FROM auth_permission WHERE codename = ?", (codename,))[0]["id"]


@pytest.mark.parametrize("staff", VECTORS["kinds"], ids=str)
def test_both_admins_do_alike(plain_house, staff):
    read_as_django(plain_house.django.settings["SECRET_KEY"])
    browser, me = visitor(plain_house, staff)
    sides = (plain_house.django, plain_house.djauth)
    places = [Place(plain_house, me) for _ in sides]
    for name, request in requests(does=True).items():
        told = [place.ask(browser, side, request) for side, place in zip(sides, places)]
        assert told[0] == told[1], f"{name}, by {staff}"
        as_told(told[0], request["answers"][staff], f"{name}, by {staff}")
        if told[0][-1] or told[1][-1]:  # Something was done: the next request finds it as it was.
            places = [Place(plain_house, me) for _ in sides]


def test_a_login_at_one_admin_is_one_at_the_other(plain_house):
    for first, second in plain_house.pairs():
        name, password = plain_house.user(is_staff=True)
        browser = Browser()
        form = {"username": name, "password": password, "next": "/admin/"}
        assert browser.submit(first, "/admin/login/", form).location == "/admin/"
        assert browser.get(second, "/admin/").status == 200
        token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        assert browser.post(second, "/admin/logout/", token).status == 200
        assert browser.get(first, "/admin/").location == "/admin/login/?next=/admin/"
