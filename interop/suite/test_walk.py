"""2,000 random steps on each database; a seed that fails is printed and fails again."""

import contextlib
import secrets

import django
import pytest
from django.conf import settings

from suite.conftest import migrated, settings_for
from suite.sides import Django
from suite.walk import Walk



@pytest.fixture
def twins(kind, folder, in_place_of_djauth):
    """Django and djauth, each with a database of its own in the same state."""
    with contextlib.ExitStack() as stack:
        twins = []
        for make in (Django, in_place_of_djauth[1]):
            database = stack.enter_context(migrated(kind, folder))
            server = make(settings_for(database), folder)
            stack.callback(server.stop)
            twins.append((server.start(), database))
        yield twins


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
