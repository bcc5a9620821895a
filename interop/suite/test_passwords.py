"""Passwords changed and reset on one side: the other believes it, links included."""

import email
import re
import secrets
import time
from email import policy

import pytest

from suite.browser import Browser, token_in
from suite.conftest import House, settings_for
from suite.sides import PATIENCE

CHANGE, RESET = "/accounts/password_change/", "/accounts/password_reset/"
NEW = "battery staple"
LINK = re.compile(r"https?://[^/\s]+(/accounts/reset/\S+)")


def twice(password):
    return {"new_password1": password, "new_password2": password}


def led(answer):
    return answer.status, answer.location


def who(house, browser):
    return {side.who(browser) for side in house.sides}


def test_a_password_changed_on_one_side_ends_the_other_sessions_on_both(plain_house):
    for first, second in plain_house.pairs():
        name, old = plain_house.user()
        mine, other = Browser(), Browser()
        for browser in (mine, other):
            browser.login(second, name, old)
        answer = mine.submit(first, CHANGE, {"old_password": old, **twice(NEW)})
        assert led(answer) == (302, CHANGE + "done/"), answer
        assert mine.get(second, CHANGE + "done/").status == 200
        assert who(plain_house, mine) == {name}
        assert who(plain_house, other) == {None}
        assert Browser().login(second, name, old).status == 200
        assert Browser().login(second, name, NEW).status == 302


def test_a_refused_change_changes_nothing_on_either_side(plain_house):
    for first, second in plain_house.pairs():
        name, old = plain_house.user()
        browser = Browser()
        browser.login(second, name, old)
        for form in (
            {"old_password": "wrong", **twice(NEW)},
            {"old_password": old, "new_password1": NEW, "new_password2": "else"},
            {"old_password": f" {old} ", **twice(NEW)},
            {"old_password": old, **twice("")},
        ):
            assert browser.submit(first, CHANGE, form).status == 200
        assert who(plain_house, browser) == {name}
        assert Browser().login(second, name, old).status == 302


class MailHouse(House):
    """A house whose mail is written into files."""

    def __init__(self, database, folder, programs):
        self.mails = folder / f"mails-{secrets.token_hex(4)}"
        self.mails.mkdir()
        settings = settings_for(
            database,
            EMAIL_BACKEND="django.core.mail.backends.filebased.EmailBackend",
            EMAIL_FILE_PATH=str(self.mails),
            EMAIL_RATE_LIMIT_PER_ADDRESS="",
            EMAIL_RATE_LIMIT_PER_NETWORK="",
            DEFAULT_FROM_EMAIL="The house <house@example.com>",
        )
        super().__init__(database, settings, folder, programs)

    def person(self, **fields):
        """A user with an address of their own: name, password, address."""
        address = f"{secrets.token_hex(4)}@example.com"
        return *self.user(email=address, **fields), address

    def messages(self):
        for file in sorted(self.mails.iterdir()):
            for text in file.read_bytes().split(b"-" * 79):
                if b"Subject:" in text:
                    yield email.message_from_bytes(text.strip() + b"\n", policy=policy.default)

    def to(self, address):
        return [message for message in self.messages() if address in message["To"]]

    def mail_to(self, address):
        """The mail to this address, which may leave after the answer."""
        deadline = time.monotonic() + PATIENCE
        while not self.to(address):
            assert time.monotonic() < deadline, f"no mail to {address}"
            time.sleep(0.02)
        return self.to(address)[-1]

    def link(self, side, address):
        """Asks for a mail to the address; the path of the link in it."""
        answer = Browser().submit(side, RESET, {"email": address})
        assert led(answer) == (302, RESET + "done/"), answer
        message = self.mail_to(address)
        assert message["From"] == "The house <house@example.com>"
        return LINK.search(message.get_content()).group(1)


@pytest.fixture(scope="module")
def mail_house(database, folder, in_place_of_djauth):
    with MailHouse(database, folder, in_place_of_djauth) as house:
        yield house


def test_a_link_mailed_by_one_side_opens_on_the_other_and_works_once(mail_house):
    for first, second in mail_house.pairs():
        name, old, address = mail_house.person()
        other = Browser()
        other.login(first, name, old)
        # A login ends the links of before; this one comes after it.
        link = mail_house.link(first, address)
        browser = Browser()
        answer = browser.get(second, link)
        opened = re.sub(r"[^/]+/$", "set-password/", link)
        assert led(answer) == (302, opened), answer
        page = browser.get(second, opened)
        form = {"csrfmiddlewaretoken": token_in(page), "new_password1": NEW, "new_password2": "else"}
        assert browser.post(second, opened, form).status == 200
        answer = browser.post(second, opened, {**form, **twice(NEW)})
        assert led(answer) == (302, "/accounts/reset/done/"), answer
        assert browser.get(second, "/accounts/reset/done/").status == 200
        assert who(mail_house, other) == who(mail_house, browser) == {None}
        for side in mail_house.sides:
            assert Browser().login(side, name, old).status == 200
            assert Browser().login(side, name, NEW).status == 302
            for path in (link, opened):
                answer = browser.get(side, path)
                assert answer.status == 200 and "new_password1" not in answer.text


def test_the_session_step_of_one_side_continues_on_the_other(mail_house):
    for first, second in mail_house.pairs():
        name, _, address = mail_house.person()
        browser = Browser()
        opened = browser.get(first, mail_house.link(first, address)).location
        answer = browser.submit(second, opened, twice(NEW))
        assert led(answer) == (302, "/accounts/reset/done/"), answer
        assert Browser().login(first, name, NEW).status == 302


def test_only_active_users_with_a_password_get_mail_from_either_side(mail_house):
    _, _, address = mail_house.person()
    gone, _, unreachable = mail_house.person()
    mail_house.django.do("update_user", username=gone, is_active=False)
    for number, side in enumerate(mail_house.sides, 1):
        for email_address in (unreachable, "unknown@example.com", address.replace("@", "@x."), "%@example.com"):
            answer = Browser().submit(side, RESET, {"email": email_address})
            assert led(answer) in ((302, RESET + "done/"), (200, None)), answer
        # Mails leave one after the other: with this one, those before it would be there.
        Browser().submit(side, RESET, {"email": f" {address.upper()} "})
        deadline = time.monotonic() + PATIENCE
        while len(mail_house.to(address)) < number:
            assert time.monotonic() < deadline
            time.sleep(0.02)
    assert mail_house.to(unreachable) == mail_house.to("unknown@example.com") == []


def test_a_login_or_another_password_ends_the_links_of_both_sides(mail_house):
    for first, second in mail_house.pairs():
        name, old, address = mail_house.person()
        link = mail_house.link(first, address)
        assert Browser().login(second, name, old).status == 302
        for side in (first, second):
            assert Browser().get(side, link).status == 200
