"""Makes crates/djauth/tests/data/forms.json and casefold.json: what Django's auth forms answer.

    python forms.py > ../../crates/djauth/tests/data/forms.json
    python forms.py casefold > ../../crates/djauth/tests/data/casefold.json

Each case is a form, a user if it has one, and what was posted; with the codes of every field's errors in
order, the cleaned data and what saving changed. Passwords in the answers are those that were posted.
"""

import datetime
import json
import sys
import unicodedata
from urllib.parse import urlencode

import django
from django.conf import settings

VALIDATORS = ["UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator",
              "NumericPasswordValidator"]
settings.configure(
    SECRET_KEY="models-vector-key-0123456789abcdefghijklmnopqrstuv",
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    AUTH_PASSWORD_VALIDATORS=[
        {"NAME": f"django.contrib.auth.password_validation.{name}"} for name in VALIDATORS],
    USE_TZ=True, TIME_ZONE="Europe/Berlin", LOGGING_CONFIG=None,
)
django.setup()

from django.contrib.auth import forms  # noqa: E402
from django.contrib.auth.hashers import MD5PasswordHasher  # noqa: E402
from django.contrib.auth.models import Group, Permission, User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.http import QueryDict  # noqa: E402

# A stored password is part of some answers: the same at each run.
MD5PasswordHasher.salt = lambda self: "always the same salt.."

GOOD, OTHER = "battery staple", "correct horse"


def users():
    alice = User.objects.create_user("alice", "alice@example.com", OTHER, first_name="Alice", last_name="Ash")
    User.objects.create_user("Bob", "BOB@example.com", OTHER)
    User.objects.create_user("nobody", "nobody@example.com", None)
    User.objects.create_user("gone", "gone@example.com", OTHER, is_active=False)
    User.objects.create_user("\u00f6mer", "mike@example.org", OTHER)
    User.objects.create_user("twin", "alice@example.com", OTHER)
    alice.groups.add(Group.objects.create(name="staff"))


PASSWORDS = [
    (GOOD, GOOD), (GOOD, OTHER), ("", ""), (GOOD, ""), ("", GOOD), (None, None), (GOOD, None),
    (f" {GOOD} ", f" {GOOD} "), (f" {GOOD} ", GOOD), ("short", "short"), ("12345678", "12345678"),
    ("password", "password"), ("alice123", "alice123"), ("1", "1"), ("a\0b c d e f", "a\0b c d e f"),
    (" ", " "), ("x" * 500, "x" * 500), ("\u00e9t\u00e9 \u2603 \U0001f600", "\u00e9t\u00e9 \u2603 \U0001f600"),
]
NAMES = ["carol", "", " ", None, " carol ", "alice", "ALICE", "Alice", "bob", "\u00d6MER", "bad name!", "x" * 150,
         "x" * 151, "\ufb00" * 100, "a\0b", "\uff2f\uff4c\uff45", "\u2126", "a\nb", "\u202ecarol", "a@b.c+d-e_f"]
EMAILS = ["alice@example.com", "ALICE@EXAMPLE.COM", " alice@example.com ", "bob@example.com", "nobody@example.com",
          "gone@example.com", "unknown@example.com", "m\u0131ke@example.org", "MIKE@EXAMPLE.ORG",
          "mike@example.org", "", None, "x", "a@b", "a@b.c\nBcc: d@e.f", "a\0@b.com", "x" * 250 + "@b.com",
          "alice@example.com,bob@example.com", "%@example.com", "alic_@example.com", "\uff41lice@example.com"]


def post(**fields):
    return {name: value for name, value in fields.items() if value is not None}


def pairs(first="password1", second="password2", **more):
    for one, two in PASSWORDS:
        yield post(**more, **{first: one, second: two})


def creation():
    yield from pairs(username="carol")
    for name in NAMES:
        yield post(username=name, password1=GOOD, password2=GOOD)
        yield post(username=name, password1=GOOD, password2=OTHER)
    yield {}


def with_unusable(cases):
    for fields in cases:
        for usable in [None, "true", "false", "", "maybe"]:
            yield {**fields, **post(usable_password=usable)}


def logins():
    for name in [*NAMES, "nobody", "gone"]:
        for password in [OTHER, "wrong", "", None, f" {OTHER} ", "a\0b"]:
            yield post(username=name, password=password)


def changes():
    for old in [OTHER, "wrong", "", None, f"{OTHER} ", "a\0b"]:
        yield from pairs("new_password1", "new_password2", old_password=old)


CHANGED = {"username": "alice", "first_name": "A", "last_name": "", "email": "a@b.com", "is_active": "on",
           "date_joined": "2026-01-01 00:00:00", "password": "sent"}


