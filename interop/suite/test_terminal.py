"""Questions on a terminal: the same keys typed to Django's commands and to ours, on databases that are alike.

Compared are the order of the questions, the exit code, and the user in the end; never the wording.
"""

import contextlib
import os
import pty
import re
import select
import shutil
import sqlite3
import time

import django
import pytest

from suite.conftest import settings_for
from suite.databases import Database
from suite.sides import PATIENCE, Django, Djauth

VALIDATORS = """\
from house.settings import *

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}Validator"}
    for name in ("UserAttributeSimilarity", "MinimumLength", "CommonPassword", "NumericPassword")
]
"""

QUESTIONS = {
    "username": r"Username( \(leave blank to use '(?P<a>.*)'\)| \((?P<b>.*)\))?: $",
    "email": r"Email address: $",
    "password": r"Password: $",
    "again": r"Password \(again\): $",
    "anyway": r"\[y/N\]: $",
}
CTRL_C, CTRL_D = "\x03", "\x04"
GOOD = "correct horse battery"


class Folder:
    """A database file with one user, of which each side gets a copy for each case."""

    def __init__(self, folder):
        self.folder = folder
        database = Database("sqlite", folder)
        self.original = database.path
        (folder / "with_validators.py").write_text(VALIDATORS)
        Django(settings_for(database), folder).run("migrate", "--verbosity=0")
        Django(settings_for(database), folder).run(
            "createsuperuser", "--noinput", "--username", "taken", "--email", "t@b.example",
            DJANGO_SUPERUSER_PASSWORD=GOOD,
        )

    def side(self, kind):
        path = self.folder / f"{kind.__name__}.sqlite3"
        for rest in self.folder.glob(f"{path.name}*"):
            rest.unlink()
        shutil.copy(self.original, path)
        database = Database("sqlite", self.folder)
        database.path, database.url = path, f"sqlite://{path}"
        settings = settings_for(database)
        if kind is Django:
            settings |= {"DJANGO_SETTINGS_MODULE": "with_validators", "PYTHONPATH": str(self.folder)}
        return kind(settings, self.folder), path


@pytest.fixture(scope="module")
def alike(folder):
    return Folder(folder)


def converse(side, arguments, keys, environment):
    """Types each text when a question stands on the screen; the questions, and the exit code."""
    child, terminal = pty.fork()
    if child == 0:
        command = [*side.manage(), *arguments]
        os.chdir(side.folder)
        os.execvpe(command[0], command, {**side.environment(), **environment})
    screen, asked, keys = "", [], list(keys)
    deadline = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < deadline, f"{asked}: {screen}"
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            block = os.read(terminal, 4096).decode(errors="replace")
        except OSError:  # Linux says so at the end.
            break
        if not block:
            break
        screen += block
        question = question_on(screen)
        if question:
            asked.append(question)
            if keys:
                screen += "\n"
                answer = keys.pop(0)
                # Python sets the terminal's mode after the question is written.
                time.sleep(0.05)
                os.write(terminal, answer.encode() if answer in (CTRL_C, CTRL_D) else f"{answer}\n".encode())
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    assert not keys, f"never asked for {keys}: {screen}"
    return asked, os.waitstatus_to_exitcode(status)


def question_on(screen):
    for name, pattern in QUESTIONS.items():
        found = re.search(pattern, screen)
        if found:
            offered = [value for value in found.groupdict().values() if value]
            return f"{name} {offered[0]}" if offered else name
    return None


