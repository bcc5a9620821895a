"""Makes crates/djauth-sessions/tests/data/sessions.json (what Django's sessions store) and
middleware.json (what its session middleware answers).

    python sessions.py > ../../crates/djauth-sessions/tests/data/sessions.json
    python sessions.py middleware > ../../crates/djauth-sessions/tests/data/middleware.json

Needs only Django. Values are given as JSON text, because JSON numbers and surrogates must survive.
"""

import datetime
import decimal
import itertools
import json
import pickle
import pickletools
import sys
from unittest import mock

import django
from django.conf import settings

KEY, OLD_KEY = "djauth-vectors-key", "djauth-vectors-old-key-é"
NOW = 1767225600.25

settings.configure(
    SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=[OLD_KEY], USE_TZ=True,
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
)
django.setup()

from django.contrib.sessions.backends.base import SessionBase  # noqa: E402
from django.contrib.sessions.backends.cache import SessionStore as CacheStore  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore as DbStore  # noqa: E402
from django.contrib.sessions.backends.signed_cookies import SessionStore as CookieStore  # noqa: E402
from django.contrib.sessions.exceptions import SessionInterrupted  # noqa: E402
from django.contrib.sessions.middleware import SessionMiddleware  # noqa: E402
from django.core import signing  # noqa: E402
from django.core.cache.backends.redis import RedisSerializer  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.test.utils import override_settings  # noqa: E402

LOGIN = {
    "_auth_user_id": "1",
    "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    "_auth_user_hash": "d2" * 32,
}
DICTS = [
    {}, {"a": 1}, LOGIN, {**LOGIN, "_session_expiry": 0}, {"_auth_user_id": "1", "n": 3},
    {"é": "ü", "😀": "\u2028\x7f\x00\x1f\"\\/", "": [], "s": "\ud800", "\udfff": "a\ud800b"},
    {"i": [0, 1, 255, 256, 65535, 65536, -1, -128, -129, 2**31 - 1, 2**31, -(2**31), -(2**31) - 1]},
    {"i": [2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**40, -(10**40), 2**2100, -(2**2047)]},
    {"f": [0.0, -0.0, 1.0, 0.1, 1e15, 1e16, 1.5e300, 1e-4, 1e-5, 5e-324, 123456789.125, 1e22]},
    {"f": [float("inf"), float("-inf")], "b": [True, False, None]},
    {"nest": {"a": [[], {}, [[1, [2, [3]]]], {"b": {"c": {}}}], "z": [{}, {"one": 1}, [1]]}},
    {"long": "x" * 300, "longer": "é" * 200, "k" * 256: 1},
    {f"key{n}": n for n in range(40)},
    {"many": list(range(1000, 2005))},
    {"deep": json.loads("[" * 60 + "]" * 60)},
    {"messages": "[[\"__json_message\", 0, 25, \"Saved.\", \"\"]]", "same": ["ab", "ab", "ab"]},
]
# Read, but not written in the same form by Django: no vectors of bytes, only of values.
PYTHON_ONLY = [
    {**LOGIN, "t": (1, 2, (3, 4, 5, 6)), "e": (), "one": ("x",), "three": (1, 2, 3)},
    {**LOGIN, "b": b"\x00\xff", "long": b"x" * 300},
    {**LOGIN, 1: "int", True: "bool", None: 1.5, (1, 2): "tuple"},
]
OBJECTS = [
    {**LOGIN, "when": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)},
    {"date": datetime.date(2026, 1, 1), "delta": datetime.timedelta(days=1), **LOGIN},
    {"price": decimal.Decimal("1.50"), **LOGIN, "set": {1, 2}, "frozen": frozenset([1]), "ba": bytearray(b"x")},
    {"class": decimal.Decimal, "nested": [{"x": decimal.Decimal(1)}], **LOGIN, "complex": 1 + 2j},
]
EXPIRIES = [
    None, 0, 1, 300, -5, True, False, 300.9, 0.5, 0.0, -0.5, [], {}, 31536000,
    "2026-01-01T00:01:00+00:00", "2026-01-01T00:00:00+00:00", "2026-01-01T01:01:00.250000+01:00",
    "2030-01-01T00:00:00.123456+00:00", "2025-12-31T23:59:59-00:30", "20300101T000000Z",
]
ISO = [
    "2030-01-01T00:00:00+00:00", "2030-01-01T00:00:00Z", "2030-01-01 00:00", "2030-01-01", "20300101",
    "20300101T123456.5", "2030-01-01T12:34:56,1234567", "2030-01-01T12-0330", "2030-01-01T12:34:56.1+01",
    "2030-01-01T00:00:00+05:30:15.5", "2030-W01-2T01", "2030W012T01", "2030W01", "2030-W01", "2030-W01-7",
    "2030-01-01€01:02", "2030-01-01x010203", "2030-01-01T010203-0100", "2030-01-01T01:02:03-23:59",
    "", "2030", "2030-13-01", "2030-1-1", "2030-01-01T25:00", "2030-01-01T1:00",
    "2030-01-01T00:00:00.", "2030-01-01T00:00:00+", "2030-01-01T00:00:00+aa:00", "0000-01-01",
    "2030-01-01T00:00:00ZZ", "2030-01-01T00:00.5", "tomorrow", "2030-W54-1", "2030-W01-9", "2030-02-30",
    "2030-01-01T00:00:60", "2030-01-01T12.5", "2030-01-01T00:00:00+24:00", "2030-0101",
    "203001-01", "2030-01-01T0102:03", "2030-01-01T01:0203", "2030-W012", "2030W01-2",
]


