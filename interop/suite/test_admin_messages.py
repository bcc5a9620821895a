"""Messages that one admin left are shown by the other, once."""

import re

from suite.browser import Browser


def shown(page):
    return re.findall(r'class="(?:message )?(?:debug|info|success|warning|error)"', page.text)


def test_what_django_left_is_shown_here_once(plain_house):
    for side in (plain_house.djauth, plain_house.library):
        name, password = plain_house.user(is_staff=True, is_superuser=True)
        browser = Browser()
        assert browser.login(plain_house.django, name, password).status == 302
        for _ in range(2):
            # Nothing is selected: Django leaves a warning. Its own next page would show it.
            form = {"action": "delete_selected", "index": "0"}
            answer = browser.submit(plain_house.django, "/admin/auth/user/", form)
            assert answer.status == 302, answer
            assert browser.cookies["messages"]
            page = browser.get(side, "/admin/")
            assert len(shown(page)) == 1, page.text
            assert "messages" not in browser.cookies
            assert not shown(browser.get(side, "/admin/"))
            assert not shown(browser.get(plain_house.django, "/admin/"))
