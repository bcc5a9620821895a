"""Makes crates/djauth-admin/tests/data/messages.json: how Django keeps messages.

Lists of messages with the cookie, the JSON in it, and the text in the session that Django's
`FallbackStorage` makes of them at a fixed time; and what it does with the cookie at the next request.
"""

import hashlib
import json
from unittest import mock

import django
from django.conf import settings

NOW = 1767268800

settings.configure(
    SECRET_KEY="admin-vector-key-0123456789abcdefghijklmnopqrstuvwx",
    INSTALLED_APPS=["django.contrib.messages"],
    USE_TZ=True,
)
django.setup()

from django.contrib.messages.storage.base import Message  # noqa: E402
from django.contrib.messages.storage.cookie import CookieStorage  # noqa: E402
from django.contrib.messages.storage.fallback import FallbackStorage  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.utils.safestring import mark_safe  # noqa: E402


def noise(number):
    return hashlib.sha256(str(number).encode()).hexdigest()


LISTS = {
    "one": [(25, "The user was changed.", "", False)],
    "safe": [(25, 'The user “<a href="/admin/auth/user/5/change/">ada</a>” was added.', "", True)],
    "tags": [(20, "a", "own other", False), (40, "b", None, False), (33, "c", "", False)],
    "characters": [(30, "\u202e é 日本 😀 \\ \" ' < > & \n\t\x7f", "", False)],
    "long enough to be compressed": [(20, "word " * 100, "", False)] * 3,
    "more than fits": [(25, f"{number} {noise(number)}", "", False) for number in range(40)],
    "one that does not fit": [(25, "".join(map(noise, range(60))), "", False)],
}


def request(cookie="", session=None):
    made = HttpRequest()
    made.session = {} if session is None else session
    if cookie:
        made.COOKIES["messages"] = cookie
    return made


def storage(of):
    return FallbackStorage(of)


def messages(rows):
    return [
        Message(level, mark_safe(text) if safe else text, extra_tags=tags)
        for level, text, tags, safe in rows
    ]


def stored(rows):
    of, response = request(), HttpResponse()
    kept = storage(of)
    kept._queued_messages = messages(rows)
    kept.added_new = True
    assert kept.update(response) == []
    cookie = response.cookies["messages"]
    text = CookieStorage(of).signer.unsign(cookie.value)
    payload = CookieStorage(of).signer.unsign_object(
        cookie.value, serializer=type("Raw", (), {"loads": lambda self, data: data.decode()}))
    return {
        "messages": [{"level": l, "text": t, "extra_tags": e, "is_safe": s} for l, t, e, s in rows],
        "cookie": cookie.value,
        "attributes": {name: cookie[name] for name in ("path", "max-age", "httponly", "samesite", "secure")},
        "compressed": text.startswith("."),
        "payload": payload,
        "session": of.session.get("_messages"),
    }


def next_request(cookie, session, used, added):
    """What becomes of cookie and session after a request that shows the messages, or adds one."""
    session = {} if session is None else {"_messages": session}
    of, response = request(cookie, session), HttpResponse()
    kept = storage(of)
    if added:
        kept.add(25, "new")
    shown = [message.message for message in kept] if used else None
    kept.update(response)
    morsel = response.cookies.get("messages")
    return {
        "shown": shown,
        "cookie": None if morsel is None else morsel.value,
        "deleted": morsel is not None and morsel["max-age"] == 0,
        "session": session.get("_messages"),
    }


def ways(made):
    return {
        name: next_request(made["cookie"], made["session"], used, added)
        for name, used, added in [
            ("untouched", False, False), ("shown", True, False), ("added", False, True), ("both", True, True)]
    }


def main():
    with mock.patch("time.time", return_value=float(NOW)):
        lists = {name: stored(rows) for name, rows in LISTS.items()}
        for made in lists.values():
            made["next"] = ways(made)
    print(json.dumps({"now": NOW, "key": settings.SECRET_KEY, "lists": lists}, indent=1))


main()
