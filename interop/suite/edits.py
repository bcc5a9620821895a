"""A random walk through both admins: each step is done by one of three sides, on one database.

A second site, of Django alone, does each step too, on a database of its own. After each step both
databases must hold the same users, groups, links and entries of the log, and both answers must have been
the same: whatever side did the step, and whoever left what it found.
"""

import json
import random

import django
from django.contrib.auth.hashers import identify_hasher
from django.utils.text import get_text_list

from suite.browser import Browser
from suite.pages import field_of, rows_in, sheet_in
from suite.sides import Django
from suite.walk import TABLES, difference, moment, near, short

NAMES = ["alice", "Alice", "Ünï.Cödé", "d+e@f-g_h", "世界", "x" * 150, "zoë", "mia"]
WRONG_NAMES = ["", "   ", "with blank", "a/b", "x" * 151, "<b>", "nul\0"]
TEXTS = ["", " Ada ", "O'Brien", '"quoted" & <b>', "😀" * 20, "ö" * 150, "\u202egnol\u202c", "a\\b"]
LONG = "ö" * 151
MAILS, WRONG_MAILS = ["", "a@example.com"], ["ü@example.com", "no address", "a@b"]
GROUPS = ["editors", "Editors ", "Prüfer", "<i>italic</i>", "g" * 150, "世界", "😀", "a,b; c"]
WRONG_GROUPS = ["", "g" * 151, " "]
PASSWORDS = ["correct horse", " blanks around ", "pässwörd 世", "x" * 300]
DATES = ["2020-02-29", "2026-01-31", "1999-12-31"]
TIMES = ["00:00:00", "23:59:59", "12:30:15"]
WRONG_DATES = ["", "2021-02-29", "yesterday"]
FLAGS = ["is_active", "is_staff", "is_superuser"]
#: Since then the pages let people be without a password.
UNUSABLE = django.VERSION >= (5, 1)
#: Since then a field says to machines that it is wrong.
MARKS_FIELDS = django.VERSION >= (5, 0)
#: How our history calls what the log calls by Django's labels.
OURS = {
    "Staff status": "Staff", "Superuser status": "Superuser", "User permissions": "Permissions of this user",
    "Date joined": "Date of joining", "password": "Password",
}
BUTTONS = ["_save", "_continue", "_addanother"]


class Visitor:
    """Somebody of the staff, with a browser at either site."""

    def __init__(self, name, walk, **fields):
        self.name, self.browsers = name, []
        for site in (walk.house.django, walk.mirror):
            site.do("create_user", username=name, password=PASSWORDS[0], **fields)
            self.browsers.append(Browser())
        for browser, site in zip(self.browsers, (walk.house.django, walk.mirror)):
            assert browser.login(site, name, PASSWORDS[0]).status == 302


