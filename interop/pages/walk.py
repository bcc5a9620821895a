"""What people do on the pages, whatever their hands are."""

import re

LOGIN = "/accounts/login/"
PROFILE = "/accounts/profile/"
CHANGE = "/accounts/password_change/"
RESET = "/accounts/password_reset/"


def log_in(site, window, hands, name, password, to=PROFILE):
    window.open(site.url + LOGIN)
    hands.send(username=name, password=password)
    window.until(lambda: window.path == to, "logged in")


def log_out(window, hands):
    hands.send()
    window.until(lambda: window.path == "/accounts/logout/", "logged out")


def refused(window, path):
    """The same page again, which says in a summary and at the fields what is wrong."""
    window.until(lambda: window.has("[role=alert] li"), "refused")
    assert window.path == path


def change(window, hands, old, new, again=None):
    hands.send(old_password=old, new_password1=new, new_password2=again or new)


def ask_for_mail(site, window, hands, email):
    window.open(site.url + LOGIN)
    hands.follow(RESET)
    window.until(lambda: window.path == RESET, "the page that asks for the address")
    hands.send(email=email)
    window.until(lambda: window.path == RESET + "done/", "the page that says to look")


def link_in(message, url):
    text = message.get_body(("plain",)).get_content()
    found = re.findall(re.escape(url) + r"/accounts/reset/\S+", text)
    assert len(found) == 1, text
    return found[0]
