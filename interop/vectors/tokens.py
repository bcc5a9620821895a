"""Makes crates/djauth/tests/data/tokens-*.json: reset tokens as Django makes them, in several time zones.

Run with the Django of the file's name: python tokens.py > ../../crates/djauth/tests/data/tokens-6.1.json
"""

import json
import os
import time
import uuid
from datetime import datetime, timezone

import django
from django.conf import settings

KEY = "tokens-vector-key-0123456789abcdefghijklmnopqrstuv"
FALLBACK = "tokens-vector-fallback-0123456789abcdefghijklmnop"

settings.configure(
    SECRET_KEY=KEY,
    SECRET_KEY_FALLBACKS=[FALLBACK],
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
    USE_TZ=True,
)
django.setup()

from django.contrib.auth.models import AbstractBaseUser, User  # noqa: E402
from django.contrib.auth.tokens import PasswordResetTokenGenerator  # noqa: E402
from django.db import models  # noqa: E402


class Account(AbstractBaseUser):
    """A user with a UUID as key and an address in a column of another name."""

    id = models.UUIDField(primary_key=True)
    contact = models.CharField(max_length=254, null=True)
    EMAIL_FIELD = "contact"
    USERNAME_FIELD = "contact"

    class Meta:
        app_label = "accounts"


ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe"]

# Both sides of, and inside, the hours that clocks in Berlin and New York skip and repeat.
MOMENTS = [
    "2001-01-01T12:00:00+00:00",
    "2026-01-01T00:00:00+00:00",
    "2026-03-29T00:59:59+00:00", "2026-03-29T01:00:00+00:00",
    "2026-10-25T00:30:00+00:00", "2026-10-25T01:30:00+00:00",
    "2026-11-01T05:30:00.999999+00:00", "2026-11-01T06:30:00+00:00",
    "2069-12-31T23:59:59+00:00",
]

HASH = "pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$3sV/SVfT6ME4dIgYVdSlH0jEvyK0z+y3AJvov9Y+8MA="


def moment(text):
    return None if text is None else datetime.fromisoformat(text)


USERS = [
    {"id": "1", "password": HASH, "last_login": None, "email": "alice@example.com"},
    {"id": "1", "password": HASH, "last_login": "2025-12-31T23:59:58.123456+00:00", "email": "alice@example.com"},
    {"id": "2147483647", "password": "!unusable", "last_login": "2026-01-01T00:00:00+00:00", "email": ""},
    {"id": "3", "password": "", "last_login": "1999-01-02T03:04:05+00:00", "email": "B\u00fccher@\u00fc.example"},
    {"id": "00000000-0000-0000-0000-000000000001", "password": HASH, "last_login": None, "email": None},
    {"id": "f47ac10b-58cc-4372-a567-0e02b2c3d479", "password": HASH,
     "last_login": "2026-06-01T10:20:30.000001+00:00", "email": "carol@example.com"},
]


def user(case):
    common = {"password": case["password"], "last_login": moment(case["last_login"])}
    if "-" in case["id"]:
        return Account(id=uuid.UUID(case["id"]), contact=case["email"], **common)
    return User(id=int(case["id"]), email=case["email"], **common)


class At(PasswordResetTokenGenerator):
    """A generator whose clock stands still; the wall clock is the system's own for the zone."""

    def __init__(self, now, **attributes):
        super().__init__()
        self._posix = now
        for name, value in attributes.items():
            setattr(self, name, value)

    def _now(self):
        return datetime.fromtimestamp(self._posix)


def made(now, case, **attributes):
    return At(now, **attributes).make_token(user(case))


def tokens():
    for zone in ZONES:
        os.environ["TZ"] = zone
        time.tzset()
        for text in MOMENTS:
            now = moment(text).timestamp()
            for index, case in enumerate(USERS):
                yield {
                    "zone": zone, "now": text, "user": index,
                    "token": made(now, case),
                    "fallback": made(now, case, secret=FALLBACK),
                    "salted": made(now, case, key_salt="another.salt"),
                    "sha1": made(now, case, algorithm="sha1"),
                }


def checks():
    """What Django says to a token of New York, some time later; around the end of summer time too."""
    os.environ["TZ"] = zone = "America/New_York"
    time.tzset()
    cases = []
    for start in ["2026-01-01T00:00:00+00:00", "2026-10-31T12:00:00+00:00"]:
        token = made(moment(start).timestamp(), USERS[1])
        for age in [0, 259199, 259200, 259201, 262800, 262801, -3600]:
            later = moment(start).timestamp() + age
            cases.append({"zone": zone, "user": 1, "token": token,
                          "now": datetime.fromtimestamp(later, timezone.utc).isoformat(),
                          "good": At(later).check_token(user(USERS[1]), token)})
    now = moment("2026-01-01T00:00:00+00:00").timestamp()
    token = made(now, USERS[1])
    stamp, mac = token.split("-")
    for text in ["", "-", token.upper(), " " + token, "0" + token, token + "-", token[:-1], mac, stamp + "-",
                 "+" + token, stamp[0] + "_" + stamp[1:] + "-" + mac, "1" * 14 + "-" + mac, "z" * 13 + "-" + mac]:
        cases.append({"zone": zone, "user": 1, "token": text, "now": "2026-01-01T00:00:00+00:00",
                      "good": At(now).check_token(user(USERS[1]), text)})
    return cases


print(json.dumps({"key": KEY, "fallback": FALLBACK, "users": USERS,
                  "tokens": list(tokens()), "checks": checks()}, indent=None, separators=(",", ":"))
      .replace('},{', '},\n{'))
