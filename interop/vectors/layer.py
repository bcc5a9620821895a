"""Makes crates/djauth/tests/data/layer.json: what Django's middleware answers, header by header.

    python layer.py > ../../crates/djauth/tests/data/layer.json

Each case is a request to a small project (see `urlpatterns`) under some settings, with the status, the
headers and the reason of a CSRF refusal that Django gave. Cookie values are named: `<same>` is the
CSRF secret that the request brought, `<new>` any other, `<live>` the key of a session in which alice
is logged in, `<reset>` that of one which followed a link to reset her password, whose token is `<token>`.
"""

import json
import logging
import re
from unittest import mock

import django
from django.conf import settings

NOW = 1767225600
SECRET = "q7Rb2XkV9mTz0LhYc4NfWs8JdGpEuA1e"
TOKEN = "Zk3wQ9aB7cD1eF5gH2iJ8kL6mN4oP0qRfhKxIWkm6omq4gc4JWVOUCJFpjjS9qhV"
OTHER = "A" * 32

settings.configure(
    SECRET_KEY="models-vector-key-0123456789abcdefghijklmnopqrstuv",
    ALLOWED_HOSTS=["testserver", ".example.com"],
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    CSRF_FAILURE_VIEW=__name__ + ".csrf_failure", ROOT_URLCONF=__name__, APPEND_SLASH=False,
    USE_TZ=True, LOGGING_CONFIG=None,
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {"loaders": [("django.template.loaders.locmem.Loader", {
            **{f"registration/{name}.html": "{% csrf_token %}" for name in [
                "login", "password_change_form", "password_reset_form"]},
            "registration/password_reset_confirm.html": "{% if validlink %}{% csrf_token %}{% endif %}",
            **{f"registration/{name}": "" for name in [
                "logged_out.html", "password_change_done.html", "password_reset_done.html",
                "password_reset_complete.html", "password_reset_email.html", "password_reset_subject.txt"]},
        })]},
    }],
)
django.setup()

from django.contrib.auth import authenticate, decorators, login, logout  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402
from django.contrib.auth.tokens import default_token_generator  # noqa: E402
from django.contrib.auth.views import LoginView  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.middleware import csrf  # noqa: E402
from django.test import Client, override_settings  # noqa: E402
from django.urls import include, path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402

REASONS = {
    name: re.compile(re.escape(getattr(csrf, name)).replace("%s", ".*"))
    for name in dir(csrf) if name.startswith("REASON_")
}


def csrf_failure(request, reason=""):
    names = [name for name, pattern in REASONS.items() if pattern.search(reason)]
    return HttpResponse("refused", status=403, headers={"X-Reason": (names or ["REASON_INCORRECT"])[0]})


def view(action, status=200):
    def answer(request):
        return HttpResponse(str(action(request)), status=status)
    return answer


def write(request):
    request.session["cart"] = 1


def log_in(request):
    login(request, authenticate(request, username="alice", password="pw"))


urlpatterns = [
    path("plain", view(lambda request: "")),
    path("token", view(csrf.get_token)),
    path("user", view(lambda request: request.user.is_authenticated)),
    path("read", view(lambda request: request.session.get("cart"))),
    path("write", view(write)),
    path("fail", view(write, status=500)),
    path("login", view(log_in)),
    path("logout", view(logout)),
    path("accounts/", include("django.contrib.auth.urls")),
    path("again/", LoginView.as_view(redirect_authenticated_user=True)),
    path("loop/", LoginView.as_view(redirect_authenticated_user=True, next_page="/loop/")),
    path("exempt", csrf_exempt(view(lambda request: ""))),
    path("private", decorators.login_required(view(lambda request: ""))),
    path("perm", decorators.permission_required("auth.view_user")(view(lambda request: ""))),
    path("raise", decorators.permission_required("auth.view_user", raise_exception=True)(
        view(lambda request: ""))),
]

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=XyZ"
BODY = f"csrfmiddlewaretoken={TOKEN}"
PARTS = f'--XyZ\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{TOKEN}\r\n--XyZ--\r\n'
HTTPS = {"x-forwarded-proto": "https"}


