"""The matrix: this interpreter's Django, every database, every session engine.

With `--diagonal` an older Django is tried with each of them, but not with each pair.
"""

import contextlib
import os
import secrets
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pytest

from suite.databases import KINDS, Database
from suite.sides import CHEAP, Django, Djauth, Library

ENGINES = ("db", "cached_db", "cache", "file", "signed_cookies")
NEWEST = (6, 1)
#: Engines that keep nothing in the database, with the one that older Djangos try them on.
ON = {"cache": "postgres", "file": "sqlite", "signed_cookies": "mariadb"}
#: The database on which an older Django's admin is tried.
ADMIN_ON = {(5, 2): "postgres", (4, 2): "mariadb"}


def pytest_addoption(parser):
    group = parser.getgroup("djauth")
    group.addoption("--database", action="append", choices=KINDS, help="only this database")
    group.addoption("--engine", action="append", choices=ENGINES, help="only this session engine")
    group.addoption("--part", choices=KINDS, help="only this database; with the first, also what needs none")
    group.addoption("--diagonal", action="store_true", help="with an older Django, not each pair (see CONTRIBUTING.md)")
    group.addoption("--walk", type=int, help="only the random walk with this seed")
    group.addoption("--steps", type=int, default=0, help="of a random walk; 0: no walks")
    group.addoption("--edits", type=int, default=0, help="steps of the walk through both admins; 0: none")
    group.addoption("--staleness", type=int, default=0, help="changes in each test of staleness; 0: none")
    group.addoption("--seed", type=int, help="of the tests of staleness")
    group.addoption(
        "--against-itself", action="store_true",
        help="put a second Django in djauth's place: shows that the suite itself is right",
    )


def pytest_generate_tests(metafunc):
    option = metafunc.config.getoption
    if "kind" in metafunc.fixturenames:
        kinds = option("database") or KINDS
        if metafunc.definition.get_closest_marker("servers"):
            kinds = [kind for kind in kinds if kind != "sqlite"]
        # Of the whole run: what stands on a database is started once for all modules.
        metafunc.parametrize("kind", kinds, scope="session")
    if "engine" in metafunc.fixturenames:
        metafunc.parametrize("engine", option("engine") or ENGINES, scope="module")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--walk") is not None:
        items[:] = [item for item in items if "walk" in item.keywords]
    elif not config.getoption("--steps"):
        items[:] = [item for item in items if "walk" not in item.keywords or "edits" in item.keywords]
    if not config.getoption("--edits"):
        items[:] = [item for item in items if "edits" not in item.keywords]
    if not config.getoption("--staleness"):
        items[:] = [item for item in items if "staleness" not in item.keywords]
    part, diagonal = config.getoption("--part"), config.getoption("--diagonal")
    left_out = {
        item for item in items if (part and not is_of(item, part)) or (diagonal and is_off_the_diagonal(item))
    }
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def asked(item, name):
    """A parameter of this test."""
    return item.callspec.params.get(name) if hasattr(item, "callspec") else None


def is_of(item, part):
    return asked(item, "kind") in ((part, None) if part == KINDS[0] else (part,))


def is_off_the_diagonal(item):
    """Whether the newest Django alone tries this pair: another pair of this one shows the same."""
    import django

    version, kind = django.VERSION[:2], asked(item, "kind")
    if version == NEWEST or kind is None:
        return False
    if item.path.name.startswith("test_admin_"):
        return kind != ADMIN_ON.get(version, kind)
    return kind != ON.get(asked(item, "engine"), kind)


def pytest_configure(config):
    config.addinivalue_line("markers", "walk: a random walk")
    config.addinivalue_line("markers", "edits: edits at random through both admins")
    config.addinivalue_line("markers", "staleness: changes at random while others ask")
    config.addinivalue_line("markers", "servers: of a database server, so not of SQLite")


def pytest_report_header():
    import django

    return f"Django {django.get_version()} on Python {sys.version.split()[0]}"


@pytest.fixture(scope="session")
def in_place_of_djauth(pytestconfig):
    """The classes of our two programs."""
    return (Django, Django) if pytestconfig.getoption("--against-itself") else (Djauth, Library)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("interop")


#: Databases that Django has made and nobody uses, to be copied.
MODELS = {}


@pytest.fixture(scope="session", autouse=True)
def models():
    yield
    while MODELS:
        MODELS.popitem()[1].drop()


@contextlib.contextmanager
def migrated(kind, folder):
    """A database that Django made."""
    if kind not in MODELS:
        model = Database(kind, folder)
        Django(settings_for(model), folder).run("migrate", "--verbosity=0")
        MODELS[kind] = model
    database = Database(kind, folder, MODELS[kind])
    try:
        yield database
    finally:
        database.drop()


@pytest.fixture(scope="session")
def database(kind, folder):
    """A database that Django made. All modules share it: names in it are fresh ones."""
    with migrated(kind, folder) as database:
        yield database


@pytest.fixture(scope="module")
def own_database(kind, folder):
    """The same for a module alone, which may do with it what it likes."""
    with migrated(kind, folder) as database:
        yield database


def settings_for(database, engine="db", **more):
    settings = {
        "SECRET_KEY": "interop-" + "k" * 42,
        "DATABASE_URL": database.url,
        "ALLOWED_HOSTS": ["127.0.0.1"],
        "SESSION_ENGINE": f"django.contrib.sessions.backends.{engine}",
        "CHEAP_ITERATIONS": CHEAP,
        # That project has no `LocaleMiddleware`, so its pages do not vary by language.
        "USE_ACCEPT_LANGUAGE": False,
        # Django has no such limit.
        "LOGIN_RATE_LIMIT_PER_NETWORK": "",
        "LOGIN_RATE_LIMIT_PER_USERNAME": "",
    }
    return settings | more


def storage_for(engine, folder):
    """What the engine needs beside the database."""
    if engine in ("cache", "cached_db"):
        prefix = f"interop-{secrets.token_hex(4)}"
        return {"CACHE_URL": os.environ["DJAUTH_TEST_REDIS_URL"], "CACHE_KEY_PREFIX": prefix}
    if engine == "file":
        sessions = folder / f"sessions-{secrets.token_hex(4)}"
        sessions.mkdir()
        return {"SESSION_FILE_PATH": str(sessions)}
    return {}


class House:
    """A Django site with djauth beside it: the binary, and the crates in an application."""

    def __init__(self, database, settings, folder, programs):
        self.database = database
        self.django = Django(settings, folder)
        self.djauth = programs[0](settings, folder)
        self.library = programs[1](settings, folder)
        self.sides = (self.django, self.djauth, self.library)

    def __enter__(self):
        try:
            for side in self.sides:
                side.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for side in self.sides:
            side.stop()

    def pairs(self):
        """Every two sides of which one is Django, in both directions."""
        ours = (self.djauth, self.library)
        return [pair for side in ours for pair in ((self.django, side), (side, self.django))]

    def user(self, **fields):
        """A user with a fresh name, made by Django; the name and the password."""
        name, password = f"u{secrets.token_hex(4)}", f"pw-{secrets.token_hex(4)}"
        self.django.do("create_user", username=name, password=password, **fields)
        return name, password


@pytest.fixture(scope="module")
def house(database, engine, folder, in_place_of_djauth):
    settings = settings_for(database, engine, **storage_for(engine, folder))
    with House(database, settings, folder, in_place_of_djauth) as house:
        yield house


@pytest.fixture(scope="session")
def plain_house(database, folder, in_place_of_djauth):
    """As `house`, with the default engine: for what does not depend on it."""
    with House(database, settings_for(database), folder, in_place_of_djauth) as house:
        yield house