class Edits:
    def __init__(self, seed, house, mirror, mirror_database):
        self.random = random.Random(seed)
        self.house, self.mirror = house, mirror
        self.databases = [house.database, mirror_database]
        self.visitors = [Visitor("root", self, is_staff=True, is_superuser=True), Visitor("mia", self, is_staff=True)]
        for site in (house.django, mirror):
            for model in ("user", "group"):
                for action in ("view", "add", "change", "delete"):
                    site.do("grant", username="mia", permission=f"auth.{action}_{model}")
        self.permissions = [str(row["id"]) for row in house.database.query("SELECT id FROM auth_permission")]
        self.known = {}
        self.trace = []
        self.steps = [
            (9, self.change_user), (5, self.change_group), (5, self.add_user), (4, self.add_group),
            (4, self.password), (3, self.delete), (2, self.delete_selected), (8, self.stale),
            (2, self.as_it_is), (3, self.history), (1, self.missing),
        ]

    def run(self, steps):
        self.compare_rows()
        weights = [weight for weight, _ in self.steps]
        for number in range(steps):
            step = self.random.choices([step for _, step in self.steps], weights)[0]
            self.side = self.random.choice(self.house.sides)
            self.visitor = self.random.choice(self.visitors)
            self.trace.append(f"{number} {step.__name__} by {type(self.side).__name__}, {self.visitor.name}")
            step()
            self.compare_rows()
        for model, key in sorted({(row["model"], row["object_id"]) for row in self.rows_of_log()}):
            self.read_history(model, key)

    # What both do

    def say(self, *what):
        self.trace[-1] += " " + " ".join(short(part) for part in what)

    def twins(self):
        return zip((self.side, self.mirror), self.visitor.browsers)

    def open(self, path):
        """The form of a page, at the chosen side and at the mirror."""
        pages = [browser.get(side, path) for side, browser in self.twins()]
        assert [page.status for page in pages] == [200, 200], f"{path}: {pages}"
        return [sheet_in(page) for page in pages]

    def send(self, path, forms, ignored=()):
        """Sends a form each; the answers must mean the same. Whether it was taken."""
        answers = [browser.post(side, path, form) for (side, browser), form in zip(self.twins(), forms)]
        ours, theirs = (
            self.meaning(answer, browser, ignored) for answer, browser in zip(answers, self.visitor.browsers)
        )
        assert ours == theirs, f"answers differ:\n  Django {theirs}\n  {type(self.side).__name__} {ours}"
        return answers[0].status == 302

    def meaning(self, answer, browser, ignored):
        found = {"status": answer.status, "location": answer.location}
        found["levels"] = [level for level in levels(browser) if level not in ignored]
        if answer.status == 200 and MARKS_FIELDS:
            found["invalid"] = sheet_in(answer).invalid
        return found

    def submit(self, path, changes, *buttons):
        self.say(path, changes, *buttons)
        pressed = [(button, "1") for button in buttons]
        return self.send(path, [sheet.filled(changes) + pressed for sheet in self.open(path)])

    def button(self):
        return self.random.choice(BUTTONS)

    # Whom and what

    def keys(self, model):
        """Of those who do not act themselves."""
        rows = self.databases[0].query(f"SELECT * FROM auth_{model} ORDER BY id")
        acting = [visitor.name for visitor in self.visitors]
        return [str(row["id"]) for row in rows if row.get("username") not in acting]

    def some(self, model):
        keys = self.keys(model)
        return self.random.choice(keys) if keys else None

    def sample(self, values, most):
        return sorted(self.random.sample(values, min(len(values), self.random.randrange(most + 1))))

    def user_changes(self, right):
        """One to three fields; if not `right`, perhaps with values that are no good."""
        chance, fields = self.random, {}
        bad = (lambda good, wrong: chance.choice([*good, *wrong])) if not right else (lambda good, _: chance.choice(good))
        for _ in range(chance.randrange(1, 4)):
            fields |= chance.choice([
                lambda: {"username": [bad([chance.choice(NAMES) + str(chance.randrange(1000))][-150:], WRONG_NAMES + NAMES)[-151:]]},
                lambda: {"first_name": [bad(TEXTS, [LONG])]},
                lambda: {"last_name": [bad(TEXTS, [LONG])]},
                # Never the same twice: of one that differs only in the capitals of its domain, which
                # are not kept, Django's log says that it was changed, and ours that it was not.
                lambda: {"email": [bad([*MAILS, f"Mixed.{chance.randrange(10**6)}@EXAMPLE.com"], WRONG_MAILS)]},
                lambda: {chance.choice(FLAGS): chance.choice([[], ["on"]])},
                lambda: {"groups": self.sample(self.keys("group"), 3)},
                lambda: {"user_permissions": self.sample(self.permissions, 4)},
                lambda: {"last_login_0": [chance.choice(DATES)], "last_login_1": [chance.choice(TIMES)]},
                lambda: {"last_login_0": [""], "last_login_1": [""]},
                lambda: {"date_joined_0": [bad(DATES, WRONG_DATES)], "date_joined_1": [chance.choice(TIMES)]},
            ])()
        return fields

    def group_changes(self, right):
        good = [f"{self.random.choice(GROUPS)[:140]}{self.random.randrange(100)}"]
        fields = {}
        if self.random.random() < 0.6:
            fields["name"] = [self.random.choice(good if right else [*good, *GROUPS, *WRONG_GROUPS])]
        if not fields or self.random.random() < 0.6:
            fields["permissions"] = self.sample(self.permissions, 5)
        return fields

    def changes(self, model, right=False):
        return self.user_changes(right) if model == "user" else self.group_changes(right)

    # Steps

    def change(self, model):
        if key := self.some(model):
            self.submit(f"/admin/auth/{model}/{key}/change/", self.changes(model), self.button())

    def change_user(self):
        self.change("user")

    def change_group(self):
        self.change("group")

    def as_it_is(self):
        model = self.random.choice(["user", "group"])
        if key := self.some(model):
            assert self.submit(f"/admin/auth/{model}/{key}/change/", {}, self.button())

    def two_passwords(self, may_be_none=UNUSABLE):
        one = self.random.choice(PASSWORDS)
        other = one if self.random.random() < 0.8 else self.random.choice(["", "another"])
        changes = {"password1": [one], "password2": [other]}
        if may_be_none and self.random.random() < 0.3:
            changes["usable_password"] = ["false"]
        return changes

    def add_user(self):
        name = self.random.choice([*NAMES, *NAMES, *WRONG_NAMES])
        self.submit("/admin/auth/user/add/", {"username": [name], **self.two_passwords()}, self.button())

    def add_group(self):
        changes = self.group_changes(False)
        changes.setdefault("name", [self.random.choice(GROUPS)])
        self.submit("/admin/auth/group/add/", changes, self.button())

    def password(self):
        if key := self.some("user"):
            stored = self.databases[0].query("SELECT password FROM auth_user WHERE id = ?", (key,))[0]["password"]
            # Who has none is only asked for one.
            has_one = UNUSABLE and not stored.startswith("!")
            button = self.random.choice(["set-password", "unset-password"] if has_one else ["set-password"])
            self.submit(f"/admin/auth/user/{key}/password/", self.two_passwords(has_one), button)

    def delete(self):
        model = self.random.choice(["user", "group"])
        if key := self.some(model):
            assert self.submit(f"/admin/auth/{model}/{key}/delete/", {})

    def delete_selected(self):
        model = self.random.choice(["user", "group"])
        path, chosen = f"/admin/auth/{model}/", self.sample(self.keys(model), 3)
        self.say(path, chosen)
        form = [("action", "delete_selected"), ("index", "0"), *(("_selected_action", key) for key in chosen)]
        if not chosen:
            return self.send(path, [self.with_token(form, browser) for browser in self.visitor.browsers])
        pages = [browser.post(side, path, self.with_token(form, browser)) for side, browser in self.twins()]
        assert [page.status for page in pages] == [200, 200], pages
        assert self.send(path, [sheet_in(page).filled({}) for page in pages])

    def with_token(self, form, browser):
        return [("csrfmiddlewaretoken", browser.cookies["csrftoken"]), *form]

    def missing(self):
        model, key = self.random.choice(["user", "group"]), self.random.choice(["99999", "nobody", "1_2F2"])
        page = self.random.choice(["change", "delete", "history"])
        path = f"/admin/auth/{model}/{key}/{page}/"
        self.say(path)
        answers = [browser.get(side, path) for side, browser in self.twins()]
        ours, theirs = (self.meaning(*pair, ()) for pair in zip(answers, self.visitor.browsers))
        assert ours == theirs, f"{ours} {theirs}"

    def stale(self):
        """A form that is sent after somebody else has changed what it shows."""
        model = self.random.choice(["user", "user", "group"])
        if not (key := self.some(model)):
            return
        path = f"/admin/auth/{model}/{key}/change/"
        sheets, side, visitor = self.open(path), self.side, self.visitor
        self.side, self.visitor = self.random.choice(self.house.sides), self.random.choice(self.visitors)
        self.say("meanwhile", type(self.side).__name__, self.visitor.name)
        if self.random.random() < 0.1:
            self.submit(f"/admin/auth/{model}/{key}/delete/", {})
            gone = True
        else:
            self.submit(path, self.changes(model, right=True), "_save")
            gone = False
        self.compare_rows()
        self.side, self.visitor = side, visitor
        changes = self.changes(model, right=True)
        self.say(changes)
        if gone or isinstance(side, Django):
            self.send(path, [sheet.filled(changes) + [("_save", "1")] for sheet in sheets])
        else:
            self.send_stale_here(path, sheets[0], changes)

    def send_stale_here(self, path, seen, changes):
        """Django would write all of the form over what is there. Of ours, it gets what is right."""
        form = seen.filled(changes) + [("_save", "1")]
        side, browser = self.side, self.visitor.browsers[0]
        now, mirrored = self.open(path)
        merged, conflicts = merge(seen.values, now.values, {**seen.values, **changes})
        self.say("conflicts", conflicts)
        if not conflicts:
            # Ours tells that others' changes stay.
            self.send(path, [form, mirrored.filled(merged) + [("_save", "1")]], ignored=("info",))
            return
        answer = browser.post(side, path, form)
        assert answer.status == 200, answer
        assert sheet_in(answer).invalid == conflicts, f"{sheet_in(answer).invalid} {conflicts}"

    # The histories

    def history(self):
        model = self.random.choice(["user", "group"])
        if key := self.some(model):
            self.say(model, key)
            self.read_history(model, key)

    def read_history(self, model, key):
        """Each side tells all that is recorded, whoever has recorded it."""
        entries = [row for row in self.rows_of_log() if (row["model"], row["object_id"]) == (model, key)]
        path = f"/admin/auth/{model}/{key}/history/"
        for side in self.house.sides:
            page = self.visitors[0].browsers[0].get(side, path)
            if key not in self.keys(model) and page.status == 302:
                levels(self.visitors[0].browsers[0])
                continue
            assert page.status == 200, page
            told = after_the_heads([row[1:] for row in rows_in(page)])
            expected = [[row["username"], sentence(row["change_message"], side)] for row in entries]
            assert told == expected, f"{type(side).__name__}, {path}:\n  {told}\n  {expected}"

    def rows_of_log(self):
        return self.databases[0].query(
            "SELECT l.*, c.model, u.username FROM django_admin_log l"
            " JOIN django_content_type c ON c.id = l.content_type_id"
            " JOIN auth_user u ON u.id = l.user_id ORDER BY l.id"
        )

    # What both hold

    def compare_rows(self):
        ours, theirs = (self.rows(database) for database in self.databases)
        for table in theirs:
            assert ours[table] == theirs[table], f"{table} differs:\n" + difference(theirs[table], ours[table])

    def rows(self, database):
        found = {}
        for table, order in TABLES.items():
            rows = database.query(f"SELECT * FROM {table} ORDER BY {order}")
            if "," in order:  # The id of a link says nothing.
                rows = [{k: v for k, v in row.items() if k != "id"} for row in rows]
            found[table] = rows
        found["auth_user"] = [self.user_row(row) for row in found["auth_user"]]
        for row in found["django_admin_log"]:
            row["action_time"] = near(moment(row["action_time"]))
        return found

    def user_row(self, row):
        row = {k: bool(v) if k.startswith("is_") else v for k, v in row.items()}
        for name in ("last_login", "date_joined"):
            row[name] = row[name] and near(moment(row[name]))
        row["password"] = self.password_of(row["password"])
        return row

    def password_of(self, encoded):
        """Which of the passwords it is of; each hash is tried once."""
        if encoded not in self.known:
            unusable = encoded.startswith("!") and len(encoded) == 41
            # `check_password` would take as long for a wrong one as the default cost does.
            verify = None if unusable else identify_hasher(encoded).verify
            fits = [password for password in PASSWORDS if verify and verify(password, encoded)]
            assert len(fits) == 1 or unusable, encoded
            self.known[encoded] = (fits, encoded.split("$")[:2] if fits else "!")
        return self.known[encoded]