def users(path):
    """Every user but for the hash, and how often it was hashed anew."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT username, email, is_superuser, is_staff, is_active, first_name, last_name, password FROM auth_user"
        ).fetchall()
    return sorted((*row[:-1], row[-1].split("$")[0:2]) for row in rows)


#: Name, arguments, keys, variables.
CASES = [
    ("all is well", ["createsuperuser"], ["", "", GOOD, GOOD], {}),
    ("another name", ["createsuperuser"], ["root", "r@X.COM", GOOD, GOOD], {}),
    ("no default for a taken name", ["createsuperuser"], ["root", "", GOOD, GOOD], {"LOGNAME": "taken"}),
    ("a blank name", ["createsuperuser"], ["", "root", "", GOOD, GOOD], {"LOGNAME": "taken"}),
    ("a taken name", ["createsuperuser"], ["taken", "root", "", GOOD, GOOD], {}),
    ("a name with blanks", ["createsuperuser"], ["no blanks!", "root", "", GOOD, GOOD], {}),
    ("a long name", ["createsuperuser"], ["a" * 151, "root", "", GOOD, GOOD], {}),
    ("no address", ["createsuperuser"], ["root", "nonsense", "a@b.example", GOOD, GOOD], {}),
    ("passwords differ", ["createsuperuser"], ["root", "", GOOD, "other", GOOD, GOOD], {}),
    ("a blank password", ["createsuperuser"], ["root", "", " ", " ", "", "", GOOD, GOOD], {}),
    ("a weak password, refused", ["createsuperuser"], ["root", "", "root", "root", "n", GOOD, GOOD], {}),
    ("a weak password, taken", ["createsuperuser"], ["root", "", "123", "123", "y"], {}),
    ("a capital Y", ["createsuperuser"], ["root", "", "123", "123", "Y"], {}),
    ("yes is not y", ["createsuperuser"], ["root", "", "123", "123", "yes", GOOD, GOOD], {}),
    ("name and address given", ["createsuperuser", "--username", "root", "--email", "a@b.example"], [GOOD, GOOD], {}),
    ("a taken name given", ["createsuperuser", "--username", "taken", "--email="], ["root", GOOD, GOOD], {}),
    ("a blank name given", ["createsuperuser", "--username", ""], [], {}),
    ("no address given", ["createsuperuser", "--username", "root", "--email", "nonsense"], [], {}),
    ("variables are not read", ["createsuperuser"], ["", "", GOOD, GOOD],
     {"DJANGO_SUPERUSER_USERNAME": "root", "DJANGO_SUPERUSER_PASSWORD": "x", "DJANGO_SUPERUSER_EMAIL": "no"}),
    ("the database by name", ["createsuperuser", "--database", "default"], ["root", "", GOOD, GOOD], {}),
    ("an unknown database", ["createsuperuser", "--database", "other"], [], {}),
    ("Ctrl-C at the name", ["createsuperuser"], [CTRL_C], {}),
    ("Ctrl-C at the password", ["createsuperuser"], ["root", "", CTRL_C], {}),
    ("a new password", ["changepassword", "taken"], ["battery horse staple", "battery horse staple"], {}),
    ("the own password", ["changepassword"], ["battery horse staple", "battery horse staple"], {"LOGNAME": "taken"}),
    ("nobody's password", ["changepassword", "nobody"], [], {}),
    ("new passwords differ", ["changepassword", "taken"], ["a", "b", GOOD, "c", "battery staple", "battery staple"], {}),
    ("they differ too often", ["changepassword", "taken"], ["a", "b"] * 3, {}),
    ("too weak too often", ["changepassword", "taken"], ["taken", "taken", "123", "123", "password", "password"], {}),
    ("a blank new password", ["changepassword", "taken"], [""], {}),
    ("a blank second entry", ["changepassword", "taken"], [GOOD, ""], {}),
    ("its database by name", ["changepassword", "--database", "default", "taken"], ["battery staple"] * 2, {}),
]


@pytest.mark.parametrize("name, arguments, keys, environment", CASES, ids=[case[0] for case in CASES])
def test_questions_and_ends_are_the_same(alike, name, arguments, keys, environment, in_place_of_djauth):
    ends = []
    for kind in (Django, in_place_of_djauth[0]):
        side, path = alike.side(kind)
        asked = converse(side, arguments, keys, {"LOGNAME": "tester", **environment})
        ends.append((asked, users(path)))
    if name == "an unknown database" and django.VERSION < (5, 2):
        # Django found it out later then, and ended with 1.
        ends = [(code != 0, found) for (_, code), found in ends]
    assert ends[0] == ends[1], name


@pytest.mark.parametrize("arguments, keys", [
    (["createsuperuser"], [CTRL_D]),
    (["changepassword", "taken"], [CTRL_C]),
    (["changepassword", "taken"], [CTRL_D]),
], ids=["Ctrl-D at the name", "Ctrl-C at the new password", "Ctrl-D at the new password"])
def test_where_django_ends_with_a_traceback_we_end_with_1(alike, arguments, keys):
    for kind in (Django, Djauth):
        side, path = alike.side(kind)
        before = users(path)
        _, code = converse(side, arguments, keys, {"LOGNAME": "tester"})
        assert code == 1 if kind is Djauth else code != 0
        assert users(path) == before
