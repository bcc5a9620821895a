"""Pages of the admin beside Django's, at a thousand users and at a million, and what they weigh."""

import http.client
import re
import time
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from statistics import median
from urllib.parse import urlencode, urlsplit

from bench import rows
from bench.rounds import interleaved, say
from bench.rows import FIRST, Shape, Tables, moment
from bench.sites import Gunicorn, empty, in_django, settle, started
from suite.pages import rows_in, sheet_in
from suite.sides import Djauth

DJANGO, OURS = "Django, gunicorn", "djauth"
LIST, GROUPS = "/admin/auth/user/", 50
#: A group of a hundred; the others share everybody.
FEW, ENTRIES = FIRST + 40, 30
#: So many of a page in a round, if the time is enough for them.
REQUESTS = 15
ROOT = """
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
root = User.objects.create(username="root", password="!", is_staff=True, is_superuser=True)
session = SessionStore()
session.update({"_auth_user_id": str(root.pk), "_auth_user_backend": "django.contrib.auth.backends.ModelBackend",
                "_auth_user_hash": root.get_session_auth_hash()})
session.save()
print(root.pk, session.session_key)
"""


def run(options, folder):
    sizes = (1_000, 10_000) if options.quick else (1_000, 1_000_000)
    return {kind: {"pages": {str(size): pages(kind, size, options, folder) for size in sizes}} for kind in options.database}


def pages(kind, size, options, folder):
    began = time.monotonic()
    with ExitStack() as stack:
        database, settings = stack.enter_context(empty(kind, folder))
        key = fill(database, settings, size)
        say(f"admin, {kind}: {size:,} users in {time.monotonic() - began:.1f} s")
        sides = {DJANGO: Gunicorn(settings, folder), OURS: Djauth(settings, folder)}
        stack.enter_context(started(*sides.values()))
        visitors = {name: Visitor(side, key) for name, side in sides.items()}
        told = {}
        for page, ask in asked(size).items():
            ways = {name: Way(visitor, name, ask) for name, visitor in visitors.items()}
            alike(page, ways)
            measured = {name: lambda way=way: way.measure(options.seconds) for name, way in ways.items()}
            told[page] = interleaved(options.rounds, measured, f"admin, {kind}, {size:,}, {page}")
            for name, way in ways.items():
                told[page][f"{name}, bytes"] = way.weight()
        return told


# What there is


def fill(database, settings, size):
    """The key of a session of the one who may do everything."""
    tables, shape = Tables(database), Shape(users=size, groups=GROUPS, permissions=360)
    tables.without_checks()
    rows.users(tables, shape, settings)
    rows.permissions(tables, shape)
    me, key = in_django(settings, ROOT).stdout.split()
    link = "INSERT INTO auth_user_groups (user_id, group_id)"
    tables.run(f"{link} SELECT {FIRST} + n, {FIRST} + n % 40 FROM {tables.source(size)}")
    tables.run(f"{link} SELECT {FIRST} + n, {FEW} FROM {tables.source(100)}")
    tables.run(
        "INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message,"
        f" content_type_id, user_id) SELECT {moment(tables)}, '{FIRST}', 'user0', 2,"
        """ '[{"changed": {"fields": ["First name", "Groups"]}}]', c.id, """
        f"{me} FROM django_content_type c CROSS JOIN {tables.source(ENTRIES)} WHERE c.model = 'user'"
    )
    settle(database)
    database.close()
    return key


def asked(size):
    """Paths, or what finds one; a form to send where there is one."""
    rare = size // 2 + 77
    return {
        "start": "/admin/",
        "list, first page": LIST,
        "list, next page": lambda name, first: f"{LIST}?p=2" if name == DJANGO else linked(first, ">Next<"),
        "list, last page": lambda name, first: f"{LIST}?p={last(size)}" if name == DJANGO else linked(first, ">Last<", size),
        "list, by e-mail": f"{LIST}?o=2",
        "list, a group of 100": f"{LIST}?groups__id__exact={FEW}",
        "list, a group of a fortieth": f"{LIST}?groups__id__exact={FIRST + 1}",
        "search, one found": f"{LIST}?q=user{rare}%40",
        "search, all found": f"{LIST}?q=ada",
        "list, a username": f"{LIST}?username__exact=user{rare}",
        "change": f"{LIST}{FIRST}/change/",
        "save": Save(f"{LIST}{FIRST}/change/"),
        "history": f"{LIST}{FIRST}/history/",
        "delete, asking": f"{LIST}{FIRST}/delete/",
    }