def merge(seen, now, sent):
    """What a form that saw `seen` changes by `sent` where there is `now`; and the fields in conflict."""
    merged, conflicts = {}, set()
    fields = {field_of(name) for name in now if not name.startswith(("_", "initial-", "csrf"))}
    fields |= {field_of(name) for name in sent if not name.startswith(("_", "csrf"))}
    for field in fields:
        names = [f"{field}_0", f"{field}_1"] if f"{field}_0" in {**now, **sent} else [field]
        was, is_now, wanted = ([stripped(values.get(name, [])) for name in names] for values in (seen, now, sent))
        if field in ("groups", "user_permissions", "permissions"):
            added, removed = set(wanted[0]) - set(was[0]), set(was[0]) - set(wanted[0])
            wanted = [sorted((set(is_now[0]) | added) - removed)]
        elif wanted == was:
            wanted = is_now
        elif is_now not in (was, wanted):
            conflicts.add(field)
        if wanted != is_now:
            merged |= dict(zip(names, wanted))
    return merged, conflicts


def stripped(values):
    """As a form reads them: blanks around a text are none of its meaning, so they are no conflict either."""
    return [value.strip() for value in values]


def levels(browser):
    """Of the messages that wait for the next page; nobody shows them afterwards."""
    # Wants settings as soon as it is there.
    from django.contrib.messages.storage.cookie import CookieStorage

    text = browser.cookies.pop("messages", None)
    return [message.level_tag for message in CookieStorage(None)._decode(text)] if text else []


def after_the_heads(rows):
    """Those of the table of entries, which is the last one; without entries there is none."""
    heads = [number for number, row in enumerate(rows) if row in (["User", "Action"], ["Who", "What"])]
    return rows[heads[0] + 1:] if heads else []


def sentence(stored, side):
    """How an entry of the log reads there."""
    theirs = isinstance(side, Django)
    entries = json.loads(stored)
    if not entries:
        return "No fields changed." if theirs else "Nothing was changed."
    (what, details), = entries[0].items()
    if what == "added":
        return "Added."
    labels = details["fields"]
    if theirs:
        return f"Changed {get_text_list(labels, 'and')}."
    return f"Changed: {', '.join(OURS.get(label, label) for label in labels)}."
