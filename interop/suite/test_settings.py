"""The settings that djauth asks a Django project for: they alone must carry the site's sessions."""

import os
import stat
import sys
import tomllib

import django
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
def site(own_database, engine, folder):
    storage = storage_for(engine, folder)
    settings = settings_for(own_database, engine, TIME_ZONE="Europe/Berlin", **storage)
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


SECRET = "mail-password-7"
SERVER = {
    "EMAIL_HOST": "mail.example.com", "EMAIL_PORT": 587, "EMAIL_USE_TLS": True, "EMAIL_TIMEOUT": 9,
    "EMAIL_HOST_USER": "house", "EMAIL_HOST_PASSWORD": SECRET,
}
OPTIONS = {"host": "mail.example.com", "use_tls": True, "username": "house", "password": SECRET}
MAILERS = {
    "default": {"OPTIONS": OPTIONS | {"timeout": 9, "ssl_keyfile": None}},
    "odd": {"BACKEND": "house.mail.Backend"},
}


def carried(database, folder, in_place_of_djauth, **mail):
    """The exit code, what was said, and the written values."""
    if in_place_of_djauth[0] is Django:
        pytest.skip("Django asks nobody")
    site = Django(settings_for(database, DEFAULT_FROM_EMAIL="house@example.com", **mail), folder)
    done, file = written_by(site, folder)
    said = done.stdout + done.stderr
    assert SECRET not in said
    return done.returncode, said, tomllib.loads(file.read_text()), file


def test_the_site_s_mail_server_is_carried_over(database, folder, in_place_of_djauth):
    code, said, values, _ = carried(database, folder, in_place_of_djauth, **SERVER)
    assert code == 0, said
    assert {name: values.get(name) for name in SERVER} == SERVER
    assert values["DEFAULT_FROM_EMAIL"] == "house@example.com"
    assert "MAILERS" not in values


def test_mailers_are_carried_over_where_django_has_them(database, folder, in_place_of_djauth):
    code, said, values, _ = carried(database, folder, in_place_of_djauth, MAILERS=MAILERS)
    assert not [name for name in values if name.startswith("EMAIL_")]
    if django.VERSION < (6, 1):
        assert code == 0 and "MAILERS" not in values, said
        return
    # A backend of the site's own has no counterpart, and takes none of the others away.
    assert code == 3 and 'MAILERS["odd"]' in said, said
    assert values["MAILERS"] == {"default": {"OPTIONS": OPTIONS | {"timeout": 9}}}


def test_mail_leaves_by_the_written_settings(database, folder, in_place_of_djauth):
    out = folder / "carried-mail"
    out.mkdir(exist_ok=True)
    backend = "django.core.mail.backends.filebased.EmailBackend"
    mail = {"EMAIL_BACKEND": backend, "EMAIL_FILE_PATH": str(out)}
    if django.VERSION >= (6, 1):
        mail = {"MAILERS": {"default": {"BACKEND": backend, "OPTIONS": {"file_path": str(out)}}}}
    code, said, _, file = carried(database, folder, in_place_of_djauth, **mail)
    assert code == 0, said
    before = set(out.iterdir())
    ours = FromFile({}, folder)
    ours.file = file
    ours.run("sendtestemail", "alice@example.com")
    (written,) = set(out.iterdir()) - before
    assert "From: house@example.com" in written.read_text()
