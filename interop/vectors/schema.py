"""Makes crates/djauth/tests/data/schema-<version>.json: what Django's own `migrate` leaves behind.

Run once with each Django:   python schema.py > schema-6.1.json
                             python schema.py own > schema-own-6.1.json   (a user model of the project's own, UUID keys)
                             python schema.py long > schema-long-6.1.json (integer keys, long names, every type of field)
                             python schema.py axes > schema-axes.json     (the tables of django-axes alone)
                             python schema.py usersessions > schema-usersessions-6.1.json, and with a third word,
                             own or long: the table of django-allauth's usersessions, and nothing else

The apps are Django's four (admin, auth, contenttypes, sessions) and the settings Django's defaults. Wants two
servers on which databases can be made, named by DJAUTH_TEST_POSTGRES_URL and DJAUTH_TEST_MARIADB_URL. Each
catalogue is a sorted list of lines, read by the statement in schema/<database>.sql; djauth's tests read their own
databases with the same statements.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import django
from django.conf import settings

HERE = Path(__file__).parent
NAME = f"djauth_schema_{os.getpid()}"
LONG_MODELS = """
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin, BaseUserManager
from django.db import models

class ClubMember(AbstractBaseUser, PermissionsMixin):
    email = models.EmailField(unique=True)
    notes = models.TextField()
    rating = models.FloatField()
    born = models.DateField(null=True)
    badge = models.UUIDField(null=True, unique=True)
    joined = models.DateTimeField(db_column="joined_at")
    visits = models.IntegerField()
    steps = models.BigIntegerField(null=True)
    photo = models.BinaryField()
    wakes = models.TimeField(null=True)
    extra = models.JSONField()
    address = models.GenericIPAddressField(null=True)
    is_active = models.BooleanField(default=True)
    USERNAME_FIELD = "email"
    objects = BaseUserManager()

    class Meta:
        db_table = "the_members_of_all_the_clubs"
"""
OWN_MODELS = """
import uuid
from django.contrib.auth.models import AbstractBaseUser, PermissionsMixin, BaseUserManager
from django.db import models

class Account(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=100)
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]
    objects = BaseUserManager()
"""


def server(engine, variable):
    url = urlsplit(os.environ[variable])
    return {
        "ENGINE": f"django.db.backends.{engine}",
        "HOST": url.hostname,
        "PORT": str(url.port or ""),
        "USER": url.username or "",
        "PASSWORD": url.password or "",
        "NAME": url.path.lstrip("/"),
    }


def administrate(alias, statement):
    """Runs one statement outside any transaction in the database that the URL names."""
    from django.db import connections

    connection = connections.create_connection(alias)
    connection.settings_dict = {**connection.settings_dict, "NAME": ADMIN[alias]}
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def facts(alias):
    from django.db import connections

    statement = (HERE / "schema" / f"{alias}.sql").read_text()
    with connections[alias].cursor() as cursor:
        cursor.execute(statement.replace("%", "%%"), [])
        return sorted(row[0] for row in cursor.fetchall())


#: Apps of others, and how the names of the tables begin that are asked for.
ADDED = {
    "axes": (["axes"], "axes_"),
    "usersessions": (["allauth", "allauth.account", "allauth.usersessions"], "usersessions_usersession"),
}
OWN = {"own": ("accounts.Account", OWN_MODELS), "long": ("clubs.ClubMember", LONG_MODELS)}


def own_app(folder, model, source):
    package = Path(folder) / model.split(".")[0]
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "models.py").write_text(source)
    sys.path.insert(0, folder)
    return package.name


def main():
    words = sys.argv[1:]
    only = words.pop(0) if words and words[0] in ADDED else None
    model, source = OWN[words[0]] if words else ("auth.User", None)
    folder = tempfile.mkdtemp()
    databases = {
        "sqlite": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/db.sqlite3"},
        "postgres": server("postgresql", "DJAUTH_TEST_POSTGRES_URL"),
        "mariadb": server("mysql", "DJAUTH_TEST_MARIADB_URL"),
    }
    for alias in ("postgres", "mariadb"):
        ADMIN[alias] = databases[alias]["NAME"]
        databases[alias]["NAME"] = NAME
    databases["default"] = databases["sqlite"]
    apps = ["admin", "auth", "contenttypes", "sessions"]
    own = [own_app(folder, model, source)] if source else []
    settings.configure(
        DATABASES=databases,
        INSTALLED_APPS=[f"django.contrib.{app}" for app in apps] + own + (ADDED[only][0] if only else []),
        SECRET_KEY="not a secret",
        USE_TZ=True,
        AUTH_USER_MODEL=model,
        # allauth does not start without it.
        MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"] if only == "usersessions" else [],
    )
    django.setup()
    from django.core.management import call_command

    if own:
        call_command("makemigrations", *own, verbosity=0)
    answer = {}
    for alias in ("sqlite", "postgres", "mariadb"):
        if alias in ADMIN:
            administrate(alias, f"CREATE DATABASE {NAME}")
        try:
            call_command("migrate", database=alias, verbosity=0)
            answer[alias] = [fact for fact in facts(alias) if not only or ADDED[only][1] in fact]
        finally:
            from django.db import connections

            connections[alias].close()
            if alias in ADMIN:
                administrate(alias, f"DROP DATABASE {NAME}")
    json.dump({"django": ".".join(map(str, django.VERSION[:2])), **answer}, sys.stdout, indent=0)
    print()


ADMIN = {}
main()