def user_changes():
    yield CHANGED
    yield {}
    for name in NAMES:
        yield {**CHANGED, **post(username=name)} if name is not None else {
            k: v for k, v in CHANGED.items() if k != "username"}
    for field, values in {
        "email": EMAILS, "first_name": ["x" * 150, "x" * 151, "a\0b", " Ann "],
        "last_login": ["", "2026-01-02 03:04:05", "2026-01-02T03:04:05Z", "x", "2026-13-01", "2026-01-02 03:04"],
        "date_joined": ["", "2026-01-02", "01/02/2026 03:04", "25:00", "2026-01-02 03:04:05.123456",
                        "2026-03-29 02:30", "2026-10-25 02:30", "2026-10-25T02:30:00+01:00"],
        "is_staff": ["on", "false", "True", "", "0"], "is_superuser": ["on"], "is_active": ["", "false", "False"],
        "groups": ["1", "2", "x", ""], "user_permissions": ["1", "99999"],
    }.items():
        for value in values:
            yield {**CHANGED, **post(**{field: value})}


CASES = {
    "BaseUserCreationForm": [(None, list(creation()))],
    "UserCreationForm": [(None, list(creation()))],
    "AdminUserCreationForm": [(None, list(with_unusable([*pairs(username="carol"), {"username": "alice"}])))],
    "AuthenticationForm": [(None, list(logins()))],
    "SetPasswordForm": [(name, list(pairs("new_password1", "new_password2"))) for name in ["alice", "nobody"]],
    "PasswordChangeForm": [("alice", list(changes())), ("nobody", list(changes())[:3])],
    "AdminPasswordChangeForm": [(name, list(with_unusable(pairs()))) for name in ["alice", "nobody"]],
    "PasswordResetForm": [(None, [post(email=email) for email in EMAILS])],
    "UserChangeForm": [("alice", list(user_changes()))],
}


def make(name, username, data):
    user = username and User.objects.get(username=username)
    kind = getattr(forms, name)
    if name == "AuthenticationForm":
        return kind(None, data=data)
    if name == "UserChangeForm":
        return kind(data, instance=user)
    return kind(user, data) if user else kind(data)


def plain(value):
    if hasattr(value, "isoformat"):
        return value.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
    if hasattr(value, "values_list"):
        return sorted(str(pk) for pk in value.values_list("pk", flat=True))
    return value


def saved(name, form):
    """What came of it: who gets a mail, or the user with the password that fits."""
    if name == "PasswordResetForm":
        return [user.username for user in form.get_users(form.cleaned_data["email"])]
    if name == "AuthenticationForm":
        return form.get_user().username
    user = form.save()
    sent = [form.data.get(field) for field in ("password1", "new_password1") if field in form.data]
    user.refresh_from_db()
    row = {"username": user.username, "email": user.email, "usable": user.has_usable_password(),
           "fits": any(user.check_password(password) for password in sent if password)}
    return row


def answer(name, username, fields):
    data = QueryDict(urlencode(fields))
    with transaction.atomic():
        form = make(name, username, data)
        errors = {field: [error.code for error in found.as_data()] for field, found in form.errors.items()}
        case = {"user": username, "post": urlencode(fields), "errors": errors,
                "cleaned": {field: plain(value) for field, value in form.cleaned_data.items()}}
        if name.startswith("Admin"):
            case["fields"] = list(form.fields)
        if name == "AdminPasswordChangeForm":
            case["changed_data"] = form.changed_data
        if not errors:
            case["saved"] = saved(name, form)
        transaction.set_rollback(True)
    return case


def shown():
    """The fields of each form, as they are first shown."""
    for name, groups in CASES.items():
        username = groups[0][0]
        user = username and User.objects.get(username=username)
        kind = getattr(forms, name)
        form = kind(instance=user) if name == "UserChangeForm" else kind(user) if user else kind()
        yield name, [
            [field.name, field.field.required, field.field.disabled,
             {key: str(value) for key, value in field.field.widget.attrs.items()
              if key in ("autocomplete", "autofocus", "maxlength", "autocapitalize")}]
            for field in form
        ]


def folded():
    """Everything that NFKC or case folding changes."""
    for code in range(0x110000):
        text = chr(code)
        if unicodedata.category(text) not in ("Cn", "Cs", "Co"):
            fold = unicodedata.normalize("NFKC", text).casefold()
            if fold != text and unicodedata.normalize("NFKC", text) != fold:
                yield text, fold
    for text in ["m\u0131ke@example.org", "STRASSE@x.y", "stra\u00dfe@x.y", "\ufb00@x.com", "\u0130", "\u03a3\u03c2\u03c3"]:
        yield text, unicodedata.normalize("NFKC", text).casefold()


if sys.argv[1:] == ["casefold"]:
    print(json.dumps(list(folded()), separators=(",", ":")).replace("],[", "],\n["))
else:
    call_command("migrate", verbosity=0)
    users()
    cases = {
        name: [answer(name, username, fields) for username, posts in groups for fields in posts]
        for name, groups in CASES.items()
    }
    groups = [[str(group.pk), group.name] for group in Group.objects.all()]
    print(json.dumps({"groups": groups, "fields": dict(shown()), "cases": cases}, separators=(",", ":"))
          .replace("},{", "},\n{"))
