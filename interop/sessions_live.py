"""Lets real Django and djauth-sessions share stored sessions, every engine, in both directions.

    python sessions_live.py PROGRAM DATABASE_URL CACHE_URL

PROGRAM is the example `session_store` of djauth-sessions. The database is migrated by Django if it is
empty. Every difference ends the run; a line per engine is printed otherwise. Needs Django with the
drivers of the database and Redis.
"""

import datetime
import decimal
import json
import os
import secrets
import subprocess
import sys
import tempfile
from importlib import import_module
from pathlib import Path

KEY = "djauth-live-key-" + secrets.token_hex(8)
ENGINES = ["db", "cached_db", "cache", "file", "signed_cookies"]
LOGIN = {
    "_auth_user_id": "1",
    "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
    "_auth_user_hash": "d2" * 32,
}
DICTS = [
    {}, {"a": 1}, LOGIN, {**LOGIN, "_session_expiry": 0}, {**LOGIN, "_session_expiry": 300},
    {**LOGIN, "_session_expiry": "2099-01-01T00:00:00+00:00"},
    {"é": "ü", "😀": "\u2028\x7f\x00\x1f\"\\/", "": [], "s": "\ud800", "\udfff": "a\ud800b"},
    {"i": [0, 1, 255, 256, 65535, 65536, -1, -129, 2**31, -(2**31) - 1, 2**63, -(2**63) - 1, 10**40, -(2**2047)]},
    {"f": [0.0, -0.0, 0.1, 1e15, 1e16, 1.5e300, 1e-5, 5e-324, float("inf"), float("-inf")], "b": [True, False, None]},
    {"nest": {"a": [[], {}, [[1, [2, [3]]]], {"b": {"c": {}}}], "z": [{}, {"one": 1}, [1]]}},
    {"long": "x" * 300, "longer": "é" * 200, "k" * 256: 1, "same": ["ab", "ab", "ab"]},
    {"many": list(range(500))},
]


def dumps(value):
    return json.dumps(value, separators=(",", ":"))


