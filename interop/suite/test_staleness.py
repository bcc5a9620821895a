"""No answer of djauth is older than it may be, whoever changes the database.

A live Django, statements typed into the database and a second djauth change users, groups, permissions
and sessions at random, while clients ask the first djauth who is logged in and what they may do. Each
answer must be one that was right at some moment between its question and itself.
"""

import re
import secrets
import time
from urllib.request import urlopen

import pytest

from suite.conftest import settings_for, storage_for
from suite.sides import Django, Djauth, free_port
from suite.staleness.facts import Facts, now
from suite.staleness.judge import ALLOWED, NOBODY, REFUSED, Judge, Question, Seen
from suite.staleness.readers import Readers
from suite.staleness.sql import BySql
from suite.staleness.world import SLOTS, USERS, World
from suite.staleness.writers import ByDjango, ByDjauth, Goal


#: How old answers may be in the bounded mode, in seconds, and what is so long that it is none.
BOUND, NO_BOUND = 0.4, 30
#: More than a change takes on a slow and busy machine.
SECONDS = 1.5


class Watch:
    """Three servers on a database, and what came of a while with them."""

    def __init__(self, database, folder, seed, sessions="db", staleness=0, only_asked=False):
        self.database, self.seed, self.only_asked = database, seed, only_asked
        shared = settings_for(
            database, sessions, **storage_for(sessions, folder), FORWARD_AUTH_HEADERS=["email"], CONN_MAX_AGE=60,
        )
        self.metrics_address = f"127.0.0.1:{free_port()}"
        own = {"METRICS_ADDRESS": self.metrics_address, "AUTH_CACHE_STALENESS": str(staleness)}
        self.django, self.djauth = Django(shared, folder), Djauth(shared | own, folder)
        self.second = Djauth(shared, folder)
        self.sides = (self.django, self.djauth, self.second)
        self.rows = sessions == "db"

    def __enter__(self):
        try:
            self.djauth.run("cache", "install")
            for side in self.sides:
                side.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for side in self.sides:
            side.stop()

    def run(self, changes):
        self.world = World(self.seed, self.django, self.djauth, self.second, self.rows, self.only_asked)
        self.world.clear(self.database)
        self.world.populate(self.database)
        readers = Readers(self.seed, self.world.asker, USERS)
        for user in USERS:
            for slot in range(SLOTS):
                self.world.log_in(self.django, user, slot, readers)
        goal = Goal(changes, readers, SECONDS * changes)
        kinds = [ByDjango, ByDjauth, BySql, *([BySql] if self.database.kind != "sqlite" else [])]
        self.writers = [kind(self.world, readers, self.database, goal, n) for n, kind in enumerate(kinds)]
        for writer in self.writers:
            writer.start()
        for writer in self.writers:
            writer.join(SECONDS * changes + 60)
            assert not writer.is_alive(), f"{writer.label} hangs"
        self.seen = readers.finish() + [seen for writer in self.writers for seen in writer.seen]
        for writer in self.writers:
            if writer.error:
                raise writer.error
        self.hits = self.counter("djauth_auth_cache_hits_total")

    def counter(self, name):
        with urlopen(f"http://{self.metrics_address}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        found = re.search(rf"^{name} (\d+)$", text, re.MULTILINE)
        return int(found.group(1)) if found else 0

    def stale(self, slack=0.0):
        return [seen for seen in self.seen if not self.world.judge.agrees(seen, slack)]

    def explain(self, seen):
        judge = self.world.judge
        question = judge.questions[seen.question]
        took = 1000 * (seen.end - seen.start)
        said = f"{seen.status} {seen.name or ''} {seen.email or ''}"
        first = f"seed {self.seed}: {question.path} with session {seen.session} gave {said} after {took:.1f} ms"
        return "\n".join([first, *judge.reasons(seen)])

    def tells_something(self):
        """A run in which nothing could have been stale shows nothing."""
        sharp = [seen for seen in self.seen if self.world.judge.is_sharp(seen)]
        changes = sum(sum(writer.done.values()) for writer in self.writers)
        undone = sum(writer.undone for writer in self.writers)
        by_status = {status: sum(s.status == status for s in sharp) for status in (NOBODY, REFUSED, ALLOWED)}
        print(
            f"seed {self.seed}: {len(self.seen)} answers, {self.hits} from the cache; of them {len(sharp)} could have been only one"
            f" {by_status}; {changes} changes, {undone} taken back by the database"
        )
        for writer in self.writers:
            print(f"  {writer.label}: {writer.done}")
        assert all(count > len(sharp) / 50 for count in by_status.values()), by_status
        assert len(sharp) > len(self.seen) / 2, f"{len(sharp)} of {len(self.seen)}"
        assert undone <= changes / 10, f"{undone} of {changes} changes were taken back"
        assert self.hits > len(self.seen) / 50, f"only {self.hits} of {len(self.seen)} answers were kept ones"


@pytest.fixture
def watch(own_database, folder, pytestconfig):
    """Watches for a number of changes, by the settings that are given."""
    seed = pytestconfig.getoption("--seed") or secrets.randbelow(2**32)
    changes = pytestconfig.getoption("--staleness")

    def watch(**settings):
        with Watch(own_database, folder, seed, **settings) as watch:
            watch.run(changes)
        return watch

    return watch


@pytest.mark.staleness
@pytest.mark.parametrize("sessions", ["db", "cached_db"])
def test_no_answer_is_stale(watch, sessions):
    watched = watch(sessions=sessions)
    stale = watched.stale()
    assert not stale, f"{len(stale)} answers are stale; the first:\n{watched.explain(stale[0])}"
    watched.tells_something()


@pytest.mark.staleness
def test_no_answer_is_older_than_the_bound(watch):
    watched = watch(staleness=BOUND)
    stale = watched.stale(slack=BOUND)
    assert not stale, f"{len(stale)} answers are too old; the first:\n{watched.explain(stale[0])}"
    watched.tells_something()
    assert watched.stale(), "nothing was ever old: the bounded mode was not tried"


@pytest.mark.staleness
def test_answers_that_are_never_proved_are_found_out(watch):
    """The test of the test: djauth with a bound so long that it is none, held against the short ones. It is only
    asked, because what it writes itself makes it prove every entry again."""
    watched = watch(staleness=NO_BOUND, only_asked=True)
    for slack in (0, BOUND):
        stale = watched.stale(slack)
        assert stale, f"the check for answers older than {slack} s sees nothing"
        assert watched.explain(stale[0])


@pytest.fixture
def told():
    """Facts that were changed at moments of our choice, and their judge."""
    facts = Facts()
    for fact, value in {
        ("session", 0): (0, "hash"), ("in_time", 0): True, ("exists", 0): True, ("active", 0): True,
        ("password", 0): "hash", ("superuser", 0): False, ("staff", 0): False, ("name", 0): "ann",
        ("email", 0): "a@b.c", ("granted", 0, "p0"): True, ("member", 0, "editors"): False,
        ("holds", "editors", "p0"): False,
    }.items():
        facts.put(fact, value)
        facts.histories[fact].starts[0] = 0
    return facts, Judge(facts, [Question("/auth/verify?perm=p0", perms=("p0",))], ["editors"])


def seen(start, end, status, name="ann"):
    return Seen(start, end, 0, 0, status, name, "a@b.c")


def test_both_values_are_right_while_a_fact_changes_and_one_before_and_after(told):
    facts, judge = told
    facts.foresee(("granted", 0, "p0"), False, 10, 12, "revoked")
    for start, end, right in [
        (8, 9, {ALLOWED}), (9, 10.5, {ALLOWED, REFUSED}), (10.5, 11, {ALLOWED, REFUSED}),
        (11, 13, {ALLOWED, REFUSED}), (12.1, 13, {REFUSED}),
    ]:
        found = {status for status in (NOBODY, REFUSED, ALLOWED) if judge.agrees(seen(start, end, status))}
        assert found == right, (start, end)
    assert judge.agrees(seen(12.1, 13, ALLOWED), slack=0.2)
    assert not judge.agrees(seen(12.3, 13, ALLOWED), slack=0.2)


@pytest.mark.parametrize("fact, value, status", [
    (("session", 0), None, NOBODY), (("in_time", 0), False, NOBODY), (("exists", 0), False, NOBODY),
    (("active", 0), False, NOBODY), (("password", 0), "other", NOBODY), (("granted", 0, "p0"), False, REFUSED),
])
def test_each_fact_decides(told, fact, value, status):
    facts, judge = told
    facts.foresee(fact, value, 10, 10, "changed")
    assert judge.agrees(seen(9, 9.5, ALLOWED)) and not judge.agrees(seen(9, 9.5, status))
    assert judge.agrees(seen(11, 12, status)) and not judge.agrees(seen(11, 12, ALLOWED))
    # What is only a matter of time is nobody's excuse.
    assert judge.agrees(seen(11, 12, ALLOWED), slack=2) == (fact[0] != "in_time")


def test_what_a_group_or_a_superuser_has_counts_and_a_wrong_name_does_not(told):
    facts, judge = told
    assert not judge.agrees(seen(1, 2, ALLOWED, "bob"))
    facts.foresee(("granted", 0, "p0"), False, 10, 10, "revoked")
    facts.foresee(("member", 0, "editors"), True, 20, 20, "joined")
    assert not judge.agrees(seen(21, 22, ALLOWED))
    facts.foresee(("holds", "editors", "p0"), True, 30, 30, "granted")
    assert judge.agrees(seen(31, 32, ALLOWED)) and not judge.agrees(seen(31, 32, REFUSED))
    facts.foresee(("member", 0, "editors"), False, 40, 40, "left")
    assert not judge.agrees(seen(41, 42, ALLOWED))
    facts.foresee(("superuser", 0), True, 50, 50, "raised")
    assert judge.agrees(seen(51, 52, ALLOWED)) and not judge.agrees(seen(51, 52, REFUSED))


def test_a_change_that_failed_leaves_what_was():
    facts = Facts()
    facts.put(("active", 0), True)
    with pytest.raises(ZeroDivisionError), facts.change({("active", 0): False}, "in vain"):
        1 / 0
    assert facts["active", 0] is True
    time.sleep(0.01)
    assert facts.possible(("active", 0), now(), now()) == [True]