def dumps(value):
    return json.dumps(value, separators=(",", ":"))


def session_data(key, value):
    with mock.patch("time.time", return_value=NOW), override_settings(SECRET_KEY=key):
        return DbStore().encode(value)


def cookie(key, value, at=NOW):
    store = CookieStore()
    store._session_cache = value
    with mock.patch("time.time", return_value=at), override_settings(SECRET_KEY=key):
        store.save()
    return store.session_key


def is_exact(data):
    """Whether the pickle shares nothing, so that equal values give equal bytes."""
    return not any("GET" in opcode.name for opcode, _, _ in pickletools.genops(data))


def pickles():
    for value in DICTS:
        # Through JSON, as a session comes from a request to the cache.
        value = json.loads(json.dumps(value))
        data = RedisSerializer().dumps(value)
        yield {"json": dumps(value), "pickle": data.hex(), "exact": is_exact(data)}


def old_protocols():
    for value, protocol in itertools.product(DICTS[:11], (2, 3, 4)):
        yield {"json": dumps(value), "pickle": pickle.dumps(value, protocol).hex()}


def python_only():
    for value in PYTHON_ONLY:
        value = pickle.loads(pickle.dumps(value, 5))
        data = RedisSerializer().dumps(value)
        try:
            text = dumps(value)
        except TypeError:
            text = None
        yield {"json": text, "pickle": data.hex(), "exact": is_exact(data)}


def bad_texts():
    good = session_data(KEY, LOGIN)
    sign = signing.TimestampSigner(salt="django.contrib.sessions.SessionStore").sign
    texts = [
        "", "x", ":", "::", good[:-1], good[1:], good + "A", good.replace(":", ";"), "e30:1:2", "é:1:2",
        session_data("another key", LOGIN), cookie(KEY, LOGIN),
        sign("!!!"), sign(".e30"), sign("."), sign(""), sign(signing.b64_encode(b"[1").decode()),
        sign(signing.b64_encode(b"\xff{}").decode()), sign(signing.b64_encode(b"").decode()),
        sign(signing.b64_encode(b'{"a":1}x').decode()), sign("e30") + "\n",
    ]
    with mock.patch("logging.Logger.warning"):
        for text in texts:
            yield {"text": text, "json": dumps(DbStore().decode(text))}


def readable_texts():
    sign = signing.TimestampSigner(salt="django.contrib.sessions.SessionStore").sign
    for raw in [
        b' { "a" : [ 1 , 2 ] } \n', b'{"a":1,"a":2,"b":3}', b'{"\xe9":"\xff"}', b'{"a":NaN,"b":-Infinity}',
        b'{"a":1e400,"b":-0,"c":1E5,"d":1.10}', b'{"\\u0061":"\\u00E9\\/"}',
    ]:
        text = sign(signing.b64_encode(raw).decode())
        yield {"text": text, "json": dumps(DbStore().decode(text))}


def expiries():
    now = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
    for expiry in EXPIRIES:
        store = SessionBase()
        store._session_cache = {} if expiry is None else {"_session_expiry": expiry}
        yield {
            "json": dumps(store._session_cache),
            "age": int(store.get_expiry_age(modification=now)),
            "date": store.get_expiry_date(modification=now).astimezone(datetime.timezone.utc).isoformat(),
            "close": store.get_expire_at_browser_close(),
        }


