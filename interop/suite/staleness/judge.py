"""Judges answers by the facts."""

from dataclasses import dataclass

#: What an answer may be: a status, with the name and the address where it tells them.
NOBODY, REFUSED, ALLOWED = 401, 403, 200


@dataclass(frozen=True)
class Question:
    """What a request asks for, beside who is logged in."""

    path: str
    perms: tuple = ()
    group: str | None = None
    staff: bool = False
    superuser: bool = False
    page: bool = False


@dataclass(slots=True)
class Seen:
    """One answer, and the span in which it was asked for and given."""

    start: float
    end: float
    session: int
    question: int
    status: int
    name: str | None
    email: str | None


class Span:
    """The facts as they could be seen in a span; `slack` lengthens it into the past."""

    def __init__(self, facts, seen, slack):
        self.facts, self.last = facts, seen.end
        self.asked, self.first = seen.start, seen.start - slack

    def __call__(self, *fact):
        return self.facts.possible(fact, self.first, self.last)

    def without_slack(self, *fact):
        return self.facts.possible(fact, self.asked, self.last)


class Judge:
    """Knows every question, and the groups that there are."""

    def __init__(self, facts, questions, groups):
        self.facts, self.questions, self.groups = facts, questions, groups

    def agrees(self, seen, slack=0.0):
        """Whether some state of the span gives this answer."""
        return self.could_be(seen, slack, seen.status)

    def is_sharp(self, seen):
        """Whether only one status was right, so that the answer proves something."""
        return sum(self.could_be(seen, 0.0, status) for status in (NOBODY, REFUSED, ALLOWED)) == 1

    def could_be(self, seen, slack, status):
        span = Span(self.facts, seen, slack)
        # Time is everybody's: what a cache may be late to hear of does not include it.
        in_time = span.without_slack("in_time", seen.session)
        if status == NOBODY and False in in_time:
            return True
        told = seen if status == seen.status else None
        logins = span("session", seen.session) if status == NOBODY or True in in_time else []
        return any(self.login_gives(span, login, seen.question, status, told) for login in logins)

    def login_gives(self, span, login, question, status, told):
        if login is None:
            return status == NOBODY
        user, password = login
        may_be = True in span("exists", user) and True in span("active", user)
        may_be = may_be and password in span("password", user)
        if status == NOBODY:
            return self.may_be_nobody(span, user, password)
        if not may_be:
            return False
        question = self.questions[question]
        if status == REFUSED:
            return not question.page and self.may_be_refused(span, user, question)
        return self.may_be_allowed(span, user, question) and self.is_named(span, user, told)

    @staticmethod
    def may_be_nobody(span, user, password):
        others = [known for known in span("password", user) if known != password]
        return bool(others) or False in span("exists", user) or False in span("active", user)

    @staticmethod
    def is_named(span, user, told):
        return told is None or (told.name in span("name", user) and told.email in span("email", user))

    def may_be_allowed(self, span, user, question):
        superuser = True in span("superuser", user)
        return (
            (superuser or all(self.may_have(span, user, perm) for perm in question.perms))
            and (not question.staff or True in span("staff", user))
            and (not question.superuser or superuser)
            and (question.group is None or True in span("member", user, question.group))
        )

    def may_be_refused(self, span, user, question):
        no_superuser = False in span("superuser", user)
        return (
            (no_superuser and any(self.may_lack(span, user, perm) for perm in question.perms))
            or (question.staff and False in span("staff", user))
            or (question.superuser and no_superuser)
            or (question.group is not None and False in span("member", user, question.group))
        )

    def may_have(self, span, user, perm):
        return True in span("granted", user, perm) or any(
            True in span("member", user, group) and True in span("holds", group, perm)
            for group in self.groups
        )

    def may_lack(self, span, user, perm):
        return False in span("granted", user, perm) and all(
            False in span("member", user, group) or False in span("holds", group, perm)
            for group in self.groups
        )

    def reasons(self, seen):
        """The facts of the answer around its span, for people."""
        question = self.questions[seen.question]
        users = {login[0] for login in self.facts.histories["session", seen.session].values if login}
        wanted = [("session", seen.session), ("in_time", seen.session)]
        for user in sorted(users):
            wanted += [(name, user) for name in ("exists", "active", "password", "superuser", "staff", "name", "email")]
            wanted += [("granted", user, perm) for perm in question.perms]
            wanted += [("member", user, group) for group in self.groups]
        wanted += [("holds", group, perm) for group in self.groups for perm in question.perms]
        return [line for fact in wanted for line in self.lines(fact, seen)]

    def lines(self, fact, seen, seconds=3.0):
        for start, end, value, cause in self.facts.histories[fact].around(seen.start - seconds, seen.end + 0.5):
            since, until = (1000 * (moment - seen.start) for moment in (start, end))
            yield f"  {' '.join(map(str, fact))} = {value!s:.60} from {since:.1f} to {until:.1f} ms ({cause})"
