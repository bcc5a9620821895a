"""Change what is true, each writer in a thread of its own, and look at once whether it is seen."""

import os
import pty
import random
import secrets
import subprocess
import threading
import time

from suite.browser import Browser
from suite.sides import PATIENCE
from suite.staleness.facts import UNKNOWN, now
from suite.staleness.readers import Client, hot
from suite.staleness.world import FLAGS, GROUPS, PERMS, QUESTIONS, SLOTS, USERS, Undone, for_user


#: Answers for each change, at least.
ANSWERS = 10


def new_password():
    """One that every validator lets pass: digits alone would not do."""
    return f"pw-{secrets.token_hex(6)}"


class Goal:
    """So many changes and answers, however slow the machine is; or all the time that there is."""

    def __init__(self, changes, readers, seconds):
        self.changes, self.readers, self.deadline = changes, readers, now() + seconds
        self.lock, self.done = threading.Lock(), 0

    def note(self):
        with self.lock:
            self.done += 1

    def is_reached(self):
        enough = self.done >= self.changes and self.readers.answers() >= ANSWERS * self.changes
        return enough or now() > self.deadline


class Writer(threading.Thread):
    """`steps` of a subclass: weights and methods. A step that finds nothing to do does nothing."""

    def __init__(self, world, readers, database, goal, number=0):
        super().__init__(daemon=True)
        self.world, self.facts, self.readers = world, world.facts, readers
        # With a connection of its own, which SQLite's driver ties to its thread.
        self.database, self.goal = database.again(), goal
        self.label = f"{type(self).__name__}{number}"
        self.random = random.Random(f"{world.seed} {self.label}")
        self.client = Client(world.asker.address)
        self.seen, self.error = [], None
        self.done, self.undone = {}, 0

    def run(self):
        try:
            self.begin()
            while not self.goal.is_reached():
                self.step()
                self.rest()
        except BaseException as error:
            self.error = error
        finally:
            self.end()
            self.database.close()

    def begin(self):
        pass

    def end(self):
        pass

    def step(self):
        weights = [weight for weight, _ in self.steps()]
        step = self.random.choices([step for _, step in self.steps()], weights)[0]
        try:
            if step() is not False:
                self.done[step.__name__] = self.done.get(step.__name__, 0) + 1
                self.goal.note()
        except Undone:
            self.undone += 1
        except AssertionError:
            if not self.world.django_was_taken_back():
                raise
            self.undone += 1

    def rest(self):
        """Bursts of changes, and then a while in which caches may fill: everybody waits for some answers."""
        if self.random.random() < 0.15:
            self.world.quiet_until = self.readers.answers() + 50
        patience = now() + 1
        while self.readers.answers() < self.world.quiet_until and now() < patience and not self.goal.is_reached():
            time.sleep(0.005)
        time.sleep(self.random.uniform(0, 0.01))

    # What to change

    def user(self):
        users = hot(self.world.seed, now(), USERS, 2) if self.random.random() < 0.7 else USERS
        return self.random.choice(users)

    def group(self):
        return self.random.choice(GROUPS)

    def perm(self):
        return self.random.choice(PERMS)

    def number_of(self, user):
        """One of the user's sessions."""
        return self.world.slots.get((user, self.random.randrange(SLOTS)))

    def flag_of(self, user):
        """Nobody stays locked out for long: there would be little to see."""
        locked_out = not self.facts["active", user]
        return "active" if locked_out and self.random.random() < 0.7 else self.random.choice(FLAGS)

    # And then

    def look(self, user, *perms):
        """Asks at once, with a session of the user, for what may have changed."""
        number = self.number_of(user)
        if number is None:
            return
        asks = [n for n, q in enumerate(QUESTIONS) if not perms or set(perms) & set(q.perms)]
        question = for_user(self.random.choice(asks), user)
        request = self.world.asker.request(question, self.world.keys[number])
        start = now()
        answer = self.client.ask(request)
        self.seen.append(self.world.asker.seen(start, now(), number, question, answer))

    def look_around(self, *perms):
        for user in hot(self.world.seed, now(), USERS, 2):
            self.look(user, *perms)