class Djauth:
    """The other side: one process per engine."""

    def __init__(self, program, environment):
        self.process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment},
        )
        assert self("load", "-") == (None, "{}")

    def __call__(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        key, _, text = self.process.stdout.readline().rstrip("\n").partition(" ")
        return (None if key == "-" else key), text

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(timeout=10) == 0


def configure(database, cache, prefix, files):
    sys.path.insert(0, str(Path(__file__).parent / "project"))
    os.environ["DATABASE_URL"] = database
    from house.settings import database as parse
    from django.conf import settings
    import django

    settings.configure(
        SECRET_KEY=KEY, USE_TZ=True, DATABASES={"default": parse(database)}, SESSION_FILE_PATH=files,
        INSTALLED_APPS=["django.contrib.sessions"], DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        CACHES={"default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": cache, "KEY_PREFIX": prefix,
        }},
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


class Check:
    def __init__(self, engine, program, environment):
        self.engine = engine
        self.store = import_module(f"django.contrib.sessions.backends.{engine}").SessionStore
        self.djauth = Djauth(program, {**environment, "SESSION_ENGINE": engine})
        self.revocable = engine != "signed_cookies"

    def run(self):
        for value in DICTS:
            if self.engine == "signed_cookies" and len(dumps(value)) > 3000:
                continue
            self.there_to_here(value)
            self.here_to_there(value)
        self.unknown()
        if self.revocable:
            self.ends()
        if self.engine in ("db", "cached_db", "file"):
            self.clears()
        if self.engine in ("db", "cached_db"):
            self.rows()
        if self.engine in ("cache", "cached_db"):
            self.timeouts()
        if self.engine == "cache":
            self.objects()
        self.djauth.close()

    def django(self, key):
        """What a fresh request to Django would see."""
        store = self.store(key)
        data = dict(store.items())
        return store.session_key, data

    def written_by_django(self, value):
        store = self.store()
        for key, item in value.items():
            store[key] = item
        store.save()
        return store.session_key

    def there_to_here(self, value):
        key = self.written_by_django(value)
        self.equal(self.djauth("load", key), (key, dumps(value)))
        changed, text = self.djauth("set", key, "_more", '{"x":[1.5,"\\u00e9"]}')
        expected = {**value, "_more": {"x": [1.5, "é"]}}
        self.equal(text, dumps(expected))
        self.equal(self.django(changed), (changed, expected))
        if self.revocable:
            self.equal(changed, key)

    def here_to_there(self, value):
        key, text = self.djauth("create", dumps(value))
        self.equal(text, dumps(value))
        self.equal(self.django(key), (key, value))
        store = self.store(key)
        store["_more"] = [None]
        store.save()
        self.equal(self.djauth("load", store.session_key), (store.session_key, dumps({**value, "_more": [None]})))

    def unknown(self):
        key = "unknown" + "0" * 25
        if self.revocable:
            self.equal(self.djauth("load", key), (None, "{}"))
            self.equal(self.django(key), (None, {}))

    def ends(self):
        key = self.written_by_django(LOGIN)
        self.equal(self.djauth("flush", key), (None, "{}"))
        self.equal(self.django(key)[1], {})
        key, _ = self.djauth("create", dumps(LOGIN))
        self.store(key).flush()
        self.equal(self.djauth("load", key), (None, "{}"))

        key = self.written_by_django(LOGIN)
        cycled, text = self.djauth("cycle", key)
        assert cycled != key
        self.equal(text, dumps(LOGIN))
        self.equal(self.django(cycled), (cycled, LOGIN))
        self.equal(self.django(key)[1], {})
        store = self.store(cycled)
        store.cycle_key()
        self.equal(self.djauth("load", cycled), (None, "{}"))
        self.equal(self.djauth("load", store.session_key), (store.session_key, dumps(LOGIN)))

    def clears(self):
        lives = self.written_by_django(LOGIN)
        # A number of seconds in a file never ends in Django: give it a time.
        past = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5)).isoformat()
        ended = self.written_by_django({**LOGIN, "_session_expiry": past})
        self.djauth("clear")
        assert not self.really_exists(ended) and self.really_exists(lives)
        ended, _ = self.djauth("create", dumps({**LOGIN, "_session_expiry": past}))
        assert self.really_exists(ended)
        self.store.clear_expired()
        assert not self.really_exists(ended) and self.really_exists(lives)

    def really_exists(self, key):
        if self.engine == "file":
            return self.store().exists(key)
        from django.contrib.sessions.models import Session

        return Session.objects.filter(session_key=key).exists()

    def rows(self):
        from django.contrib.sessions.models import Session

        now = datetime.datetime.now(datetime.timezone.utc)
        for expiry, seconds in [(None, 1209600), (0, 1209600), (300, 300), ("2099-01-01T00:00:00.125000+00:00", None)]:
            value = LOGIN if expiry is None else {**LOGIN, "_session_expiry": expiry}
            key, _ = self.djauth("create", dumps(value))
            row = Session.objects.get(session_key=key)
            self.equal(row.get_decoded(), value)
            if seconds is None:
                self.equal(row.expire_date.isoformat(), expiry)
            else:
                assert abs((row.expire_date - now).total_seconds() - seconds) < 30, (row.expire_date, expiry)

    def timeouts(self):
        from django.core.cache import cache

        client = cache._cache.get_client(write=True)
        for value, seconds in [(LOGIN, 1209600), ({**LOGIN, "_session_expiry": 300}, 300)]:
            key, _ = self.djauth("create", dumps(value))
            name = cache.make_key(f"django.contrib.sessions.{self.engine}{key}")
            self.equal(client.get(name), cache._cache._serializer.dumps(json.loads(dumps(value))))
            assert 0 <= seconds - client.ttl(name) < 30, (client.ttl(name), seconds)

    def objects(self):
        value = {**LOGIN, "price": decimal.Decimal("1.50"), "when": datetime.date(2026, 1, 1)}
        key = self.written_by_django(value)
        self.equal(self.djauth("load", key), (key, 'Some("1")'))
        self.equal(self.djauth("set", key, "more", "1"), ("error", "NotCarried"))
        self.equal(self.django(key), (key, value))
        # Tuples, bytes and keys that are no strings go through unharmed.
        value = {**LOGIN, "t": (1, (2, "x")), "b": b"\x00\xff", 7: "seven"}
        key = self.written_by_django(value)
        self.djauth("set", key, "more", "1")
        self.equal(self.django(key), (key, {**value, "more": 1}))

    def equal(self, found, expected):
        if found != expected:
            sys.exit(f"{self.engine}: found {found!r}, expected {expected!r}")


def main():
    program, database, cache = sys.argv[1:]
    prefix = "live-" + secrets.token_hex(4)
    with tempfile.TemporaryDirectory() as files:
        configure(database, cache, prefix, files)
        import django

        environment = {
            "SECRET_KEY": KEY, "DATABASE_URL": database, "CACHE_URL": cache, "CACHE_KEY_PREFIX": prefix,
            "SESSION_FILE_PATH": files,
        }
        for engine in ENGINES:
            Check(engine, program, environment).run()
            print(f"Django {django.get_version()}, {database.partition(':')[0]}, {engine}: alike")
        from django.core.cache import cache as connected

        client = connected._cache.get_client(write=True)
        for name in client.scan_iter(f"{prefix}*"):
            client.delete(name)


if __name__ == "__main__":
    main()
