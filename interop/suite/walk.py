"""A random walk: the same steps through Django on one database and through djauth on another.

After each step both sides must have given the same answer and must hold the same rows. What is
random or a moment (keys, salts, secrets, times) is compared by what it means.
"""

import json
import random
import re
import string
from datetime import datetime, timedelta, timezone
from functools import cache
from urllib.parse import quote

from django.contrib.auth.hashers import check_password
from django.contrib.sessions.backends.db import SessionStore
from django.core import signing
from django.utils.crypto import salted_hmac

from suite.browser import Browser, token_in

NAMES = ["alice", "Bob", "Ünï.Cödé", "d+e@f-g_h", "世界"]
PASSWORDS = ["correct horse", " blanks around ", "pässwörd", "", "x" * 300]
PERMISSIONS = ["reports.publish_report", "reports.view_report", "auth.add_user", "auth.view_group"]
GROUPS = ["editors", "Prüfer"]
PAGES = [
    "/", "/private/", "/private/?a=1&b=/x%20y", "/report/", "/session/", "/accounts/login/",
    "/accounts/login/?next=/private/", "/accounts/login/?next=//evil.example/",
    "/accounts/logout/", "/nowhere/",
]
TARGETS = [
    None, "", "/private/", "/private/?q=ü x", "//evil.example/", "http://evil.example/", "/\\evil",
    "javascript:alert(1)", " /private/ ", "http://127.0.0.1/", "/accounts/logout/", "relative",
]
FORGED = [
    "", "short", "x" * 32, "0" * 32, "A" * 32, "x" * 33, "y" * 64, "'; DROP TABLE auth_user; --",
    '"quoted"', "\\303\\274", "..", "a" * 4000,
]
#: Answers are compared by these; the others (Date, Server, …) belong to the server software.
HEADERS = ("location", "vary", "cache-control", "allow", "x-frame-options", "www-authenticate",
           "x-content-type-options", "referrer-policy", "cross-origin-opener-policy")
TABLES = {
    "auth_user": "id", "auth_group": "id", "auth_permission": "id", "django_content_type": "id",
    "auth_user_groups": "user_id, group_id",
    "auth_user_user_permissions": "user_id, permission_id",
    "auth_group_permissions": "group_id, permission_id",
    "django_admin_log": "id",
}
SLACK = timedelta(seconds=30)


class Twin:
    """One side of the walk: a server, its database, and the visitors' cookies there."""

    def __init__(self, server, database, visitors):
        self.server, self.database = server, database
        self.browsers = [Browser() for _ in range(visitors)]
        self.keys = []  # session keys seen, in order: the same position is the same session
        self.secrets = []  # of CSRF, likewise

    def note(self, answer):
        for cookie in answer.cookies:
            seen = self.keys if cookie.name == "sessionid" else self.secrets
            if cookie.value and cookie.value not in seen:
                seen.append(cookie.value)