def typed_into(side, arguments, answers):
    """A command on a terminal of its own, and an answer to each of its questions."""
    ours, theirs = pty.openpty()
    command = subprocess.Popen(
        [*side.manage(), *arguments], env=side.environment(), cwd=side.folder,
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )
    os.close(theirs)
    screen, answers = b"", list(answers)
    with os.fdopen(ours, "r+b", buffering=0) as terminal:
        while block := said_on(terminal):
            screen += block
            if answers and screen.endswith(b": "):
                screen += b"\n"
                terminal.write(answers.pop(0).encode() + b"\n")
    assert command.wait(PATIENCE) == 0 and not answers, screen.decode(errors="replace")


def said_on(terminal):
    try:
        return terminal.read(4096)
    except OSError:  # Linux says so at the end.
        return b""


class Sites(Writer):
    """What Django and djauth have in common: people who log in."""

    def log_in(self):
        """Anew, mostly where the session is dead."""
        user, slot = self.user(), self.random.randrange(SLOTS)
        dead = [place for place, number in self.world.slots.items() if not self.world.is_own(number, place[0])]
        dead = [place for place in dead if self.world.can_log_in(place[0])]
        if dead and self.random.random() < 0.9:
            user, slot = self.random.choice(dead)
        with self.world.alone(user):
            if not self.world.can_log_in(user):
                return False
            self.world.log_in(self.random.choice(self.world.writing), user, slot, self.readers)
            self.look(user)


class ByDjango(Sites):
    """The ORM of a live site."""

    def steps(self):
        return [
            (9, self.log_in), (2, self.set_password), (6, self.flag), (2, self.email),
            (7, self.grant), (7, self.membership), (7, self.grant_group), (1, self.delete_user),
            (1, self.delete_group), (1, self.delete_permission), (5, self.session),
        ]

    def do(self, values, cause, command, **arguments):
        with self.facts.change(values, f"Django: {cause}"):
            self.world.django.do(command, **arguments)

    def set_password(self):
        user = self.user()
        with self.world.alone(user):
            if not self.facts["exists", user]:
                return False
            password, name = secrets.token_hex(4), self.facts["name", user]
            values = {("password", user): UNKNOWN}
            self.do(values, "set_password", "set_password", username=name, password=password)
            self.facts.settle(("password", user), self.world.stored(self.database, name))
            self.world.passwords[user] = password
            self.look(user)

    def flag(self):
        user = self.user()
        flag = self.flag_of(user)
        with self.world.alone(user):
            if not self.facts["exists", user]:
                return False
            value, name = not self.facts[flag, user], self.facts["name", user]
            self.do({(flag, user): value}, flag, "update_user", username=name, **{f"is_{flag}": value})
            self.look(user)

    def email(self):
        user = self.user()
        with self.world.alone(user):
            if not self.facts["exists", user]:
                return False
            email, name = f"{secrets.token_hex(3)}@example.com", self.facts["name", user]
            self.do({("email", user): email}, "email", "update_user", username=name, email=email)
            self.look(user)

    def grant(self):
        user, perm = self.user(), self.perm()
        with self.world.alone(user, perm):
            if not self.facts["exists", user]:
                return False
            granted = self.facts["granted", user, perm]
            command = "revoke" if granted else "grant"
            name, permission = self.facts["name", user], f"reports.{perm}"
            values = {("granted", user, perm): not granted}
            self.do(values, command, command, username=name, permission=permission)
            self.look(user, perm)

    def membership(self):
        user, group = self.user(), self.group()
        with self.world.alone(user, group):
            if not self.facts["exists", user]:
                return False
            member = self.facts["member", user, group]
            command, name = "leave" if member else "join", self.facts["name", user]
            self.do({("member", user, group): not member}, command, command, username=name, group=group)
            self.look(user)

    def grant_group(self):
        group, perm = self.group(), self.perm()
        with self.world.alone(group, perm):
            holds = self.facts["holds", group, perm]
            command, permission = "revoke_group" if holds else "grant_group", f"reports.{perm}"
            values = {("holds", group, perm): not holds}
            self.do(values, command, command, name=group, permission=permission)
            self.look_around(perm)

    def delete_user(self):
        """And a new one in the place."""
        user = self.user()
        with self.world.alone(user):
            if self.facts["exists", user]:
                values, name = self.world.without_user(user), self.facts["name", user]
                self.do(values, "delete_user", "delete_user", username=name)
                self.look(user)
                time.sleep(self.random.uniform(0, 0.05))
            self.world.create(user, self.database)
            self.look(user)

    def delete_group(self):
        group = self.group()
        with self.world.alone(group):
            self.do(self.world.without_group(group), "delete_group", "delete_group", name=group)
            self.look_around()
            self.again("create_group", name=group)

    def delete_permission(self):
        perm = self.perm()
        with self.world.alone(perm):
            values = self.world.without_permission(perm)
            self.do(values, "delete_permission", "delete_permission", codename=perm)
            self.look_around(perm)
            self.again("create_permission", codename=perm)

    def again(self, command, **arguments):
        """What has to be done for the test to go on."""
        done = False
        while not done:
            try:
                self.world.django.do(command, **arguments)
                done = True
            except AssertionError:
                if not self.world.django_was_taken_back():
                    raise

    def session(self):
        """Ends a session in one of the ways, or only saves something in it."""
        user = self.user()
        way = self.random.choice(["delete", "flush", "expire", "soon", "save", "save", "save"])
        with self.world.alone(user):
            number = self.number_of(user)
            if number is None or not self.world.is_alive(number):
                return False
            values = {} if way in ("save", "soon") else {("session", number): None}
            start = now()
            key = self.world.keys[number]
            self.do(values, f"session {way}", "change_session", key=key, way=way)
            if way == "soon":
                # Second by Django's clock; some milliseconds for how it is rounded and stored.
                self.facts.foresee(("in_time", number), False, start + 0.98, now() + 1.05, "it is time")
            self.look(user)


