"""The users, groups, permissions and sessions of the test: their rows, and the facts about them."""

import re
import secrets
import threading
from contextlib import ExitStack, contextmanager

from suite.browser import Browser
from suite.staleness.facts import UNKNOWN, Facts
from suite.staleness.judge import Judge, Question
from suite.staleness.readers import Asker

USERS = tuple(range(6))
GROUPS = ("editors", "Prüfer", "third")
PERMS = ("p0", "p1", "p2", "p3")
#: Two sessions of each user are alive most of the time; the last dead ones are asked with too.
SLOTS, GRAVES = 2, 4

FLAGS = ("active", "superuser", "staff")

#: The end of each report in Django's log of a transaction that the database has ended for the sake of another.
TAKEN_BACK = re.compile(r"django\.db\.utils\.OperationalError: .*(deadlock|database is locked)", re.IGNORECASE)


class Undone(Exception):
    """The database took it back by itself, as for a deadlock."""


def questions():
    def verify(query, **asked):
        return Question(f"/auth/verify{query}", **asked)

    found = [verify(f"?perm=reports.{perm}", perms=(perm,)) for perm in PERMS]
    found += [verify(f"?perm=reports.{a}&perm=reports.{b}", perms=(a, b)) for a, b in (PERMS[:2], PERMS[2:])]
    found += [verify("?group=editors", group="editors"), verify("?staff=1", staff=True)]
    found += [verify("?superuser=1", superuser=True), verify("")]
    found += [verify(f"?perm=reports.{PERMS[0]}&staff=1", perms=PERMS[:1], staff=True)]
    return [*found, Question("/accounts/whoami/", page=True)]


QUESTIONS = questions()


def may_return(user):
    """Whether passwords, rows and sessions of this user may become again what they were.

    A page ends a session whose password is not the user's, which nobody could foresee here. So for one
    half of the users nothing returns, and only they are asked for by pages."""
    return user % 2 == 1


def for_user(question, user):
    """This question, or one that may be asked for this user."""
    return 0 if may_return(user) and QUESTIONS[question].page else question


