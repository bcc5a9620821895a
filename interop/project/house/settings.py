"""One project for every Django version, database and session engine; the environment chooses.

The variables are the ones that djauth reads, so that both sides can be given the same ones.
"""

import json
import os
from urllib.parse import unquote, urlsplit

import django


def from_json(name, default):
    text = os.environ.get(name)
    return default if text is None else json.loads(text)


def database(url):
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.removeprefix("sqlite://"),
            "OPTIONS": {"timeout": 20},
            # For the benchmarks; else the file is opened anew for each request, as Django does by itself.
            "CONN_MAX_AGE": from_json("SQLITE_CONN_MAX_AGE", 0),
        }
    engine = {"postgres": "postgresql", "mysql": "mysql"}[parts.scheme]
    # Under ASGI, where connections cannot stay with a thread (for the benchmarks).
    pool = from_json("DATABASE_POOL", None)
    options = {"pool": pool} if pool else {}
    if engine == "mysql":
        # Django 4.2 takes three bytes of a character otherwise.
        options["charset"] = "utf8mb4"
    return {
        "OPTIONS": options,
        "ENGINE": f"django.db.backends.{engine}",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname,
        "PORT": parts.port,
        "CONN_MAX_AGE": from_json("CONN_MAX_AGE", 0),
    }


DEBUG = False
SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-checks-" + "x" * 40)
SECRET_KEY_FALLBACKS = from_json("SECRET_KEY_FALLBACKS", [])
ALLOWED_HOSTS = from_json("ALLOWED_HOSTS", ["127.0.0.1", "localhost"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "reports",
]
# A user model of the site's own, with its app.
AUTH_USER_MODEL = os.environ.get("AUTH_USER_MODEL", "auth.User")
if AUTH_USER_MODEL != "auth.User":
    INSTALLED_APPS.append(AUTH_USER_MODEL.split(".")[0])
# What `djauth migrate` makes by itself: a database with exactly these tables must satisfy Django.
if os.environ.get("ONLY_AUTH"):
    INSTALLED_APPS = [
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
    ]

# The tables in which djauth keeps its log of logins.
AXES = bool(os.environ.get("AXES"))
if AXES:
    INSTALLED_APPS.append("axes")
    AXES_ENABLE_ACCESS_FAILURE_LOG = True
    AXES_VERBOSE = False

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
if os.environ.get("REMOTE_USER_HEADER"):
    persistent = "Persistent" if from_json("REMOTE_USER_PERSISTENT", False) else ""
    MIDDLEWARE.append(f"house.remote_user.{persistent}Middleware")
if AXES:
    MIDDLEWARE.append("axes.middleware.AxesMiddleware")
# A site that lists its users' sessions: django-allauth's tables, pages and middleware.
if os.environ.get("ALLAUTH"):
    INSTALLED_APPS += ["django.contrib.humanize", "allauth", "allauth.account", "allauth.usersessions"]
    MIDDLEWARE += [
        "allauth.account.middleware.AccountMiddleware",
        "allauth.usersessions.middleware.UserSessionsMiddleware",
    ]
    ACCOUNT_LOGIN_METHODS = {"username"}
    ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
    ACCOUNT_EMAIL_VERIFICATION = "none"
    ACCOUNT_RATE_LIMITS = False
    USERSESSIONS_TRACK_ACTIVITY = from_json("USERSESSIONS_TRACK_ACTIVITY", False)
ROOT_URLCONF = "house.urls" if not os.environ.get("ONLY_AUTH") else "django.contrib.auth.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # Ours come before the admin's, which have the same names.
        "DIRS": [os.path.join(os.path.dirname(__file__), "templates")],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": database(os.environ.get("DATABASE_URL", "sqlite://:memory:"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
AUTH_PASSWORD_VALIDATORS = []
AUTHENTICATION_BACKENDS = from_json("AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"])
LOGIN_REDIRECT_URL = os.environ.get("LOGIN_REDIRECT_URL", "/accounts/profile/")

# How mail leaves, in either form.
for name in ("EMAIL_HOST", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "DEFAULT_FROM_EMAIL"):
    if name in os.environ:
        globals()[name] = os.environ[name]
for name in ("EMAIL_PORT", "EMAIL_TIMEOUT", "EMAIL_USE_TLS", "MAILERS"):
    if name in os.environ:
        globals()[name] = from_json(name, None)
# Where a test asks for mail, it goes into files.
if os.environ.get("EMAIL_FILE_PATH"):
    EMAIL_BACKEND = os.environ["EMAIL_BACKEND"]
    EMAIL_FILE_PATH = os.environ["EMAIL_FILE_PATH"]

SESSION_ENGINE = os.environ.get("SESSION_ENGINE", "django.contrib.sessions.backends.db")
SESSION_FILE_PATH = os.environ.get("SESSION_FILE_PATH")
if os.environ.get("CACHE_URL"):
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": os.environ["CACHE_URL"],
            "KEY_PREFIX": os.environ.get("CACHE_KEY_PREFIX", ""),
        }
    }

if os.environ.get("PASSWORD_HASHERS"):
    PASSWORD_HASHERS = from_json("PASSWORD_HASHERS", [])
# djauth takes costs as settings; Django wants a subclass for them.
CHEAP_ITERATIONS = from_json("CHEAP_ITERATIONS", None)
if CHEAP_ITERATIONS:
    PASSWORD_HASHERS = ["house.hashers.CheapPBKDF2"]

if django.VERSION < (5, 0):
    USE_L10N = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django": {"handlers": ["stderr"], "level": "ERROR", "propagate": False}},
}
