"""Makes crates/djauth/tests/data/remote_user.json: who is logged in as the header of a remote user
comes, changes and goes.

    python remote_user.py > ../../crates/djauth/tests/data/remote_user.json

Each case is one browser with its cookies: a middleware, a backend, users that exist before, and steps.
A step sends the header (null: none) and tells who was logged in, what became of the session's key and
data, and which users exist after it.
"""

import json

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="models-vector-key-0123456789abcdefghijklmnopqrstuv",
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    ROOT_URLCONF=__name__, USE_TZ=True, LOGGING_CONFIG=None,
)
django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, backends, middleware, signals  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.middleware.csrf import get_token  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import path  # noqa: E402

MODEL = "django.contrib.auth.backends.ModelBackend"
REMOTE = "django.contrib.auth.backends.RemoteUserBackend"
ALL = "django.contrib.auth.backends.AllowAllUsersRemoteUserBackend"
HEADER = "HTTP_X_WHO"
SECRET = "q7Rb2XkV9mTz0LhYc4NfWs8JdGpEuA1e"


class Remote(middleware.RemoteUserMiddleware):
    header = HEADER


class Persistent(middleware.PersistentRemoteUserMiddleware):
    header = HEADER


class KnownOnly(backends.RemoteUserBackend):
    create_unknown_user = False


class Cleaning(backends.RemoteUserBackend):
    """Takes the part before the @, and writes the whole into the address, as new or seen again."""

    def clean_username(self, username):
        return username.partition("@")[0]

    def configure_user(self, request, user, created=True):
        user.email = request.META[HEADER]
        user.last_name = "new" if created else "known"
        user.save()
        return user


def who(request):
    if request.GET.get("cart"):
        request.session["cart"] = request.GET["cart"]
    return HttpResponse(request.user.get_username())


urlpatterns = [path("", who)]
failed = []
signals.user_login_failed.connect(lambda **event: failed.append(event["credentials"]), weak=False)


def users():
    fields = ("username", "email", "last_name", "is_active")
    return list(User.objects.order_by("pk").values_list(*fields))


def step(client, header, cart=None, post=False):
    before = client.cookies["sessionid"].value if "sessionid" in client.cookies else ""
    rows = Session.objects.count()
    failed.clear()
    environ = {} if header is None else {HEADER: header}
    if post:
        client.cookies["csrftoken"] = SECRET
        answer = client.post("/", {"csrfmiddlewaretoken": SECRET}, **environ)
    else:
        answer = client.get("/" + (f"?cart={cart}" if cart else ""), **environ)
    after = client.cookies["sessionid"].value if "sessionid" in client.cookies else ""
    csrf = answer.cookies.get("csrftoken")
    return {
        "header": header, "cart": cart, "post": post, "status": answer.status_code,
        "who": answer.content.decode(),
        "key": "none" if not after else "same" if after == before else "new",
        "old_row_lives": bool(before) and Session.objects.filter(session_key=before).exists(),
        "backend": client.session.get(BACKEND_SESSION_KEY) if after else None,
        "has_cart": bool(after) and "cart" in client.session,
        "new_rows": Session.objects.count() - rows,
        "csrf_rotated": csrf is not None and csrf.value != SECRET,
        "failures": [sorted(event.items()) for event in failed],
        "vary": answer.headers.get("Vary"),
        "users": users(),
    }


# name, middleware, backends, users (name, active), who logs in with a password first, steps
CASES = [
    ("comes, stays and goes", Remote, [REMOTE], [], None, [
        dict(header=None), dict(header="alice"), dict(header="alice"), dict(header=None),
        dict(header="alice"), dict(header="")]),
    ("persistent", Persistent, [REMOTE], [], None, [
        dict(header="alice"), dict(header=None), dict(header=""), dict(header="bob"), dict(header=None)]),
    ("changes to another known user", Remote, [REMOTE], ["alice", "bob"], None, [
        dict(header=None, cart="1"), dict(header="alice", cart="2"), dict(header="bob"), dict(header="alice")]),
    ("changes to an unknown user", Remote, ["vectors.KnownOnly"], ["alice"], None, [
        dict(header="alice", cart="1"), dict(header="mallory"), dict(header="alice")]),
    ("changes to an unknown user, persistent", Persistent, ["vectors.KnownOnly"], ["alice"], None, [
        dict(header="alice", cart="1"), dict(header="mallory"), dict(header=None)]),
    ("inactive", Remote, [REMOTE], ["-alice"], None, [dict(header="alice"), dict(header="alice")]),
    ("inactive let in", Remote, [ALL], ["-alice"], None, [dict(header="alice"), dict(header="alice")]),
    ("cleaned and configured", Remote, ["vectors.Cleaning"], ["bob"], None, [
        dict(header="alice@EXAMPLE"), dict(header="alice@other"), dict(header="bob@EXAMPLE"),
        dict(header="bob@EXAMPLE")]),
    ("a password's session is left alone", Remote, [REMOTE, MODEL], ["alice"], "alice", [
        dict(header=None), dict(header="alice"), dict(header=None)]),
    ("a password's session gives way to another name", Remote, [REMOTE, MODEL], ["alice", "bob"], "alice", [
        dict(header="bob"), dict(header=None)]),
    ("a password's session and an empty name", Remote, [REMOTE, MODEL], ["alice"], "alice", [
        dict(header=""), dict(header=None)]),
    ("no remote backend", Remote, [MODEL], ["alice"], None, [dict(header="alice")]),
    ("spaces and case", Remote, [REMOTE], ["alice"], None, [
        dict(header="ALICE"), dict(header="a b"), dict(header="\u00aa"), dict(header="caf\u00e9")]),
    ("a post that logs in", Remote, [REMOTE], [], None, [
        dict(header="alice", post=True), dict(header="alice", post=True), dict(header="bob", post=True)]),
]


def run(name, kind, paths, names, first, steps):
    paths = [path.replace("vectors.", __name__ + ".") for path in paths]
    chain = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        f"{__name__}.{kind.__name__}",
    ]
    with override_settings(MIDDLEWARE=chain, AUTHENTICATION_BACKENDS=paths):
        call_command("flush", interactive=False, verbosity=0)
        for user in names:
            user = User.objects.create_user(user.strip("-"), password="secret", is_active=not user.startswith("-"))
        client = Client(enforce_csrf_checks=True)
        if first:
            assert client.login(username=first, password="secret")
        done = [step(client, **each) for each in steps]
    for each in done:
        each["backend"] = each["backend"] and each["backend"].replace(__name__ + ".", "vectors.")
    paths = [path.replace(__name__ + ".", "vectors.") for path in paths]
    return {
        "name": name, "persistent": kind is Persistent, "backends": paths,
        "users": names, "password_login": first, "steps": done,
    }


call_command("migrate", verbosity=0)
print(json.dumps({"django": django.__version__, "cases": [run(*case) for case in CASES]}, indent=1))
