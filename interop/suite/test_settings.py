"""The settings that djauth asks a Django project for: they alone must carry the site's sessions."""

import os
import stat
import sys

import pytest

from suite.browser import Browser
from suite.conftest import settings_for, storage_for
from suite.databases import Database
from suite.own_models import MODELS
from suite.sides import HERE, Django, Djauth


class FromFile(Djauth):
    """The binary with the written file, and nothing of the site in its environment."""

    def environment(self):
        kept = {k: os.environ[k] for k in ("PATH", "HOME", "LANG", "TMPDIR") if k in os.environ}
        return {**kept, "DJAUTH_SETTINGS": str(self.file)}


def written_by(site, folder, *more):
    """Asks the project as an operator does; what the command said and where the settings are."""
    asking = Djauth(site.settings, folder)
    environment = {**site.environment(), "DJAUTH_SETTINGS": ""}
    file = folder / "asked.toml"
    file.unlink(missing_ok=True)
    done = asking.run(
        "settings", "--from", str(HERE / "project/manage.py"), "--python", sys.executable,
        "--output", str(file), *more, check=False, **environment,
    )
    return done, file


@pytest.fixture(scope="module")
def site(database, engine, folder):
    storage = storage_for(engine, folder)
    settings = settings_for(database, engine, TIME_ZONE="Europe/Berlin", **storage)
    side = Django(settings, folder).start()
    yield side
    side.stop()


def test_a_session_of_the_site_holds_with_the_written_settings(site, folder, engine, in_place_of_djauth):
    if in_place_of_djauth[0] is Django:
        pytest.skip("Django asks nobody")
    done, file = written_by(site, folder)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert site.settings["SECRET_KEY"] not in done.stdout + done.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    name, password = f"asked-{engine}", "correct horse"
    site.run(
        "createsuperuser", "--noinput", "--username", name, "--email", "a@b.example",
        DJANGO_SUPERUSER_PASSWORD=password,
    )
    browser = Browser()
    assert browser.login(site, name, password).status == 302
    ours = FromFile({}, folder)
    ours.file = file
    assert ours.run("check").returncode == 0
    doctor = ours.run("doctor")
    assert "0 problem(s), 0 warning(s)" in doctor.stdout, doctor.stdout
    ours.start()
    try:
        assert ours.who(browser) == name
        other = Browser()
        assert other.login(ours, name, password).status == 302
        assert site.who(other) == name
        # Neither side has hashed the password anew, which would have ended the other's session.
        assert site.who(browser) == name and ours.who(other) == name
    finally:
        ours.stop()


@pytest.mark.parametrize("name", MODELS)
def test_an_own_user_model_is_described_well_enough_to_hold_its_sessions(name, kind, folder, in_place_of_djauth):
    if in_place_of_djauth[0] is Django:
        pytest.skip("Django asks nobody")
    model, database = MODELS[name], Database(kind, folder)
    site = Django(settings_for(database, AUTH_USER_MODEL=model.label), folder)
    site.run("migrate", "--verbosity=0")
    done, file = written_by(site, folder)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    ours = FromFile({}, folder)
    ours.file = file
    try:
        site.start()
        user, password = model.fresh_name(), "correct horse"
        site.do("create_user", username=user, password=password, **model.fields)
        browser, other = Browser(), Browser()
        assert browser.login(site, user, password).status == 302
        assert "0 problem(s)" in ours.run("doctor").stdout
        ours.start()
        assert ours.who(browser) == user
        assert other.login(ours, user, password).status == 302
        assert site.who(other) == user and site.who(browser) == user
    finally:
        site.stop()
        ours.stop()
        database.drop()
