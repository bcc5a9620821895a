"""2,000 random steps on each database; a seed that fails is printed and fails again."""

import secrets

import django
import pytest
from django.conf import settings

from suite.conftest import settings_for
from suite.databases import Database
from suite.sides import Django
from suite.walk import Walk



@pytest.fixture
def twins(kind, folder, in_place_of_djauth):
    """Django and djauth, each with a database of its own in the same state."""
    databases, servers = [], []
    try:
        for make in (Django, in_place_of_djauth[1]):
            database = Database(kind, folder)
            databases.append(database)
            chosen = settings_for(database)
            Django(chosen, folder).run("migrate", "--verbosity=0")
            servers.append(make(chosen, folder).start())
        yield list(zip(servers, databases))
    finally:
        for server in servers:
            server.stop()
        for database in databases:
            database.drop()


def read_as_django(secret):
    """Rows are judged with Django's own functions."""
    if settings.configured:
        return
    hashers = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    apps = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sessions"]
    settings.configure(SECRET_KEY=secret, PASSWORD_HASHERS=hashers, INSTALLED_APPS=apps, USE_TZ=True)
    django.setup()


@pytest.mark.walk
def test_random_walk(twins, kind, pytestconfig):
    read_as_django(twins[0][0].settings["SECRET_KEY"])
    seed = pytestconfig.getoption("--walk")
    seed = secrets.randbelow(2**32) if seed is None else seed
    steps = pytestconfig.getoption("--steps") or 2000
    walk = Walk(seed, *twins)
    try:
        walk.run(steps)
    except BaseException:
        print("\n".join(walk.trace[-12:]))
        print(twins[1][0].log_text())
        print(f"again: cargo xtask interop --walk {seed} --steps {steps} --database {kind}")
        raise
