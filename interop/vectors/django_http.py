"""Makes crates/djauth/tests/data/http.json: cookies, hosts, redirects and headers as Django has them.

    python django_http.py > ../../crates/djauth/tests/data/http.json

Needs only Django.
"""

import datetime
import json
import random
from unittest import mock

import django
from django.conf import settings

NOW = 1767225600

settings.configure(
    SECRET_KEY="djauth-vectors-key", ALLOWED_HOSTS=["testserver"], LOGIN_URL="/accounts/login/",
    ROOT_URLCONF=(), USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
)
django.setup()

from django.contrib.auth.views import redirect_to_login  # noqa: E402
from django.core.exceptions import DisallowedRedirect, TooManyFieldsSent  # noqa: E402
from django.http import HttpResponse, HttpResponseRedirect, QueryDict, parse_cookie  # noqa: E402
from django.http.request import split_domain_port, validate_host  # noqa: E402
from django.utils.cache import add_never_cache_headers, patch_vary_headers  # noqa: E402
from django.utils.encoding import escape_uri_path, iri_to_uri  # noqa: E402
from django.utils.http import (  # noqa: E402
    escape_leading_slashes, http_date, url_has_allowed_host_and_scheme, urlencode,
)

COOKIE_HEADERS = [
    'a=1; a=2; b="x\\054y"; c; =d; e=f=g; sessionid="abc"', "", ";", ";;=;", "a", "=", "a=",
    "__utmz=x]csrftoken=evil", "csrftoken=good; __utmz=1.2.x]csrftoken=evil", 'a="', 'a=""',
    'a="\\"', 'a="\\\\"', 'a="\\1"', 'a="\\400\\377\\0"', "a=\xa0b\x85; \x1cc=d\x1f", "a = b ;c=d",
    'a="b\\"c"; d="\\q"', "a=é; é=b", "a,b=c,d", 'a="x;y"', "$Version=1; a=b", "a=b;\ta=c\n",
]
URLS = [
    "/x", "http://testserver/x", "https://testserver", "//testserver/x", "\\\\testserver", " /x ",
    "x?y=http://evil", "/" + "a" * 2047, "/" + "a" * 2048, "/" + "é" * 2047, "///x", "",
    "http:///testserver", "javascript:alert(1)", "/\\evil.com", "\x08//evil.com", "//evil.com",
    "ftp://testserver/", "http://u:p@testserver/", "http://TESTSERVER/", "http://[::1/",
    "http:testserver", "http:999999999", "http:\\\\\\testserver", "http:/\\testserver", "http:///",
    "http://testserver\\@evil.com", "http://evil.com\\@testserver", "HTTP://testserver/",
    "https:////testserver", "http:/testserver", "/\t/evil.com", "\t//evil.com", "/\n/evil.com",
    "ht\ntp://testserver/", "java\tscript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x",
    "\u200b//evil.com", "\ufeff/x", "\ue000/x", "\U000e0001/x", "\x7f/x", "\xa0/x", "\u2028/x",
    "http://testserver:80/", "//testserver:8000/", "http://testserver#@evil.com", "?next=/x", "#x",
    "http://test\u2100server/", "//a\uff0fb/", "http://testserver\u3002/", "//[::1]/", "//[::1",
    "http://[v1.x]/", "http://[1.2.3.4]/", "http://[fe80::1%25eth0]/", "mailto:a@testserver", ":x",
    "1http://evil.com", "http", "http:", "https:", "://testserver", "//", "/", "/..//evil.com",
    "http://testserver?x", "//testserver@evil.com", "//evil.com/..//testserver", "http://ⓔvil.com",
]
HOSTS = [
    "testserver", "testserver:80", "TestServer", "testserver.", "testserver..", ".", "", ":80",
    "testserver:", "testserver:8a", "[::1]", "[::1]:80", "[::1", "[]", "[:]", "[::ffff:1.2.3.4]",
    "[g::1]", "a b", "a_b", "a/b", "a@b", "user@testserver", "testserver:80:80", "é.com", "a,b",
    "sub.example.com", "example.com", "xexample.com", "example.com.", "[::1].", "-a", "1.2.3.4",
    "testserver\n", "testserver:80\n", "testserver:٣", "evil.com#.example.com", "[::1]x", "[::1]:",
]
PATTERNS = [["testserver"], ["*"], [".example.com"], ["example.com"], [".EXAMPLE.com"], [""], []]
QUERIES = [
    "", "a=1&b=2", "a=1&a=2", "a", "a=", "=b", "&&a=1&", "a=b=c", "a+b=c+d", "a%20b=%C3%A9",
    "a=%", "a=%4", "a=%zz", "a=%41%", "a=%C3", "a=%ff%fe", "a=%C3é", "é=ü", "a=%F0%9F%98%80",
    "a=%E2%82", "a=%ed%a0%80", "a=1;b=2", "a=%26%3D", "%61=1", "a=\x00", "next=/x%3Fa%3D1",
]
TEXTS = [
    "/private/?a=1&b=/x y", "é", "/I ♥ Django/", "%41%zz%", "a\nb", "a\\b", "<script>\"'`{}|^", "~-._",
    "//evil.com/x", "/a//b", "", " ", "\x7f\x80", "😀", "!#$&()*+,/:;=?@[]", "https://é.com/ü?ö#ä",
]


def random_texts(seed, alphabet, count, longest):
    rng = random.Random(seed)
    for _ in range(count):
        yield "".join(rng.choice(alphabet) for _ in range(rng.randrange(longest)))


