"""Both admins edit the same users and groups in turn; a seed that fails is printed and fails again."""

import secrets

import pytest

from suite.conftest import House, migrated, settings_for
from suite.edits import Edits
from suite.sides import Django
from suite.test_walk import read_as_django


@pytest.fixture
def sites(kind, folder, in_place_of_djauth):
    """Two sites in the same state: one of three sides, and one of Django alone with its database."""
    with migrated(kind, folder) as shared, migrated(kind, folder) as other:
        mirror = Django(settings_for(other), folder)
        try:
            with House(shared, settings_for(shared), folder, in_place_of_djauth) as house:
                yield house, mirror.start(), other
        finally:
            mirror.stop()


@pytest.mark.walk
@pytest.mark.edits
def test_random_edits_through_both_admins(sites, kind, pytestconfig):
    house = sites[0]
    read_as_django(house.django.settings["SECRET_KEY"])
    seed = pytestconfig.getoption("--walk")
    seed = secrets.randbelow(2**32) if seed is None else seed
    steps = pytestconfig.getoption("--edits")
    edits = Edits(seed, *sites)
    try:
        edits.run(steps)
    except BaseException:
        print("\n".join(edits.trace[-12:]))
        print(house.djauth.log_text(), house.library.log_text())
        print(f"again: cargo xtask interop --walk {seed} --database {kind} -- -k edits --edits {steps}")
        raise
