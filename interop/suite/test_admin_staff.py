"""Who gets in, and where each address leads: the same visitors at Django's admin and at ours."""

import json
import secrets
from pathlib import Path

import pytest

from suite.admin_differences import is_alike
from suite.browser import Browser

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "crates/djauth-admin/tests/data/pages.json").read_text()
)
#: The parts of the admin that are there.
PARTS = ("site", "list")


def requests():
    return {
        name: request for name, request in VECTORS["requests"].items()
        # What lists are asked to do is in the vectors: here one side would find it done by the other.
        if request["part"] in PARTS and is_alike(name)
        and not (request["part"] == "list" and request["form"])
    }


def visitor(house, kind):
    """Somebody of this kind, logged in where that is possible."""
    browser = Browser()
    about = VECTORS["kinds"][kind]
    if about is None:
        return browser, None
    name, password = house.user(
        is_staff=about["staff"], is_superuser=about["superuser"], is_active=True)
    for permission in about["perms"]:
        house.django.do("grant", username=name, permission=f"auth.{permission}")
    assert browser.login(house.django, name, password).status == 302
    if not about["active"]:
        house.django.do("update_user", username=name, is_active=False)
    return browser, name


def answer(browser, side, request, other):
    """What a side says; the visitor's cookies are as they were afterwards."""
    guest = Browser()
    guest.cookies = dict(browser.cookies)
    path = "/admin/" + request["path"].replace("<o>", other)
    if request["form"] is None:
        form, headers = None, {}
    else:
        guest.cookies.setdefault("csrftoken", "c" * 32)
        form, headers = request["form"], {"X-CSRFToken": guest.cookies["csrftoken"]}
    answer = guest.request(side, request["method"], path, form=form, headers=headers)
    return answer.status, answer.location


@pytest.mark.parametrize("staff", VECTORS["kinds"], ids=str)
def test_both_admins_answer_alike(plain_house, staff):
    browser, _ = visitor(plain_house, staff)
    other = str(plain_house.django.do("create_user", username=f"o{secrets.token_hex(4)}")["id"])
    for name, request in requests().items():
        if request["form"] and any(field == "password" for field, _ in request["form"]):
            continue  # The names in the vectors are those of the vectors.
        if name in ("log out", "change own password", "index, put"):
            continue  # They end the visitor's session, or send no token.
        theirs = answer(browser, plain_house.django, request, other)
        for side in (plain_house.djauth, plain_house.library):
            assert answer(browser, side, request, other) == theirs, f"{name}, by {staff}"


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