def url_texts():
    yield from URLS
    pieces = ["http:", "https:", "/", "//", "\\", "testserver", "evil.com", "@", ":", "?", "#", "[",
              "]", "::1", "\t", "\n", " ", "\x01", "é", "\u2100", "x", "80", "ftp:", "."]
    for text in random_texts(3, pieces, 900, 7):
        # Pythons differ in what they allow around brackets inside a host.
        if "[" not in text and "]" not in text:
            yield text


def cookies_out():
    values = ["abc", "", "a b", "a;b", 'q"q', "back\\slash", "é", "\x00\x1f\x7f", "a,b", "€", "1:2"]
    for value in values:
        yield {"value": value}
    for extra in [
        {"max_age": 1209600, "httponly": True, "samesite": "Lax"},
        {"max_age": 31449600, "samesite": "Lax"}, {"max_age": 0}, {"domain": ".example.com"},
        {"path": "/app", "secure": True, "samesite": "None"}, {"path": "", "samesite": "strict"},
        {"max_age": 5, "domain": "x", "secure": True, "httponly": True, "samesite": "Strict"},
    ]:
        yield {"value": "v", **extra}


def set_cookie(arguments):
    response = HttpResponse()
    response.set_cookie("name", **arguments)
    return {**arguments, "header": response.cookies["name"].OutputString()}


def delete_cookie(name, **arguments):
    response = HttpResponse()
    response.delete_cookie(name, **arguments)
    return {"name": name, **arguments, "header": response.cookies[name].OutputString()}


def query(text):
    fields = QueryDict(text)
    return [text, [[name, values] for name, values in fields.lists()], fields.urlencode(),
            fields.urlencode(safe="/")]


def raw_query(data):
    return [data.hex(), [[name, values] for name, values in QueryDict(data).lists()]]


def too_many(count):
    try:
        QueryDict("&".join(["a"] * count))
    except TooManyFieldsSent:
        return [count, True]
    return [count, False]


def redirected(to):
    try:
        return [to, HttpResponseRedirect(to)["Location"]]
    except (DisallowedRedirect, ValueError):
        return [to, None]


def vary(present, names):
    response = HttpResponse()
    if present is not None:
        response["Vary"] = present
    patch_vary_headers(response, names)
    return [present, names, response["Vary"]]


def never_cache(present):
    response = HttpResponse(headers=present)
    add_never_cache_headers(response)
    return [present, {name: response[name] for name in ["Expires", "Cache-Control"]}]


def vectors():
    headers = COOKIE_HEADERS + list(random_texts(4, 'ab=; "\\\\017,é\t', 400, 16))
    urls = list(url_texts())
    login_urls = ["/accounts/login/", "/login/?a=1", "/login/?next=/old&b=2#top", "https://x.y/l",
                  "//sso/l?x=%20y", "/l?"]
    return {
        "parse_cookie": [[header, parse_cookie(header)] for header in headers],
        "set_cookie": [set_cookie(arguments) for arguments in cookies_out()],
        "delete_cookie": [
            delete_cookie("sessionid", samesite="Lax"), delete_cookie("x", samesite="None"),
            delete_cookie("__Secure-a", path="/a", domain="b.c"), delete_cookie("__Host-a"),
        ],
        "allowed_urls": [
            [url, url_has_allowed_host_and_scheme(url, {"testserver", "testserver:8000"}),
             url_has_allowed_host_and_scheme(url, {"testserver"}, require_https=True)]
            for url in urls
        ],
        "hosts": [
            [host, *split_domain_port(host),
             [validate_host(split_domain_port(host)[0], allowed) for allowed in PATTERNS]]
            for host in HOSTS + list(random_texts(5, "ab.:[]1-/A", 300, 9))
        ],
        "patterns": PATTERNS,
        "queries": [query(text) for text in QUERIES + list(random_texts(6, "ab=&+%C3aé4", 200, 12))],
        "raw_queries": [raw_query(data) for data in [b"a=\xff", b"\xe9=%C3%A9", b"a=\xc3\xa9"]],
        "too_many": [too_many(count) for count in [1, 999, 1000, 1001]],
        "quoted": [
            [text, iri_to_uri(text), escape_uri_path(text), urlencode({"k": text}),
             escape_leading_slashes(text)]
            for text in TEXTS
        ],
        "redirects": [redirected(to) for to in TEXTS + URLS],
        "long_redirects": [
            [length, redirected("/" * length)[1] is not None] for length in [16384, 16385]
        ],
        "login": [
            [to, login, field, redirect_to_login(to, login, field)["Location"]]
            for to in ["/private/?a=1&b=/x%20y", "/é", "http://a.b/c?d#e", ""]
            for login in login_urls for field in ["next", "", "b"]
        ],
        "vary": [
            vary(present, names)
            for present in [None, "", "Cookie", "cookie, Accept", "*", "Accept,, Origin ", "a, *"]
            for names in [["Cookie"], ["Cookie", "Accept-Language"], ["*"]]
        ],
        "never_cache": [
            never_cache(present)
            for present in [{}, {"Expires": "x"}, {"Cache-Control": "public, s-maxage=5"},
                            {"Cache-Control": "private"}]
        ],
        "dates": [[at, http_date(at)] for at in [0, NOW, 951782400, 4102444799]],
        "now": NOW,
        "year": datetime.datetime.fromtimestamp(NOW, datetime.UTC).year,
    }


with mock.patch("time.time", return_value=NOW):
    print(json.dumps(vectors(), indent=None, separators=(",\n", ":")))
