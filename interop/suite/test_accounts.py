"""Users, hashes and permissions that both sides change."""

import secrets

from suite.browser import Browser
from suite.conftest import House, settings_for


def password_of(database, username):
    row = database.query("SELECT password FROM auth_user WHERE username = ?", (username,))
    return row[0]["password"]


def test_a_hash_of_other_cost_is_renewed_at_login_and_kept_by_the_other(plain_house):
    for first, second in plain_house.pairs():
        name, password = plain_house.user()
        encoded = plain_house.django.do("make_password", password=password, iterations=777)["encoded"]
        database = plain_house.database
        database.execute("UPDATE auth_user SET password = ? WHERE username = ?", (encoded, name))
        browser = Browser()
        assert browser.login(first, name, password).status == 302
        renewed = password_of(database, name)
        assert renewed.startswith("pbkdf2_sha256$1000$") and renewed != encoded
        assert second.who(browser) == name
        assert Browser().login(second, name, password).status == 302
        assert password_of(database, name) == renewed
        assert first.who(browser) == name


def test_logins_at_default_cost_leave_hash_and_sessions_alone(database, folder, in_place_of_djauth):
    settings = settings_for(database)
    del settings["CHEAP_ITERATIONS"]
    with House(database, settings, folder, in_place_of_djauth) as house:
        for maker in (house.django, house.library):
            name, password = f"d{secrets.token_hex(4)}", "default cost"
            maker.do("create_user", username=name, password=password)
            made = password_of(database, name)
            browsers = [(side, Browser()) for side in house.sides * 2]
            for side, browser in browsers:
                assert browser.login(side, name, password).status == 302
                assert password_of(database, name) == made, type(side).__name__
            for _, browser in browsers:
                assert house.django.who(browser) == name
                assert house.djauth.who(browser) == name


def permissions_of(side, username):
    return side.do("permissions", username=username)["permissions"]


def test_permissions_of_one_hold_on_the_other(plain_house):
    for granting in (plain_house.django, plain_house.library):
        name, password = plain_house.user()
        browser = Browser()
        browser.login(plain_house.django, name, password)
        may_report = lambda: [browser.get(side, "/report/").status for side in (plain_house.django, plain_house.library)]
        assert may_report() == [403, 403]
        granting.do("grant", username=name, permission="reports.publish_report")
        assert may_report() == [200, 200]
        group = f"g{secrets.token_hex(4)}"
        granting.do("create_group", name=group)
        granting.do("grant_group", name=group, permission="auth.view_user")
        granting.do("join", username=name, group=group)
        expected = ["auth.view_user", "reports.publish_report"]
        for side in (plain_house.django, plain_house.library):
            assert permissions_of(side, name) == expected
        granting.do("revoke", username=name, permission="reports.publish_report")
        assert may_report() == [403, 403]
        granting.do("leave", username=name, group=group)
        for side in (plain_house.django, plain_house.library):
            assert permissions_of(side, name) == []


def test_verify_answers_by_the_permissions_that_django_hands_out(plain_house, pytestconfig):
    name, password = plain_house.user()
    browser = Browser()
    browser.login(plain_house.django, name, password)
    ask = lambda query: browser.get(plain_house.djauth, f"/auth/verify{query}").status
    assert ask("") == 200
    assert ask("?perm=reports.publish_report") == 403
    plain_house.django.do("grant", username=name, permission="reports.publish_report")
    assert ask("?perm=reports.publish_report") == 200
    assert ask("?perm=reports.publish_report&perm=auth.view_user") == 403
    plain_house.django.do("grant", username=name, permission="auth.view_user")
    assert ask("?perm=reports.publish_report&perm=auth.view_user") == 200
    assert Browser().get(plain_house.djauth, "/auth/verify?perm=auth.view_user").status == 401
    plain_house.django.do("update_user", username=name, is_active=False)
    assert ask("") == 401


def test_users_made_on_one_side_log_in_on_the_other(plain_house):
    made = [
        {"username": "Ünïcödé", "email": "Mixed.Case@EXAMPLE.com"},
        {"username": "with.dot@and+plus-minus_", "email": ""},
        {"username": "世界", "first_name": "世", "last_name": "界"},
    ]
    for number, maker in enumerate((plain_house.django, plain_house.library)):
        for fields in made:
            name = f"{fields['username']}{number}"
            maker.do("create_user", **{**fields, "username": name, "password": " kept blanks "})
            for side in plain_house.sides:
                browser = Browser()
                assert browser.login(side, f" {name} ", " kept blanks ").status == 302
                assert Browser().login(side, name, "kept blanks").status == 200
                assert {other.who(browser) for other in plain_house.sides} == {name}


def test_an_inactive_user_is_nobody_on_both_sides(plain_house):
    for first, second in plain_house.pairs():
        name, password = plain_house.user()
        browser = Browser()
        browser.login(first, name, password)
        plain_house.django.do("update_user", username=name, is_active=False)
        assert second.who(browser) is None and first.who(browser) is None
        assert Browser().login(second, name, password).status == 200
        plain_house.library.do("update_user", username=name, is_active=True)
        assert second.who(browser) == name and first.who(browser) == name


def test_a_deleted_user_leaves_nothing_behind(plain_house):
    for deleting in (plain_house.django, plain_house.library):
        name, password = plain_house.user()
        browser = Browser()
        browser.login(deleting, name, password)
        deleting.do("grant", username=name, permission="auth.view_user")
        deleting.do("create_group", name=f"of {name}")
        deleting.do("join", username=name, group=f"of {name}")
        deleting.do("delete_user", username=name)
        for side in plain_house.sides:
            assert side.who(browser) is None
        left = "SELECT 1 FROM {} WHERE user_id NOT IN (SELECT id FROM auth_user)"
        for table in ("auth_user_groups", "auth_user_user_permissions"):
            assert plain_house.database.query(left.format(table)) == []


def test_superusers_of_the_command_line_enter_the_admin_of_django(plain_house):
    for maker in (plain_house.djauth, plain_house.django):
        name = f"root{secrets.token_hex(3)}"
        maker.run(
            "createsuperuser", "--noinput", DJANGO_SUPERUSER_USERNAME=name,
            DJANGO_SUPERUSER_EMAIL="root@example.com", DJANGO_SUPERUSER_PASSWORD="long enough",
        )
        browser = Browser()
        answer = browser.login(plain_house.django, name, "long enough", "/admin/login/?next=/admin/")
        assert (answer.status, answer.location) == (302, "/admin/"), answer
        page = browser.get(plain_house.django, "/admin/auth/user/")
        assert page.status == 200 and name in page.text
        assert plain_house.djauth.who(browser) == name
        assert Browser().login(plain_house.djauth, name, "long enough").status == 302


def test_the_second_superuser_of_a_name_is_refused_by_both(plain_house):
    name = f"root{secrets.token_hex(3)}"
    settings = {
        "DJANGO_SUPERUSER_USERNAME": name,
        "DJANGO_SUPERUSER_EMAIL": "root@example.com",
        "DJANGO_SUPERUSER_PASSWORD": "long enough",
    }
    for side in (plain_house.djauth, plain_house.django):
        made = plain_house.database.query("SELECT 1 FROM auth_user WHERE username = ?", (name,))
        done = side.run("createsuperuser", "--noinput", check=False, **settings)
        assert (done.returncode == 0) == (not made), done
