"""What users may do, and who holds a permission: our pages against Django's own answers."""

import random
import re
import secrets
from html import unescape

import pytest

from suite.admin_differences import ONLY_OURS
from suite.browser import Browser

SEEDS = (1, 2, 3)
#: What the graphs are made of; each is asked about in Django and here.
PERMS = (
    "auth.add_user", "auth.change_group", "auth.view_permission", "admin.view_logentry",
    "reports.view_report", "sessions.delete_session",
)
SWITCHES = [(active, superusers) for active in (None, True, False) for superusers in (False, True)]


class Graph:
    """Users, their groups and permissions at random, made by Django."""

    def __init__(self, django, seed):
        chance, tag = random.Random(seed), secrets.token_hex(4)
        some = lambda of, share: [one for one in of if chance.random() < share]  # noqa: E731
        self.groups = {f"{tag}-g{n}": some(PERMS, 0.3) for n in range(4)}
        self.users = {
            f"{tag}-u{n}": {
                "flags": {"is_active": chance.random() < 0.75, "is_superuser": chance.random() < 0.2},
                "groups": some(self.groups, 0.35),
                "permissions": some(PERMS, 0.2),
            }
            for n in range(7)
        }
        django.do("make_graph", groups=self.groups, users=self.users)

    def reasons(self, user, permission):
        """The rows that give somebody a permission, in the words of our pages."""
        about = self.users[user]
        found = {f"by the group “{name}”" for name in about["groups"] if permission in self.groups[name]}
        if permission in about["permissions"]:
            found.add("given to this account itself")
        if about["flags"]["is_superuser"] and about["flags"]["is_active"]:
            found.add("as a superuser")
        return found


def plain(html):
    return unescape(re.sub("<[^>]*>", "", html)).strip()


def rows(page):
    """What the rows of a page's tables are about, with their reasons."""
    found = {}
    for row in page.text.split('<tr><th scope="row">')[1:]:
        head, _, rest = row.partition("</th>")
        reasons = rest.partition('<ul class="reasons">')[2].partition("</ul>")[0]
        found[plain(head)] = {plain(reason) for reason in reasons.split("<li>")[1:]}
    return found


def every_row(browser, side, path):
    """Of all pages of a list."""
    found, link = {}, ""
    while link is not None:
        page = browser.get(side, path + link)
        assert page.status == 200, page
        new = rows(page)
        assert not found.keys() & new.keys()
        found |= new
        next_link = re.search(r'<a rel="next" href="([^"]*)"', page.text)
        link = unescape(next_link[1]) if next_link else None
    return found


@pytest.fixture(scope="module")
def admin(plain_house):
    browser = Browser()
    name, password = plain_house.user(is_superuser=True, is_staff=True)
    assert browser.login(plain_house.django, name, password).status == 302
    return browser


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_user_has_is_what_django_says(plain_house, admin, seed):
    graph = Graph(plain_house.django, seed)
    for name, about in graph.users.items():
        theirs = plain_house.django.do("rights", username=name)
        path = f"/admin/auth/user/{theirs['id']}/permissions/"
        for side in (plain_house.djauth, plain_house.library):
            held = {head.split()[-1]: why for head, why in every_row(admin, side, path).items()}
            assert sorted(held) == theirs["all"], f"{name}: {about}"
            assert {perm: perm in held for perm in theirs["asked"]} == theirs["asked"]
            for permission in PERMS:
                if permission in held:
                    assert held[permission] == graph.reasons(name, permission), permission
                page = admin.get(side, f"{path}?perm={permission}")
                answer = plain("<" + page.text.partition('class="card answer')[2].partition("</p>")[0])
                assert answer.startswith("Yes, " if theirs["asked"][permission] else "No, "), answer


@pytest.mark.parametrize("seed", SEEDS)
def test_who_holds_a_permission_is_whom_django_finds(plain_house, admin, seed):
    graph = Graph(plain_house.django, seed)
    keys = plain_house.django.do("every_permission")
    for permission in PERMS:
        path = f"/admin/auth/permission/{keys[permission]}/holders/"
        for active, superusers in SWITCHES:
            theirs = plain_house.django.do(
                "with_perm", permission=permission, is_active=active, include_superusers=superusers)
            query = f"?active={'' if active is None else int(active)}&superusers={int(superusers)}"
            for side in (plain_house.djauth, plain_house.library):
                held = {head.removesuffix("not active").strip(): why
                        for head, why in rows(admin.get(side, path + query)).items()}
                assert sorted(held) == theirs["names"], f"{permission} {query}"
                for name in held.keys() & graph.users.keys():
                    assert held[name] == graph.reasons(name, permission), f"{permission} {name}"


def test_the_list_has_every_permission(plain_house, admin):
    theirs = plain_house.django.do("every_permission")
    for side in (plain_house.djauth, plain_house.library):
        page = admin.get(side, "/admin/auth/permission/")
        linked = dict(re.findall(
            r'href="[^"]*permission&#x2f;(\d+)&#x2f;holders[^"]*"><code>([^<]*)</code>', page.text))
        assert {name: int(key) for key, name in linked.items()} == theirs


def test_these_addresses_are_only_here(plain_house, admin):
    name, _ = plain_house.user()
    key = plain_house.django.do("rights", username=name)["id"]
    for path, status in ONLY_OURS.items():
        path = "/admin/" + path.replace("<o>", key)
        theirs = admin.get(plain_house.django, path)
        assert theirs.status == status, path
        if status == 302:
            assert theirs.location == f"{path}change/"
        for side in (plain_house.djauth, plain_house.library):
            assert admin.get(side, path).status == 200, path