def iso_dates():
    for text in ISO:
        try:
            date = datetime.datetime.fromisoformat(text)
        except ValueError:
            yield {"text": text, "date": None}
            continue
        date = date.replace(tzinfo=date.tzinfo or datetime.timezone.utc)
        yield {"text": text, "date": date.astimezone(datetime.timezone.utc).isoformat()}


def cookies():
    age = settings.SESSION_COOKIE_AGE
    for value, made in itertools.product(DICTS[:6], [NOW, NOW - age + 1, NOW - age]):
        text = cookie(KEY, value, made)
        store = CookieStore(text)
        assert dict(store.items()) == value or store.modified
        yield {"json": dumps(value), "cookie": text, "accepted": not store.modified}


# --- the middleware ---

COOKIES = ["none", "empty", "short", "unknown", "known"]
ACTIONS = [
    "nothing", "has_nothing", "read", "write", "remove_absent", "clear", "clear_and_write", "flush", "cycle",
    "write_and_flush", "flush_and_write", "deleted_meanwhile", "close", "seconds", "date", "default",
]
STATUSES = [200, 404, 500]


def act(session, action):
    if action == "has_nothing":
        "absent" in session
    elif action == "read":
        session.get("a")
    elif action == "write":
        session["b"] = 2
    elif action == "remove_absent":
        session.pop("absent", None)
    elif action == "clear":
        session.clear()
    elif action == "clear_and_write":
        session.clear()
        session["b"] = 2
    elif action == "flush":
        session.flush()
    elif action == "cycle":
        session.cycle_key()
    elif action == "write_and_flush":
        session["b"] = 2
        session.flush()
    elif action == "flush_and_write":
        session.flush()
        session["b"] = 2
    elif action == "deleted_meanwhile":
        session["b"] = 2
        session.delete()
    elif action == "close":
        session.set_expiry(0)
    elif action == "seconds":
        session.set_expiry(300)
    elif action == "date":
        session.set_expiry(datetime.datetime.fromtimestamp(NOW + 60, datetime.timezone.utc))
    elif action == "default":
        session.set_expiry(None)


def outcome(kind, action, status):
    value = {"none": None, "empty": "", "short": "short", "unknown": "u" * 32}.get(kind)
    if kind == "known":
        store = CacheStore()
        store["a"] = 1
        store.save()
        value = store.session_key
    request = RequestFactory().get("/")
    if value is not None:
        request.COOKIES["sessionid"] = value

    def view(request):
        act(request.session, action)
        return HttpResponse(status=status)

    try:
        response = SessionMiddleware(view)(request)
    except SessionInterrupted:
        return {"interrupted": True}
    morsel = response.cookies.get("sessionid")
    found = {"vary": response.get("Vary") == "Cookie", "cookie": "keep"}
    if morsel is not None:
        found["cookie"] = "set" if morsel.value else "delete"
    if found["cookie"] == "set":
        found["max_age"] = morsel["max-age"] if morsel["max-age"] != "" else None
        found["expires"] = morsel["expires"] or None
        found["same_key"] = morsel.value == value
    return found


def middleware():
    for every, close in itertools.product([False, True], repeat=2):
        with override_settings(SESSION_SAVE_EVERY_REQUEST=every, SESSION_EXPIRE_AT_BROWSER_CLOSE=close):
            for kind, action, status in itertools.product(COOKIES, ACTIONS, STATUSES):
                yield {"every": every, "close": close, "had": kind, "act": action, "status": status} | outcome(kind, action, status)


def write_list(name, values, last=False):
    print(f"{json.dumps(name)}: [")
    print(",\n".join(json.dumps(value) for value in values))
    print("]" if last else "],")


def main():
    print("{")
    if sys.argv[1:] == ["middleware"]:
        write_list("middleware", middleware(), last=True)
        print("}")
        return
    print(f'"key": {json.dumps(KEY)}, "old_key": {json.dumps(OLD_KEY)}, "now": {NOW},')
    write_list("session_data", (
        {"json": dumps(value), "text": session_data(KEY, value), "old": session_data(OLD_KEY, value)} for value in DICTS
    ))
    write_list("readable", readable_texts())
    write_list("bad", bad_texts())
    write_list("cookies", cookies())
    write_list("pickles", pickles())
    write_list("old_protocols", old_protocols())
    write_list("python_only", python_only())
    write_list("objects", ({"pickle": RedisSerializer().dumps(value).hex()} for value in OBJECTS))
    write_list("expiries", expiries())
    write_list("iso", iso_dates(), last=True)
    print("}")


if __name__ == "__main__":
    now = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
    with mock.patch("time.time", return_value=NOW), mock.patch("django.utils.timezone.now", return_value=now):
        main()
