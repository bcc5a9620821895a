"""Makes crates/djauth/tests/data/damaged_rows.json: what Django reads in rows of SQLite that it did not write.

    python damaged_rows.py > ../../crates/djauth/tests/data/damaged_rows.json

Needs only Django. Values that make it fail are null.
"""

import _pydatetime
import datetime
import json
import random

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="damaged-rows-0123456789abcdefghijklmnopqrstuvwxyz",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    USE_TZ=True,
    LOGGING_CONFIG=None,
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

call_command("migrate", verbosity=0)
User.objects.create(username="alice")
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

DATES = ["2026-11-03", "20261103", "2026-W45-2", "2026W452", "2026-W45", "2026-1-3", "2026-11-31", "0000-01-01", "26-11-03"]
TIMES = [
    "", " 04:05:06", "T04:05:06", "T040506", " 04:05", "T0405", " 04", "T04", " 4:5", " 4:5:6", "x04:05:06",
    " 04:05:06.5", " 04:05:06,25", " 04:05:06.1234567", " 4:05:06.123456789012", " 4:05:06.1234567890123",
    " 04:05:60", " 24:00:00", "T040506.75", " 4:05.5", " ", "T", "  04:05:06",
]
ZONES = ["", "Z", "+02:00", "-0330", "+05", "  Z", " +01:00", "+05:99", "-24:00", "+01:02:03", "z", "+1"]
SHAPES = "0123456789-:T.+ ZW,"


def moments():
    yield from (date + time for date in DATES for time in TIMES)
    yield from (f"{day}{time}{zone}" for day in ("2026-11-03", "2026-1-3") for time in (" 04:05:06", " 4:05:06.5", "T04:05") for zone in ZONES)
    dice = random.Random(8)
    for _ in range(250):
        text = list(dice.choice(["2026-11-03 04:05:06.123456", "2026-11-03T04:05:06+02:00"]))
        for _ in range(dice.choice([1, 1, 2])):
            at = dice.randrange(len(text))
            text[at:at + 1] = dice.choice(["", dice.choice(SHAPES), text[at] + dice.choice(SHAPES)])
        yield "".join(text)


def slip(text):
    """Whether only the C half of Python reads it: that passes over a digit too many before an offset."""
    def reads(one):
        try:
            return bool(one.datetime.fromisoformat(text))
        except ValueError:
            return False

    return reads(datetime) and not reads(_pydatetime)


def stored(column, sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE auth_user SET {column} = {sql}", values)
    return getattr(User.objects.get(), column)


def moment(text):
    try:
        found = stored("last_login", "%s", text)
        return None if found is None else (found - EPOCH) // datetime.timedelta(microseconds=1)
    except Exception:
        return None


def session(sql):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")
        key = "k" * 32
        cursor.execute(f"INSERT INTO django_session VALUES (%s, {sql}, '2999-01-01 00:00:00')", [key])
    store = SessionStore(key)
    return [store.load(), store.session_key]


found = {
    "moments": [{"text": text, "micros": moment(text)} for text in dict.fromkeys(moments()) if not slip(text)],
    "booleans": [
        {"sql": sql, "true": bool(stored("is_superuser", sql))}
        for sql in ("0", "1", "2", "-1", "0.5", "1.0", "'1'", "1000000000000")
    ],
    "sessions": [
        {"sql": sql, "loaded": session(sql)}
        for sql in ("x'00ff'", "x'7b7d'", "''", "'no session'", "5", "0.5", "'5'")
    ],
}
print(json.dumps(found, indent=0))
