"""User models of the site's own: to Django a class, to the application a struct, to the binary a setting."""

import secrets
from base64 import urlsafe_b64encode

import pytest

from suite.browser import Browser
from suite.conftest import House, settings_for
from suite.databases import Database
from suite.own_models import BACKENDS, MODELS
from suite.sides import Django, Djauth


class OwnHouse(House):
    def __init__(self, database, model, folder, programs):
        settings = settings_for(database, AUTH_USER_MODEL=model.label, **BACKENDS)
        super().__init__(database, settings, folder, programs)
        self.model = model
        if isinstance(self.djauth, Djauth):
            self.djauth.settings["AUTH_USER_MODEL"] = model.description

    def user(self, maker=None, **fields):
        name, password = self.model.fresh_name(), f"pw-{secrets.token_hex(4)}"
        fields = {**self.model.fields, **fields}
        (maker or self.django).do("create_user", username=name, password=password, **fields)
        return name, password


@pytest.fixture(scope="module", params=list(MODELS))
def own_house(request, kind, folder, in_place_of_djauth):
    """A database that Django made for one of the models, and the three sides on it."""
    model, database = MODELS[request.param], Database(kind, folder)
    settings = settings_for(database, AUTH_USER_MODEL=model.label)
    Django(settings, folder).run("migrate", "--verbosity=0")
    with OwnHouse(database, model, folder, in_place_of_djauth) as house:
        yield house
    database.drop()


def seen(house, browser):
    return {type(side).__name__: side.who(browser) for side in house.sides}


def everywhere(house, name):
    return {type(side).__name__: name for side in house.sides}


def test_a_session_of_an_own_user_holds_on_all_sides(own_house):
    for side in own_house.sides:
        name, password = own_house.user()
        browser = Browser()
        assert browser.login(side, name, "wrong").status == 200
        assert seen(own_house, browser) == everywhere(own_house, None)
        assert browser.login(side, name, password).status == 302
        assert seen(own_house, browser) == everywhere(own_house, name)
        held = [browser.get(reader, "/session/").json() for reader in (own_house.django, own_house.library)]
        assert held[0] == held[1]
        assert held[0]["_auth_user_backend"] == "house.backends.Accounts"
        for other in own_house.sides:
            guest = Browser()
            guest.login(side, name, password)
            assert guest.logout(other).status == 200
            assert seen(own_house, guest) == everywhere(own_house, None)


def test_the_last_login_of_an_own_user_is_written(own_house):
    model = own_house.model
    for side in own_house.sides:
        name, password = own_house.user()
        statement = f"SELECT last_login FROM {model.table} WHERE {model.name_column} = ?"
        last = lambda: own_house.database.query(statement, (name,))[0]["last_login"]
        assert last() is None
        Browser().login(side, name, password)
        assert last() is not None, type(side).__name__


def test_an_own_user_changes_the_password_by_the_page(own_house):
    for side in own_house.sides:
        name, password = own_house.user()
        browser, other = Browser(), Browser()
        browser.login(own_house.django, name, password)
        other.login(own_house.djauth, name, password)
        new = f"new-{secrets.token_hex(4)}"
        form = {"old_password": password, "new_password1": new, "new_password2": new}
        assert browser.submit(side, "/accounts/password_change/", form).status == 302
        assert seen(own_house, browser) == everywhere(own_house, name)
        assert seen(own_house, other) == everywhere(own_house, None)
        for reader in own_house.sides:
            assert Browser().login(reader, name, password).status == 200
            assert Browser().login(reader, name, new).status == 302


def test_an_own_user_resets_the_password_by_a_link_of_any_side(own_house):
    model = own_house.model
    for maker in (own_house.django, own_house.library):
        for reader in own_house.sides:
            name, _ = own_house.user()
            key = maker.do("describe", username=name)[model.key_name]
            uid = urlsafe_b64encode(key.encode()).decode().rstrip("=")
            token = maker.do("make_token", username=name)["token"]
            browser = Browser()
            link = f"/accounts/reset/{uid}/{token}/"
            page = browser.get(reader, link)
            assert (page.status, page.location) == (302, f"/accounts/reset/{uid}/set-password/")
            new = f"new-{secrets.token_hex(4)}"
            form = {"new_password1": new, "new_password2": new}
            assert browser.submit(reader, page.location, form).status == 302
            for side in own_house.sides:
                assert Browser().login(side, name, new).status == 302
                # Used up.
                assert Browser().get(side, link).status == 200