class Walk:
    def __init__(self, seed, theirs, ours):
        self.random = random.Random(seed)
        self.twins = [Twin(*theirs, visitors=4), Twin(*ours, visitors=4)]
        self.passwords = {}
        self.trace = []
        self.steps = [
            (16, self.visit), (14, self.login), (6, self.login_wrongly), (5, self.login_nobody),
            (6, self.logout), (3, self.post_without_token), (5, self.create), (4, self.password),
            (5, self.change), (2, self.delete), (4, self.grant), (3, self.revoke), (3, self.group),
            (4, self.membership), (6, self.tamper), (3, self.steal), (3, self.forget),
            (8, self.session_data), (4, self.rows_of_users), (5, self.rows_of_sessions),
            (2, self.clear_sessions),
        ]

    def run(self, steps):
        weights = [weight for weight, _ in self.steps]
        for number in range(steps):
            step = self.random.choices([step for _, step in self.steps], weights)[0]
            self.trace.append(f"{number} {step.__name__}")
            step()
            self.compare_rows()

    # What both do

    def say(self, *what):
        self.trace[-1] += " " + " ".join(short(part) for part in what)

    def both(self, act):
        """The same act on both sides; the answers must mean the same."""
        answers = []
        for twin in self.twins:
            answer = act(twin)
            twin.note(answer)
            answers.append(answer)
        theirs, ours = (self.meaning(twin, answer) for twin, answer in zip(self.twins, answers))
        assert ours == theirs, f"answers differ:\n  Django {theirs}\n  djauth {ours}"
        return answers

    def call(self, command, **arguments):
        self.say(command, arguments)
        results = []
        for twin in self.twins:
            results.append(twin.server.do(command, **arguments))
        assert results[0] == results[1], f"{command}: {results}"

    def meaning(self, twin, answer):
        found = {"status": answer.status}
        for name in HEADERS:
            value = answer.header(name)
            if name == "vary" and value:
                # Pages of djauth also answer in JSON, and say so.
                value = ", ".join(part for part in value.split(", ") if part != "Accept") or None
            found[name] = value and value.replace(twin.server.url, "http://HERE")
        found["expires"] = answer.header("expires") is not None
        found["cookies"] = [self.cookie(twin, cookie) for cookie in answer.cookies]
        if answer.body and answer.header("content-type") == "application/json":
            found["body"] = answer.json()
        return found

    def cookie(self, twin, cookie):
        seen = twin.keys if cookie.name == "sessionid" else twin.secrets
        position = seen.index(cookie.value) if cookie.value in seen else cookie.value
        attributes = {k: v for k, v in cookie.attributes.items() if k != "expires"}
        expires = None
        if "expires" in cookie.attributes:
            moment = datetime.strptime(cookie.attributes["expires"], "%a, %d %b %Y %H:%M:%S GMT")
            expires = moment.year if moment.year < 2000 else near(moment.replace(tzinfo=timezone.utc))
        return cookie.name, position, len(cookie.value), attributes, cookie.order, expires

    def visitor(self):
        index = self.random.randrange(4)
        self.say(index)
        return index

    def user(self):
        return self.random.choice(sorted(self.passwords)) if self.passwords else None

    # Steps through pages

    def visit(self):
        who, page = self.visitor(), self.random.choice(PAGES)
        method = self.random.choice(["GET", "GET", "GET", "HEAD"])
        self.say(method, page)
        self.both(lambda twin: twin.browsers[who].request(twin.server, method, page))

    def send_login(self, name, password):
        who, target = self.visitor(), self.random.choice(TARGETS)
        in_query = self.random.random() < 0.5
        self.say(name, password, target, in_query)
        self.both(lambda twin: twin.browsers[who].get(twin.server, "/accounts/login/"))
        form = {"username": name, "password": password}
        path = "/accounts/login/"
        if target is not None and in_query:
            path += f"?next={quote(target)}"
        elif target is not None:
            form["next"] = target

        def act(twin):
            browser = twin.browsers[who]
            page = browser.get(twin.server, "/accounts/login/")
            twin.note(page)
            return browser.post(twin.server, path, {"csrfmiddlewaretoken": token_in(page), **form})

        self.both(act)

    def login(self):
        if name := self.user():
            self.send_login(name, self.passwords[name] or "")

    def login_wrongly(self):
        if name := self.user():
            wrong = self.random.choice(["wrong", "", (self.passwords[name] or "") + " ", "\0", "x" * 5000])
            self.send_login(self.random.choice([name, f" {name} ", name.swapcase()]), wrong)

    def login_nobody(self):
        self.send_login(self.random.choice(["nobody", "", "x" * 151, "a\0b", "' OR 1=1 --"]), "some")

    def logout(self):
        who, target = self.visitor(), self.random.choice(TARGETS)
        self.say(target)

        def act(twin):
            browser = twin.browsers[who]
            form = {"csrfmiddlewaretoken": browser.cookies.get("csrftoken", "")}
            return browser.post(twin.server, "/accounts/logout/", form | ({"next": target} if target else {}))

        self.both(act)

    def post_without_token(self):
        who = self.visitor()
        path = self.random.choice(["/accounts/login/", "/accounts/logout/", "/private/"])
        headers = self.random.choice([{}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"X-CSRFToken": "x"}])
        self.say(path, headers)
        self.both(lambda twin: twin.browsers[who].post(twin.server, path, {"username": "a"}, headers=headers))

    def session_data(self):
        who = self.visitor()
        values = {
            self.random.choice("abc"): self.random.choice([1, None, "ü", [1, {"x": None}], True, 1.5, "y" * 500])
            for _ in range(2)
        }
        self.say(values)
        self.both(lambda twin: twin.browsers[who].send_json(twin.server, "/session/", values))

    # Steps behind the pages

    def create(self):
        name = self.random.choice(NAMES) + str(self.random.randrange(100))
        if name in self.passwords:
            return
        password = self.random.choice([*PASSWORDS, None])
        command = self.random.choice(["create_user", "create_user", "create_superuser"])
        self.call(command, username=name, password=password, email=f"{len(name)}.X@EXAMPLE.Com")
        self.passwords[name] = password

    def password(self):
        if name := self.user():
            password = self.random.choice(PASSWORDS)
            self.call("set_password", username=name, password=password)
            self.passwords[name] = password

    def change(self):
        if name := self.user():
            field, value = self.random.choice([
                ("is_active", False), ("is_active", True), ("is_staff", True), ("is_superuser", True),
                ("is_superuser", False), ("email", "new@example.com"), ("first_name", "Ö" * 150),
            ])
            self.call("update_user", username=name, **{field: value})

    def delete(self):
        if len(self.passwords) > 4:
            name = self.user()
            self.call("delete_user", username=name)
            del self.passwords[name]

    def grant(self):
        permission = self.random.choice(PERMISSIONS)
        if name := self.user():
            self.call("grant", username=name, permission=permission)

    def revoke(self):
        permission = self.random.choice(PERMISSIONS)
        if name := self.user():
            self.call("revoke", username=name, permission=permission)

    def groups(self):
        return [row["name"] for row in self.twins[0].database.query("SELECT name FROM auth_group ORDER BY id")]

    def group(self):
        name = self.random.choice(GROUPS)
        if name not in self.groups():
            self.call("create_group", name=name)
        elif self.random.random() < 0.3:
            self.call("delete_group", name=name)
        else:
            command = self.random.choice(["grant_group", "grant_group", "revoke_group"])
            self.call(command, name=name, permission=self.random.choice(PERMISSIONS))

    def membership(self):
        groups = self.groups()
        if (name := self.user()) and groups:
            command = self.random.choice(["join", "join", "leave"])
            self.call(command, username=name, group=self.random.choice(groups))

    def clear_sessions(self):
        self.call("clear_sessions")

    # Steps against them

    def tamper(self):
        """Cookies that nobody made, or that were made and then changed."""
        who, name = self.visitor(), self.random.choice(["sessionid", "csrftoken"])
        way = self.random.choice(["forge", "forge", "cut", "append", "flip", "upper"])
        forged = self.random.choice(FORGED)
        if (name, way) == ("sessionid", "upper") and self.twins[0].database.kind == "mariadb":
            # Django leaves the comparison to MariaDB, whose collation takes A for a; we do not.
            way = "cut"
        self.say(name, way, forged)
        for twin in self.twins:
            cookies = twin.browsers[who].cookies
            value = cookies.get(name)
            if way == "forge" or not value:
                cookies[name] = forged
            elif way == "cut":
                cookies[name] = value[:-1]
            elif way == "append":
                cookies[name] = value + "_"
            elif way == "upper":
                cookies[name] = value.upper()
            else:
                cookies[name] = other_than(value[0]) + value[1:]
        page = self.random.choice(PAGES)
        self.both(lambda twin: twin.browsers[who].get(twin.server, page))

    def steal(self):
        """Two visitors with the same cookies."""
        thief, owner = self.visitor(), self.visitor()
        for twin in self.twins:
            twin.browsers[thief].cookies = dict(twin.browsers[owner].cookies)

    def forget(self):
        who, name = self.visitor(), self.random.choice(["sessionid", "csrftoken"])
        for twin in self.twins:
            twin.browsers[who].cookies.pop(name, None)

    def rows_of_users(self):
        if not (name := self.user()):
            return
        statement, value = self.random.choice([
            ("UPDATE auth_user SET is_active = ? WHERE username = ?", False),
            ("UPDATE auth_user SET is_active = ? WHERE username = ?", True),
            ("UPDATE auth_user SET password = ? WHERE username = ?", "!unusable"),
            ("UPDATE auth_user SET password = ? WHERE username = ?", ""),
            ("UPDATE auth_user SET password = ? WHERE username = ?", "pbkdf2_sha256$1000$salt$nonsense"),
            ("UPDATE auth_user SET password = ? WHERE username = ?", "nonsense"),
            # (Values that make Django itself fail are for the tests of the hashers.)
            ("UPDATE auth_user SET last_login = ? WHERE username = ?", None),
        ])
        self.say(statement, value, name)
        if "password" in statement:
            self.passwords[name] = None
        for twin in self.twins:
            bound = int(value) if isinstance(value, bool) and twin.database.kind != "postgres" else value
            twin.database.execute(statement, (bound, name))

    def rows_of_sessions(self):
        """The row of a session that both sides have seen."""
        who = self.visitor()
        way = self.random.choice(["delete", "expire", "garbage", "backend", "user", "hash", "unsigned"])
        self.say(way)
        for twin in self.twins:
            key = twin.browsers[who].cookies.get("sessionid", "")
            found = twin.database.query("SELECT * FROM django_session WHERE session_key = ?", (key,))
            if found:
                self.spoil(twin, key, found[0], way)
        page = self.random.choice(PAGES)
        self.both(lambda twin: twin.browsers[who].get(twin.server, page))

    def spoil(self, twin, key, row, way):
        execute = twin.database.execute
        if way == "delete":
            return execute("DELETE FROM django_session WHERE session_key = ?", (key,))
        if way == "expire":
            statement = "UPDATE django_session SET expire_date = ? WHERE session_key = ?"
            return execute(statement, ("2020-01-01 00:00:00", key))
        data = SessionStore().decode(row["session_data"])
        if way == "backend":
            data["_auth_user_backend"] = "no.such.Backend"
        elif way == "user":
            data["_auth_user_id"] = "999999"
        elif way == "hash":
            data["_auth_user_hash"] = "0" * 64
        text = SessionStore().encode(data)
        if way == "garbage":
            text = "no session at all"
        elif way == "unsigned":
            text = text[:-1] + ("A" if text[-1] != "A" else "E")
        execute("UPDATE django_session SET session_data = ? WHERE session_key = ?", (text, key))

    # What both hold

    def compare_rows(self):
        theirs, ours = (self.rows(twin) for twin in self.twins)
        for table in theirs:
            assert ours[table] == theirs[table], f"{table} differs:\n" + difference(theirs[table], ours[table])

    def rows(self, twin):
        found = {}
        for table, order in TABLES.items():
            rows = twin.database.query(f"SELECT * FROM {table} ORDER BY {order}")
            if "," in order:  # The id of a link says nothing.
                rows = [{k: v for k, v in row.items() if k != "id"} for row in rows]
            found[table] = rows
        self.users = {str(row["id"]): dict(row) for row in found["auth_user"]}
        found["auth_user"] = [self.user_row(row) for row in found["auth_user"]]
        found["django_session"] = self.session_rows(twin)
        return found

    def user_row(self, row):
        row = {k: bool(v) if k.startswith("is_") else v for k, v in row.items()}
        row["last_login"] = row["last_login"] and near(moment(row["last_login"]))
        row["date_joined"] = near(moment(row["date_joined"]))
        known, encoded = self.passwords.get(row["username"]), row["password"]
        if known is not None:
            algorithm, cost, salt, digest = encoded.split("$")
            good = fits(known, encoded)
            row["password"] = (algorithm, cost, len(salt), len(digest), good)
        elif encoded.startswith("!") and encoded != "!unusable":
            row["password"] = ("!", len(encoded))
        return row

    def session_rows(self, twin):
        rows = []
        for row in twin.database.query("SELECT * FROM django_session"):
            key = row["session_key"]
            position = twin.keys.index(key) if key in twin.keys else None
            rows.append((position, near(moment(row["expire_date"])), len(key), self.payload(row["session_data"])))
        return sorted(rows, key=lambda row: repr((row[0], row[2:])))

    def payload(self, text):
        try:
            data = signing.loads(text, salt="django.contrib.sessions.SessionStore")
        except signing.BadSignature:
            return "unsigned"
        if owner := self.users.get(data.get("_auth_user_id")):
            secret = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash"
            right = salted_hmac(secret, owner["password"], algorithm="sha256").hexdigest()
            data["_auth_user_hash"] = data.get("_auth_user_hash") == right
        elif "_auth_user_hash" in data:  # Nobody's: made from a password that is gone.
            data["_auth_user_hash"] = len(data["_auth_user_hash"])
        # The order of keys is part of the text. Whether a short text is worth compressing depends on
        # the compressor to the byte, so only for long ones it must be the same.
        data = json.dumps(data)
        return data, text.startswith(".") if len(data) > 200 else None


@cache
def fits(password, encoded):
    """Whether a hash is of this password; each is looked at after every step, and tried once."""
    return check_password(password, encoded)


def short(value):
    text = repr(value)
    return text if len(text) < 80 else f"{text[:60]}… ({len(text)})"


def moment(value):
    if isinstance(value, str):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?", value), value
        value = datetime.fromisoformat(value)
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)


def other_than(character):
    """Another character; the same one only after all have had their turn, so that two changes of
    one value cannot undo each other on the side whose secret happened to begin so."""
    letters = string.ascii_letters + string.digits
    return letters[(letters.find(character) + 1) % len(letters)]


class near:
    """A moment that equals those around it: the two sides act one after the other."""

    def __init__(self, moment):
        self.moment = moment

    def __eq__(self, other):
        return isinstance(other, near) and abs(self.moment - other.moment) < SLACK

    def __repr__(self):
        return f"near {self.moment:%Y-%m-%d}"


def difference(theirs, ours):
    lines = [f"  Django {row}" for row in theirs if row not in ours]
    lines += [f"  djauth {row}" for row in ours if row not in theirs]
    return "\n".join(lines) or f"  order: Django {theirs}\n  djauth {ours}"