class ByDjauth(Sites):
    """The pages and commands of a second djauth."""

    def steps(self):
        return [
            (14, self.log_in), (4, self.log_out), (3, self.change_own), (1, self.changepassword),
            (1, self.clearsessions),
        ]

    def browser_of(self, number):
        browser = Browser()
        browser.cookies["sessionid"] = self.world.keys[number]
        return browser

    def log_out(self):
        user = self.user()
        with self.world.alone(user):
            number = self.number_of(user)
            if not self.world.is_own(number, user):
                return False
            browser = self.browser_of(number)
            page = browser.get(self.world.second, "/accounts/login/")
            side = self.random.choice(self.world.writing[1:])
            with self.facts.change({("session", number): None}, "log out"):
                answer = browser.logout(side)
                assert answer.status == 200, (page, answer)
            self.look(user)

    def change_own(self):
        """The page keeps this session under a new key and ends the others."""
        user, slot = self.user(), self.random.randrange(SLOTS)
        with self.world.alone(user):
            number = self.world.slots.get((user, slot))
            if not self.world.is_own(number, user) or not self.world.passwords[user]:
                return False
            browser, password = self.browser_of(number), new_password()
            values = {("password", user): UNKNOWN, ("session", number): None}
            form = {"old_password": self.world.passwords[user]}
            form |= {"new_password1": password, "new_password2": password}
            with self.facts.change(values, "password_change page"):
                answer = browser.submit(self.world.second, "/accounts/password_change/", form)
                assert answer.status == 302, answer
            name = self.facts["name", user]
            self.facts.settle(("password", user), self.world.stored(self.database, name))
            self.world.passwords[user] = password
            self.world.session(browser.cookies["sessionid"], user, slot, self.readers)
            self.look(user)

    def changepassword(self):
        user = self.user()
        with self.world.alone(user):
            if not self.facts["exists", user]:
                return False
            name, password = self.facts["name", user], new_password()
            with self.facts.change({("password", user): UNKNOWN}, "djauth changepassword"):
                typed_into(self.world.second, ("changepassword", name), (password, password))
            self.facts.settle(("password", user), self.world.stored(self.database, name))
            self.world.passwords[user] = password
            self.look(user)

    def clearsessions(self):
        """Changes nothing that anybody sees."""
        self.world.second.run("clearsessions")
        self.look_around()