class World:
    def __init__(self, seed, django, djauth, second, sessions_are_rows, only_asked):
        self.seed, self.django, self.djauth, self.second = seed, django, djauth, second
        #: Who changes something; the first djauth knows of what it writes itself.
        self.writing = [django, second] if only_asked else [django, djauth, second]
        self.sessions_are_rows = sessions_are_rows
        self.facts = Facts()
        self.judge = Judge(self.facts, QUESTIONS, GROUPS)
        self.asker = Asker(djauth.url, QUESTIONS, for_user)
        self.locks = {entity: threading.Lock() for entity in (*USERS, *GROUPS, *PERMS)}
        self.passwords = {}  # of users, as they would type them; None where only the hash is known
        self.kept = {}  # hashes and passwords that users had before, and may get again
        self.keys, self.slots, self.graves = {}, {}, 0
        self.mutex = threading.Lock()
        self.quiet_until = 0  # that many answers
        self.deadlocks = 0  # in Django's log, of which somebody has heard

    def clear(self, database):
        """What another run of the test has left."""
        for table in (
            "auth_user_groups", "auth_user_user_permissions", "auth_group_permissions", "auth_group",
            "auth_user", "django_session",
        ):
            database.execute(f"DELETE FROM {table}")
        for perm in PERMS:
            database.execute("DELETE FROM auth_permission WHERE codename = ?", (perm,))

    def populate(self, database):
        for perm in PERMS:
            self.django.do("create_permission", codename=perm)
        for group in GROUPS:
            self.django.do("create_group", name=group)
            for perm in PERMS:
                self.facts.put(("holds", group, perm), False)
        for user in USERS:
            for name in ("exists", *FLAGS):
                self.facts.put((name, user), False)
            for name in ("name", "email", "password"):
                self.facts.put((name, user), None)
            for perm in PERMS:
                self.facts.put(("granted", user, perm), False)
            for group in GROUPS:
                self.facts.put(("member", user, group), False)
            self.create(user, database)
            self.grant(user, PERMS[user % len(PERMS)], GROUPS[user % len(GROUPS)])

    def grant(self, user, perm, group):
        """Something to begin with."""
        name, permission = self.facts["name", user], f"reports.{perm}"
        with self.facts.change({("granted", user, perm): True}, "at first"):
            self.django.do("grant", username=name, permission=permission)
        with self.facts.change({("member", user, group): True}, "at first"):
            self.django.do("join", username=name, group=group)
        with self.facts.change({("holds", group, perm): True}, "at first"):
            self.django.do("grant_group", name=group, permission=permission)

    def create(self, user, database):
        """Makes the user, who has nothing, through Django. The caller holds the lock."""
        name, password = f"user{user}.{secrets.token_hex(2)}", secrets.token_hex(4)
        email = f"{name}@example.com"
        values = {
            ("exists", user): True, ("active", user): True, ("superuser", user): False,
            ("staff", user): False, ("name", user): name, ("email", user): email,
            ("password", user): UNKNOWN,
        }
        with self.facts.change(values, f"Django makes {name}"):
            self.django.do("create_user", username=name, password=password, email=email)
        self.facts.settle(("password", user), self.stored(database, name))
        self.passwords[user] = password
        # It is another row, whose number no session of the former one names, whatever its hash.
        self.kept.pop(user, None)

    def django_was_taken_back(self):
        """Whether the database has ended one more of Django's transactions for the sake of another."""
        with self.mutex:
            taken_back = len(TAKEN_BACK.findall(self.django.log.read_text(errors="replace"))) > self.deadlocks
            self.deadlocks += taken_back
            return taken_back

    @staticmethod
    def without_user(user):
        """What is true without the user's row and those that lead to it."""
        values = {("granted", user, perm): False for perm in PERMS}
        return values | {("member", user, group): False for group in GROUPS} | {("exists", user): False}

    @staticmethod
    def without_group(group):
        values = {("member", user, group): False for user in USERS}
        return values | {("holds", group, perm): False for perm in PERMS}

    @staticmethod
    def without_permission(perm):
        values = {("granted", user, perm): False for user in USERS}
        return values | {("holds", group, perm): False for group in GROUPS}

    @staticmethod
    def stored(database, name):
        return database.query("SELECT password FROM auth_user WHERE username = ?", (name,))[0]["password"]

    @contextmanager
    def alone(self, *entities):
        """Nobody else changes these meanwhile."""
        with ExitStack() as stack:
            for entity in sorted(set(entities), key=str):
                stack.enter_context(self.locks[entity])
            yield

    def session(self, key, user, slot, readers):
        """A new session, which the readers use from now on; the one before it goes to the graves."""
        with self.mutex:
            number = len(self.keys)
            self.keys[number] = key
            self.facts.put(("session", number), (user, self.facts["password", user]), "login")
            self.facts.put(("in_time", number), True, "login")
            before = self.slots.get((user, slot))
            self.slots[user, slot] = number
            if before is not None:
                readers.tell(("grave", self.graves % GRAVES), user, before, self.keys[before])
                self.graves += 1
            readers.tell((user, slot), user, number, key)
        return number

    def log_in(self, side, user, slot, readers):
        """Whether it could be done."""
        browser = Browser()
        name, password = self.facts["name", user], self.passwords[user]
        answer = browser.login(side, name, password)
        if side is not self.django and answer.status == 503:
            raise Undone(answer)
        assert answer.status == 302, (name, password, answer)
        self.session(browser.cookies["sessionid"], user, slot, readers)

    def is_own(self, number, user):
        """Whether the session is alive and this user's, whose it may not be any more."""
        return number is not None and self.is_alive(number) and self.facts["session", number][0] == user

    def can_log_in(self, user):
        return self.facts["exists", user] and self.facts["active", user] and self.passwords[user] is not None

    def is_alive(self, session):
        login = self.facts["session", session]
        if login is None or not self.facts["in_time", session]:
            return False
        user, password = login
        here = self.facts["exists", user] and self.facts["active", user]
        return here and self.facts["password", user] == password
