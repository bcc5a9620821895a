"""Databases that one side makes and the other finds."""

import pytest

from suite.conftest import settings_for
from suite.databases import Database
from suite.sides import Django


@pytest.fixture
def empty(kind, folder):
    database = Database(kind, folder)
    yield database
    database.drop()


def test_django_has_nothing_to_do_on_a_database_of_ours(empty, folder, in_place_of_djauth):
    settings = settings_for(empty, ONLY_AUTH="1")
    in_place_of_djauth[0](settings, folder).run("migrate")
    django = Django(settings, folder)
    made = empty.everything()
    django.run("migrate", "--check")
    django.run("makemigrations", "--check", "--dry-run")
    django.run("migrate", "--verbosity=0")
    assert empty.everything() == made


def test_a_site_grows_on_a_database_of_ours(empty, folder, in_place_of_djauth):
    """Django adds the admin's and the project's tables to ours, and ours has nothing to do then."""
    ours = in_place_of_djauth[0](settings_for(empty, ONLY_AUTH="1"), folder)
    ours.run("migrate")
    Django(settings_for(empty), folder).run("migrate", "--verbosity=0")
    made = empty.everything()
    assert "django_admin_log" in made and "reports_report" in made
    ours.run("migrate", "--check")
    ours.run("migrate")
    assert empty.everything() == made


def test_we_change_nothing_in_a_database_of_django(empty, folder, in_place_of_djauth):
    django = Django(settings_for(empty), folder)
    django.run("migrate", "--verbosity=0")
    made = empty.everything()
    ours = in_place_of_djauth[0](settings_for(empty), folder)
    ours.run("migrate", "--check")
    ours.run("migrate")
    ours.run("check")
    ours.run("clearsessions")
    assert empty.everything() == made


def test_both_sides_remove_the_same_sessions(empty, folder, in_place_of_djauth):
    django = Django(settings_for(empty), folder)
    django.run("migrate", "--verbosity=0")
    ours = in_place_of_djauth[0](settings_for(empty), folder)
    for side in (django, ours):
        for key, year in (("a" * 32, 2001), ("b" * 32, 2100)):
            date = f"{year}-01-01 00:00:00"
            insert = "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (?, ?, ?)"
            empty.execute(insert, (key, "e30:x:y", date))
        side.run("clearsessions")
        left = [row["session_key"] for row in empty.rows("django_session")]
        assert left == ["b" * 32], type(side).__name__
        empty.execute("DELETE FROM django_session")
