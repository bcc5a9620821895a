"""Makes crates/djauth/tests/data/checks.json: what `check --deploy` of Django finds in settings.

    python checks.py > ../../crates/djauth/tests/data/checks.json

Needs only Django. Each case runs in a process of its own, as `manage.py check` would.
"""

import json
import subprocess
import sys

GOOD = {
    "SECRET_KEY": "vectors-0123456789abcdefghijklmnopqrstuvwxyz-0123456789",
    "ALLOWED_HOSTS": ["example.com"],
    "SECURE_HSTS_SECONDS": 3600,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
    "SECURE_SSL_REDIRECT": True,
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
}
STARTPROJECT = {"SECRET_KEY": GOOD["SECRET_KEY"], "ALLOWED_HOSTS": []}
MAIL = "django.core.mail.backends"
SMTP = {"OPTIONS": {"host": "mail.example.com"}}
CHANGES = [
    {}, {"DEBUG": True}, {"ALLOWED_HOSTS": []}, {"ALLOWED_HOSTS": ["*"]},
    {"SECURE_HSTS_SECONDS": 0}, {"SECURE_HSTS_INCLUDE_SUBDOMAINS": False},
    {"SECURE_HSTS_PRELOAD": False}, {"SECURE_SSL_REDIRECT": False},
    {"SECURE_HSTS_INCLUDE_SUBDOMAINS": False, "SECURE_HSTS_PRELOAD": False},
    {"SECURE_CONTENT_TYPE_NOSNIFF": False}, {"X_FRAME_OPTIONS": "SAMEORIGIN"},
    {"SECURE_REFERRER_POLICY": None}, {"SECURE_REFERRER_POLICY": "no-referrer, same-origin"},
    {"SECURE_CROSS_ORIGIN_OPENER_POLICY": None},
    {"SECURE_CROSS_ORIGIN_OPENER_POLICY": "unsafe-none"},
    {"SESSION_COOKIE_SECURE": False}, {"SESSION_COOKIE_HTTPONLY": False},
    {"SESSION_COOKIE_SECURE": False, "SESSION_COOKIE_HTTPONLY": False},
    {"CSRF_COOKIE_SECURE": False}, {"CSRF_COOKIE_SECURE": False, "CSRF_USE_SESSIONS": True},
    {"CSRF_COOKIE_HTTPONLY": True},
    {"SECRET_KEY": "k" * 60}, {"SECRET_KEY": "abcdefgh"},
    {"SECRET_KEY": "django-insecure-" + GOOD["SECRET_KEY"]},
    {"SECRET_KEY": "abcde" * 10}, {"SECRET_KEY": "abcd" * 13}, {"SECRET_KEY": "abcde" * 10 + "é"},
    {"SECRET_KEY": "é" * 25 + "abcde" * 4},
    {"SECRET_KEY_FALLBACKS": ["short"]},
    {"SECRET_KEY_FALLBACKS": [GOOD["SECRET_KEY"], "short", "k" * 60]},
    {"SESSION_COOKIE_SAMESITE": "Strict"},
    {"MAILERS": {}}, {"MAILERS": {"other": SMTP}}, {"MAILERS": {"default": SMTP}},
    {"MAILERS": {"default": {"BACKEND": f"{MAIL}.smtp.EmailBackend", **SMTP}}},
    {"MAILERS": {"default": {"BACKEND": f"{MAIL}.console.EmailBackend"}}},
    {"MAILERS": {"default": {"BACKEND": f"{MAIL}.dummy.EmailBackend"}, "other": SMTP}},
    {"MAILERS": {"default": {"BACKEND": f"{MAIL}.locmem.EmailBackend"}}},
    {"MAILERS": {"default": {"BACKEND": f"{MAIL}.filebased.EmailBackend", "OPTIONS": {"file_path": "/tmp"}}}},
    {"MAILERS": {"default": SMTP, "other": {"BACKEND": f"{MAIL}.console.EmailBackend"}}},
    {"EMAIL_BACKEND": f"{MAIL}.console.EmailBackend"},
]
RUN = """
import json, sys
import django
from django.conf import settings
given = json.load(sys.stdin)
settings.configure(
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", ROOT_URLCONF=(),
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    **given,
)
django.setup()
from django.core.checks import run_checks
found = run_checks(include_deployment_checks=True)
print(json.dumps(sorted([message.id, message.level] for message in found)))
"""


def checked(given):
    """Identifiers and levels."""
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=json.dumps(given), capture_output=True, text=True,
        check=True,
    )
    return json.loads(done.stdout)


cases = [STARTPROJECT] + [GOOD | change for change in CHANGES]
answers = [{"settings": given, "found": checked(given)} for given in cases]
print(json.dumps(answers, indent=None, separators=(",\n", ":")))