def test_own_users_are_the_same_whoever_made_them(own_house):
    model = own_house.model
    for maker in (own_house.django, own_house.library):
        name, _ = own_house.user(maker)
        described = [side.do("describe", username=name) for side in (own_house.django, own_house.library)]
        assert described[0] == described[1]
        assert described[0][model.name] == name
        for field, value in model.fields.items():
            assert described[0][field] == value
    own_house.library.do("set_password", username=name, password="set anew")
    for side in own_house.sides:
        assert Browser().login(side, name, "set anew").status == 302


def test_createsuperuser_of_both_makes_the_same_own_user(own_house):
    model, found = own_house.model, []
    for number, maker in enumerate((own_house.django, own_house.djauth)):
        name = f"Root{number}@EXAMPLE.com" if model.name == "email" else f"root{number}"
        given = {"email": "Mixed@EXAMPLE.com", "full_name": "Root", model.name: name}
        variables = {f"DJANGO_SUPERUSER_{field.upper()}": text for field, text in given.items()}
        maker.run("createsuperuser", "--noinput", DJANGO_SUPERUSER_PASSWORD="long enough", **variables)
        name = name.replace("EXAMPLE", "example")
        for side in own_house.sides:
            assert Browser().login(side, name, "long enough").status == 302
        described = own_house.django.do("describe", username=name)
        found.append({k: v for k, v in described.items() if k not in (model.name, model.key_name, "joined")})
        again = maker.run("createsuperuser", "--noinput", check=False, **variables)
        assert again.returncode == 1, again
        browser = Browser()
        answer = browser.login(own_house.django, name, "long enough", "/admin/login/?next=/admin/")
        if model.has_permissions:
            assert (answer.status, browser.get(own_house.django, "/admin/").status) == (302, 200)
    assert found[0] == found[1]


@pytest.mark.parametrize("own_house", ["account"], indirect=True)
def test_permissions_of_own_users_hold_on_all_sides(own_house):
    for granting in (own_house.django, own_house.library):
        name, password = own_house.user()
        browser = Browser()
        browser.login(own_house.djauth, name, password)
        readers = (own_house.django, own_house.library)
        may = lambda: [browser.get(side, "/report/").status for side in readers] + [
            browser.get(own_house.djauth, "/auth/verify?perm=reports.publish_report").status
        ]
        held = lambda: [side.do("permissions", username=name)["permissions"] for side in readers]
        assert may() == [403, 403, 403]
        granting.do("grant", username=name, permission="reports.publish_report")
        group = f"g{secrets.token_hex(4)}"
        granting.do("create_group", name=group)
        granting.do("grant_group", name=group, permission="accounts.view_account")
        granting.do("join", username=name, group=group)
        assert may() == [200, 200, 200]
        assert held() == [["accounts.view_account", "reports.publish_report"]] * 2
        granting.do("update_user", username=name, is_active=False)
        assert seen(own_house, browser) == everywhere(own_house, None)
        granting.do("delete_user", username=name)
        for table in ("accounts_account_groups", "accounts_account_user_permissions"):
            assert own_house.database.query(f"SELECT 1 FROM {table}") == []


@pytest.mark.parametrize("own_house", ["member"], indirect=True)
def test_a_model_without_permissions_has_none_on_both_sides(own_house):
    name, password = own_house.user()
    browser = Browser()
    browser.login(own_house.django, name, password)
    # Django's own answer is a failure: such a user has no method to ask.
    if isinstance(own_house.djauth, Djauth):
        assert browser.get(own_house.library, "/report/").status == 403
        assert browser.get(own_house.djauth, "/auth/verify?perm=reports.publish_report").status == 403


def test_the_binary_finds_nothing_to_do_on_a_database_of_django(own_house):
    if not isinstance(own_house.djauth, Djauth):
        return
    before = own_house.database.everything()
    own_house.djauth.run("check")
    own_house.djauth.run("migrate", "--check")
    assert "Nothing to migrate" in own_house.djauth.run("migrate").stdout
    assert own_house.database.everything() == before