def last(size):
    """Of the pages of a hundred, `root` counted."""
    return size // 100 + 1


def linked(page, mark, size=0):
    """Where a link with this text leads; lists whose pages are counted number the last one."""
    found = re.search(rf'<a href="([^"]*)"[^>]*{mark}', page.text) or (size and re.search(rf'<a href="([^"]*)">{last(size)}<', page.text))
    assert found, f"no link {mark}"
    return LIST + unescape(found[1])


class Save:
    """Another first name each time, as the form of the page has it."""

    def __init__(self, path):
        self.path = path


# Who asks


class Page:
    def __init__(self, response):
        self.status, self.body = response.status, response.read()

    @property
    def text(self):
        return self.body.decode()


class Visitor:
    """One connection that stays, with a session."""

    def __init__(self, side, key):
        self.side, self.saved = side, 0
        self.connection = http.client.HTTPConnection(urlsplit(side.url).netloc, timeout=120)
        self.headers = {"Cookie": f"sessionid={key}; csrftoken={'c' * 32}", "Accept-Encoding": "identity"}

    def ask(self, path, form=None):
        method, body, headers = "GET", None, self.headers
        if form is not None:
            method, body = "POST", urlencode(form)
            headers = {**headers, "X-CSRFToken": "c" * 32, "Content-Type": "application/x-www-form-urlencoded"}
        start = time.perf_counter()
        self.connection.request(method, path, body, headers)
        page = Page(self.connection.getresponse())
        return page, time.perf_counter() - start


class Way:
    """How one side is asked for a page."""

    def __init__(self, visitor, name, ask):
        self.visitor, self.ask = visitor, ask
        if callable(ask):
            self.ask = ask(name, visitor.ask(LIST)[0])
        self.page, _ = self.once()

    def once(self):
        """The answer, and how long it took: of a form that is sent, without the page before."""
        if not isinstance(self.ask, Save):
            page, took = self.visitor.ask(self.ask)
            assert page.status == 200, f"{self.ask}: {page.status}"
            return page, took
        sheet = sheet_in(self.visitor.ask(self.ask.path)[0])
        self.visitor.saved += 1
        form = sheet.filled({"first_name": [f"Ada {self.visitor.saved}"]}) + [("_continue", "1")]
        page, took = self.visitor.ask(self.ask.path, form)
        assert page.status == 302, f"{self.ask.path}: {page.status}"
        return page, took

    def measure(self, seconds):
        times, began = [], time.monotonic()
        while len(times) < REQUESTS and (not times or time.monotonic() - began < seconds):
            times.append(self.once()[1])
        return {"p50": median(times), "longest": max(times)}

    def weight(self):
        """Bytes of the page alone, and with style and scripts, as they are without compression."""
        assets = set(re.findall(r'<(?:link|script)[^>]*(?:href|src)="([^"]*(?:\.css|\.js|/jsi18n/))"', self.page.text))
        return {"page": len(self.page.body), "assets": sum(self.bytes_of(unescape(path)) for path in assets)}

    def bytes_of(self, path):
        if not path.startswith("/admin/"):
            # Django's come from its package, as a server in front would send them.
            import django.contrib.admin as admin

            return len(Path(admin.__file__).with_name("static").joinpath(path.removeprefix("/static/")).read_bytes())
        page, _ = self.visitor.ask(path)
        assert page.status == 200, path
        return len(page.body)


def alike(page, ways):
    """Both lists show the same names in the same order; a last page of ours is full."""
    if "list" not in page and "search" not in page:
        return
    names = [[next((cell for cell in row if re.fullmatch(r"user\d+|root", cell)), None) for row in rows_in(way.page)] for way in ways.values()]
    theirs, ours = ([name for name in found if name] for found in names)
    if page == "list, last page":
        ours = ours[-len(theirs):]
    assert theirs and theirs == ours, f"{page}: {theirs[:3]}… ({len(theirs)}) and {ours[:3]}… ({len(ours)})"