def get(path, cookie=None, settings=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"method": "GET", "path": path, "cookie": cookie, "settings": settings or {},
            "headers": headers, "body": ""}


def post(path="/plain", cookie=f"csrftoken={SECRET}", body=BODY, content_type=FORM, method="POST",
         settings=None, headers=None):
    return {"method": method, "path": path, "cookie": cookie, "settings": settings or {},
            "headers": {"content-type": content_type, **(headers or {})}, "body": body}


def header(token, **more):
    return {"x-csrftoken": token, **more}


LIVE = "sessionid=<live>"
LOGIN, LOGOUT = "/accounts/login/", "/accounts/logout/"
BOTH = f"csrftoken={SECRET}; {LIVE}"
RIGHT = f"{BODY}&username=alice&password=pw"


def parts(**fields):
    fields = {"csrfmiddlewaretoken": TOKEN, **fields}
    texts = (f'--XyZ\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in fields.items())
    return "".join(texts) + "--XyZ--\r\n"


def log_in_by(body=RIGHT, path=LOGIN, **more):
    return post(path=path, body=body, **more)


PAGES = [
    *[{**get(path, cookie), "method": method} for method in ["GET", "HEAD", "OPTIONS"]
      for path in [LOGIN, LOGOUT] for cookie in [None, LIVE, f"csrftoken={SECRET}"]],
    *[get(path, cookie) for path in ["/again/", "/again/?next=/x/", "/again/?next=/again/", "/loop/"]
      for cookie in [None, LIVE]],
    get(LOGIN + "?next=/x/%C3%A9"), get(LOGIN, "sessionid=" + "a" * 32), get(LOGIN, host="evil.com"),
    get(LOGIN, settings={"CSRF_USE_SESSIONS": True}),
    *[log_in_by(method=method, body="", headers=header(TOKEN), path=path)
      for method in ["PUT", "PATCH", "DELETE"] for path in [LOGIN, LOGOUT]],
    log_in_by(method="PUT", headers=header(TOKEN)),
    log_in_by(), log_in_by(cookie=BOTH), log_in_by(cookie=None), log_in_by(BODY), log_in_by(RIGHT + "x"),
    log_in_by(RIGHT.replace("alice", "nobody")), log_in_by(RIGHT.replace("alice", " alice ")),
    log_in_by(RIGHT.replace("alice", "%00")), log_in_by(RIGHT, content_type="application/json"),
    *[log_in_by(f"{RIGHT}&next={next}") for next in [
        "", "/x/", "/x/?a=%2F%25", "//evil.com/", "http://evil.com/", "https://testserver/x",
        "http://testserver/x", "http:testserver", "///x", "x", "javascript:alert(1)", "/%0Ax", "/%C3%A9 "]],
    log_in_by(f"{RIGHT}&next=https://testserver/", headers={**HTTPS, "referer": "https://testserver/"}),
    log_in_by(path=LOGIN + "?next=/q/"), log_in_by(RIGHT + "&next=", path=LOGIN + "?next=/q/"),
    log_in_by(settings={"LOGIN_REDIRECT_URL": "/home/"}),
    log_in_by(settings={"SESSION_EXPIRE_AT_BROWSER_CLOSE": True}),
    log_in_by(cookie=BOTH, path="/again/"), log_in_by(cookie=BOTH, path="/loop/"), log_in_by(path="/loop/"),
    *[log_in_by(parts(**fields), content_type=MULTIPART) for fields in [
        {"username": "alice", "password": "pw"}, {"username": "alice", "password": "px"}, {},
        {"username": "alice", "password": "pw", "next": "/x/"}]],
    *[log_in_by(parts(username="alice", password="pw"), content_type=kind) for kind in [
        "multipart/form-data", "multipart/form-data; boundary=",
        'Multipart/Form-Data; charset=utf-8; boundary="XyZ"']],
    log_in_by(parts(username="alice", password="pw").replace("\r\n--XyZ--\r\n", ""), content_type=MULTIPART),
    log_in_by(parts(username="alice", f='"; filename="f', password="pw"), content_type=MULTIPART),
    *[post(path=LOGOUT, cookie=cookie, body=body) for cookie in [BOTH, f"csrftoken={SECRET}", None]
      for body in [BODY, BODY + "&next=/x/", BODY + "&next=//evil.com/"]],
    post(path=LOGOUT + "?next=//evil.com/", cookie=BOTH), post(path=LOGOUT + "?a=1", cookie=BOTH),
    post(path=LOGOUT, cookie=BOTH, settings={"LOGOUT_REDIRECT_URL": "/gone/"}),
    post(path=LOGOUT, cookie=BOTH, settings={"LOGOUT_REDIRECT_URL": LOGOUT}),
]
CHANGE, RESET = "/accounts/password_change/", "/accounts/password_reset/"
LINK, OPENED = "/accounts/reset/MQ/<token>/", "/accounts/reset/MQ/set-password/"
HELD = "sessionid=<reset>"
NEW = f"{BODY}&new_password1=battery+staple&new_password2=battery+staple"
PASSWORDS = [
    *[{**get(path, cookie), "method": method} for method in ["GET", "HEAD", "OPTIONS"]
      for path in [CHANGE, CHANGE + "done/", RESET, RESET + "done/", OPENED, "/accounts/reset/done/"]
      for cookie in [None, LIVE]],
    *[{**get(path, HELD), "method": method} for method in ["GET", "HEAD", "OPTIONS"] for path in [LINK, OPENED]],
    *[get(path) for path in [LINK, LINK + "?a=1", "/accounts/reset/MQ/x-y/", "/accounts/reset/%FF/x/",
                             "/accounts/reset/Mg/<token>/", "/accounts/reset/MQ==/<token>/"]],
    get("/accounts/reset/MQ/set-password/", LIVE), get(CHANGE + "?a=1"), get(CHANGE, host="evil.com"),
    *[post(path=path, cookie=f"csrftoken={SECRET}; {cookie}", method=method, body="", headers=header(TOKEN))
      for method in ["PUT", "PATCH", "DELETE"]
      for path, cookie in [(CHANGE, LIVE), (CHANGE + "done/", LIVE), (RESET, LIVE), (RESET + "done/", LIVE),
                           (OPENED, HELD), (OPENED, LIVE), ("/accounts/reset/done/", LIVE)]],
    *[post(path=CHANGE, cookie=cookie, body=f"{NEW}&old_password={old}")
      for cookie in [BOTH, f"csrftoken={SECRET}", LIVE] for old in ["pw", "px", ""]],
    post(path=CHANGE, cookie=BOTH, body=BODY), post(path=CHANGE + "done/", cookie=BOTH),
    *[post(path=RESET, cookie=cookie, body=f"{BODY}&email={email}")
      for cookie in [f"csrftoken={SECRET}", None, BOTH] for email in ["nobody@example.com", "nonsense", ""]],
    *[post(path=path, cookie=f"csrftoken={SECRET}; {cookie}", body=body)
      for path in [OPENED, LINK] for cookie in [HELD, LIVE] for body in [NEW, BODY, NEW + "x"]],
    post(path=OPENED, cookie=HELD, body=NEW), post(path=OPENED, body=NEW),
]
TRUST = {"CSRF_TRUSTED_ORIGINS": ["https://good.org", "https://*.wild.org", "http://plain.org:8000"]}
ORIGINS = ["http://testserver", "https://testserver", "http://testserver:80", "http://TESTSERVER",
           "null", "", "https://good.org", "http://good.org", "https://a.wild.org", "https://wild.org",
           "https://xwild.org", "http://a.wild.org", "https://a.wild.org:444", "http://[", "http://plain.org:8000"]
REFERERS = [None, "", "x", "https://", "http://testserver/", "https://testserver/x", "https://testserver:443/",
            "https://evil.com/testserver", "https://good.org/x", "https://b.wild.org/", "https://[::1",
            "https://testserver.evil.com/", "https://sub.example.org/", "https://example.org/"]
CASES = [
    *PAGES, *PASSWORDS,
    *[get(path) for path in ["/plain", "/token", "/user", "/read", "/write", "/fail", "/logout"]],
    *[get(path, "sessionid=" + "a" * 32)
      for path in ["/plain", "/token", "/user", "/read", "/write", "/fail", "/logout"]],
    *[get(path, "sessionid=abc") for path in ["/plain", "/user", "/write"]],
    *[get(path, LIVE) for path in ["/plain", "/user", "/write", "/fail", "/logout", "/private", "/perm",
                                   "/raise", "/login"]],
    *[get(path) for path in ["/private?a=1&b=/x%20y", "/perm", "/raise"]],
    get("/private", settings={"LOGIN_URL": "https://sso.example.com/in?x=1"}),
    get("/private", settings={"LOGIN_URL": "//testserver/in"}),
    get("/private", settings={"LOGIN_URL": "http://testserver/in"}),
    get("/token", f"csrftoken={SECRET}"), get("/token", f"csrftoken={TOKEN}"),
    get("/token", "csrftoken=short"), get("/plain", "csrftoken=" + "!" * 32),
    get("/login", f"csrftoken={SECRET}"),
    get("/user", settings={"SESSION_SAVE_EVERY_REQUEST": True}),
    get("/plain", LIVE, {"SESSION_SAVE_EVERY_REQUEST": True}),
    get("/write", settings={"SESSION_EXPIRE_AT_BROWSER_CLOSE": True}),
    get("/write", settings={"SESSION_COOKIE_NAME": "sid", "SESSION_COOKIE_DOMAIN": "example.com",
                            "SESSION_COOKIE_PATH": "/app", "SESSION_COOKIE_SECURE": True,
                            "SESSION_COOKIE_HTTPONLY": False, "SESSION_COOKIE_SAMESITE": "Strict"}),
    get("/token", settings={"CSRF_COOKIE_NAME": "xsrf", "CSRF_COOKIE_DOMAIN": ".example.com",
                            "CSRF_COOKIE_PATH": "/app", "CSRF_COOKIE_SECURE": True,
                            "CSRF_COOKIE_HTTPONLY": True, "CSRF_COOKIE_SAMESITE": "None"}),
    get("/token", settings={"CSRF_COOKIE_AGE": None}),
    get("/token", settings={"CSRF_USE_SESSIONS": True}), get("/plain", settings={"CSRF_USE_SESSIONS": True}),
    get("/plain", host="evil.com"), get("/user", LIVE, host="evil.com"), get("/plain", host="a.example.com"),
    get("/plain", x_forwarded_proto="https", settings={"SECURE_HSTS_SECONDS": 60}),
    get("/plain", settings={"SECURE_HSTS_SECONDS": 60}),
    get("/plain", x_forwarded_proto="https", settings={
        "SECURE_HSTS_SECONDS": 60, "SECURE_HSTS_INCLUDE_SUBDOMAINS": True, "SECURE_HSTS_PRELOAD": True}),
    get("/plain?a=%C3%A9", settings={"SECURE_SSL_REDIRECT": True}),
    get("/plain", settings={"SECURE_SSL_REDIRECT": True, "SECURE_SSL_HOST": "secure.example.com"}),
    get("/plain", x_forwarded_proto="https", settings={"SECURE_SSL_REDIRECT": True}),
    get("/plain", settings={"SECURE_CONTENT_TYPE_NOSNIFF": False, "SECURE_REFERRER_POLICY": None,
                            "SECURE_CROSS_ORIGIN_OPENER_POLICY": None, "X_FRAME_OPTIONS": "sameorigin"}),
    get("/plain", settings={"SECURE_REFERRER_POLICY": "no-referrer, same-origin"}),
    post(), post(body=PARTS, content_type=MULTIPART), post(body=f"csrfmiddlewaretoken={SECRET}"),
    post(cookie=None), post(cookie=f"csrftoken={OTHER}"), post(cookie="csrftoken="),
    post(cookie="csrftoken=short"), post(cookie="csrftoken=" + "!" * 32), post(cookie=f"csrftoken={TOKEN}"),
    post(body=""), post(body="csrfmiddlewaretoken="), post(body="csrfmiddlewaretoken=short"),
    post(body="csrfmiddlewaretoken=" + "!" * 32), post(body="csrfmiddlewaretoken=" + "é" * 32),
    post(body=BODY, content_type="application/json"), post(body=PARTS),
    post(body="", headers=header(TOKEN)), post(body="", headers=header(SECRET)),
    post(body="", headers=header(OTHER)), post(body="", headers=header("short")),
    post(body="", headers=header("!" * 64)), post(body=f"csrfmiddlewaretoken={OTHER}", headers=header(TOKEN)),
    post(body="csrfmiddlewaretoken=", headers=header(TOKEN)),
    post(body="", headers={"x-requested-with": "XMLHttpRequest"}),
    *[post(method=method) for method in ["PUT", "DELETE", "PATCH"]],
    *[post(method=method, body="", headers=header(TOKEN)) for method in ["PUT", "DELETE"]],
    post(path="/exempt", cookie=None, body=""), post(path="/login"), post(path="/token"),
    post(path="/login", cookie="csrftoken=short"),
    post(body="&".join(["a=b"] * 1001)), post(body=BODY + "&a=" + "b" * 2621440),
    post(settings={"CSRF_USE_SESSIONS": True}), post(cookie=LIVE, settings={"CSRF_USE_SESSIONS": True}),
    post(body="", settings={"CSRF_HEADER_NAME": "HTTP_X_OTHER"}, headers={"x-other": TOKEN}),
    *[post(headers={"origin": origin}, settings=TRUST) for origin in ORIGINS],
    *[post(headers={"origin": origin, **HTTPS}, settings=TRUST) for origin in ORIGINS[:4]],
    *[post(headers={**HTTPS, **({} if referer is None else {"referer": referer})}, settings=TRUST)
      for referer in REFERERS],
    *[post(headers={**HTTPS, "referer": referer}, settings={"CSRF_COOKIE_DOMAIN": ".example.org"})
      for referer in REFERERS[1:]],
    post(headers={"host": "evil.com"}), post(headers={"referer": "https://evil.com/"}),
]


def live_session():
    Session.objects.all().delete()
    client = Client()
    client.get("/login")
    return client.cookies["sessionid"].value


def reset_session():
    """A token for alice, and the key of the session that her link made."""
    token = default_token_generator.make_token(User.objects.get())
    client = Client()
    client.get(LINK.replace("<token>", token))
    return token, client.cookies["sessionid"].value


def normal(cookie, sent, live, reset):
    name, rest = cookie.split("=", 1)
    value, _, attributes = rest.partition(";")
    named = {sent: "<same>", live: "<live>", reset: "<live>", '""': '""'}.get(value, "<new>")
    return f"{name}={named};{attributes}"


def answer(case):
    User.objects.update(password=ENCODED)
    live = live_session()
    token, reset = reset_session()
    sent = SECRET if SECRET in (case["cookie"] or "") or TOKEN in (case["cookie"] or "") else None
    headers = {"host": "testserver", **case["headers"]}
    if case["cookie"]:
        headers["cookie"] = case["cookie"].replace("<live>", live).replace("<reset>", reset)
    content_type = headers.pop("content-type", "")
    with override_settings(**case["settings"]):
        client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        response = client.generic(case["method"], case["path"].replace("<token>", token), case["body"].encode(),
                                  content_type=content_type, headers=headers)
    kept = {name: value for name, value in response.items()
            if name not in ("Content-Type", "Content-Length", "X-Reason")}
    cookies = [normal(morsel.OutputString(), sent, live, reset) for morsel in response.cookies.values()]
    return {**case, "status": response.status_code, "answer": kept, "cookies": cookies,
            "length": response.has_header("Content-Length"), "reason": response.get("X-Reason")}


def shortened(case):
    if len(case["body"]) > 3000:
        start, _, filler = case["body"].rpartition("&a=")
        case = {**case, "body": start + "&a=", "filler": len(filler)} if start.startswith(BODY) else {
            **case, "body": "a=b&", "repeat": 1001}
    return case


logging.disable()
call_command("migrate", verbosity=0)
with mock.patch("time.time", return_value=NOW):
    ENCODED = User.objects.create_user("alice", password="pw").password
    cases = [shortened(answer(case)) for case in CASES]
print(json.dumps({"now": NOW, "secret": SECRET, "token": TOKEN, "cases": cases}, indent=0))
