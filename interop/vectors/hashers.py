"""Makes the password vectors of djauth-hashers.

    python hashers.py > crates/djauth-hashers/tests/data/hashers.json          (Django 6.1)
    python hashers.py > crates/djauth-hashers/tests/data/hashers-legacy.json   (Django 4.2)

With a Django that still has the formats dropped in 5.1, only those are written. Each entry of
`encoded` is a password, its salt, costs and what Django stores; each entry of `judged` is any text
and what Django says of it. Deterministic: salts are fixed and mutations come from a seed.
"""

import base64
import json
import random
import sys
import warnings

import django
from django.conf import settings

warnings.simplefilter("ignore")
LEGACY = django.VERSION < (5, 1)
NAMES = (
    ["SHA1PasswordHasher", "UnsaltedMD5PasswordHasher", "UnsaltedSHA1PasswordHasher"]
    if LEGACY
    else [
        "PBKDF2PasswordHasher",
        "PBKDF2SHA1PasswordHasher",
        "Argon2PasswordHasher",
        "BCryptSHA256PasswordHasher",
        "BCryptPasswordHasher",
        "ScryptPasswordHasher",
        "MD5PasswordHasher",
    ]
)
settings.configure(PASSWORD_HASHERS=["django.contrib.auth.hashers." + n for n in NAMES])

from django.contrib.auth import hashers  # noqa: E402

# Small costs, so that thousands of values can be judged in a test run.
COSTS = {
    "pbkdf2_sha256": {"iterations": 3},
    "pbkdf2_sha1": {"iterations": 3},
    "argon2": {"time_cost": 1, "memory_cost": 16, "parallelism": 2},
    "bcrypt_sha256": {"rounds": 4},
    "bcrypt": {"rounds": 4},
    "scrypt": {"work_factor": 16, "block_size": 2, "parallelism": 2},
}
FULL_SALT = "abcdefghijklmnopqrstuv"
SALTS = [FULL_SALT, "0123456789", "пере;соль,соль", "x" * 60]
PASSWORDS = ["correct horse", "", "пароль 🔑", "a\0b", "p" * 71, "p" * 72, "p" * 200, "é" * 36]
BCRYPT_SALTS = ["$2b$04$abcdefghijklmnopqrstuu", "$2a$05$......................", "$2y$04$999999999999999999999u"]


def get(algorithm):
    hasher = hashers.get_hasher(algorithm)
    for name, value in COSTS.get(algorithm, {}).items():
        setattr(hasher, name, value)
    return hasher


def salts_of(hasher):
    if hasher.algorithm.startswith("bcrypt"):
        return BCRYPT_SALTS
    if hasher.algorithm.startswith("unsalted"):
        return [""]
    return SALTS


def attempt(function, *args):
    try:
        return function(*args)
    except Exception:
        return None


def summary(encoded):
    hasher = attempt(hashers.identify_hasher, encoded)
    found = attempt(hasher.safe_summary, encoded) if hasher else None
    return None if found is None else [[str(k), str(v)] for k, v in found.items()]


def judged(password, encoded):
    """What Django says; `null` where it raises."""
    hasher = attempt(hashers.identify_hasher, encoded)
    return {
        "password": password,
        "encoded": encoded,
        "algorithm": hasher and hasher.algorithm,
        "correct": attempt(hasher.verify, password, encoded) if hasher else None,
        "must_update": attempt(hasher.must_update, encoded) if hasher else None,
        "summary": summary(encoded),
    }


def encoded_values():
    for name in [h.algorithm for h in hashers.get_hashers()]:
        hasher = get(name)
        for salt in salts_of(hasher):
            for password in PASSWORDS:
                value = attempt(hasher.encode, password, salt)
                yield {"algorithm": name, "password": password, "salt": salt, "encoded": value}


def argon2_variants():
    """What argon2-cffi makes and Django therefore verifies, but never writes itself."""
    from argon2.low_level import Type, hash_secret

    for kind in (Type.D, Type.I, Type.ID):
        for version in (16, 19):
            for costs in ((1, 8, 1, 32), (2, 19, 1, 16), (3, 64, 4, 64), (1, 16, 2, 4)):
                time, memory, lanes, length = costs
                text = hash_secret(
                    b"correct horse", FULL_SALT[: 8 + length // 4].encode(), time, memory, lanes,
                    length, kind, version,
                ).decode()
                yield "argon2" + text
                if version == 16:
                    yield "argon2" + text.replace("$v=16", "")


def other_values(values):
    """Outdated costs, weak salts, other spellings, and damage."""
    correct = [v["encoded"] for v in values if v["password"] == "correct horse" and v["encoded"]]
    yield from correct
    if not LEGACY:
        yield from argon2_variants()
        for name, change in [
            ("pbkdf2_sha256", {"iterations": 2}), ("pbkdf2_sha1", {"iterations": 9}),
            ("scrypt", {"work_factor": 32}), ("scrypt", {"block_size": 1}),
            ("scrypt", {"parallelism": 1}), ("argon2", {"time_cost": 2}),
            ("argon2", {"memory_cost": 17}), ("argon2", {"parallelism": 1}),
        ]:
            hasher = get(name)
            for key, value in change.items():
                setattr(hasher, key, value)
            for salt in (FULL_SALT, FULL_SALT[:-1]):
                yield hasher.encode("correct horse", salt)
            get(name)
    source = random.Random(20260101)
    for value in correct:
        for _ in range(10 if LEGACY else 14):
            yield mutated(value, source)
    yield from ["", "$", "$$", "!", "!abc", "0" * 32, "md5$$" + "0" * 32, "sha1$$" + "0" * 40]
    yield from [n + tail for n in COSTS for tail in ("", "$", "$$", "$$$", "$$$$", "$$$$$", "$1$s$h")]


def mutated(value, source):
    """One small change; a third of them in a number."""
    position = source.randrange(len(value))
    kind = source.randrange(6)
    if kind == 0:
        return value[:position] + value[position + 1 :]
    if kind == 1:
        return value[:position] + source.choice("$=,0 aé+_-") + value[position:]
    if kind == 2:
        return value[:position]
    if kind == 3:
        return value[:position] + source.choice("$0aZ.,=") + value[position + 1 :]
    digits = [i for i, c in enumerate(value[:40]) if c.isdigit()]
    position = source.choice(digits or [0])
    return value[:position] + source.choice(["0", "00", "+", " ", "_", "-"]) + value[position:]


values = list(encoded_values())
texts = list(dict.fromkeys(other_values(values)))
for algorithm in COSTS:
    attempt(get, algorithm)
json.dump(
    {
        "django": django.get_version(),
        "hashers": [h.algorithm for h in hashers.get_hashers()],
        "costs": {} if LEGACY else COSTS,
        "encoded": values,
        "judged": [judged("correct horse", text) for text in texts],
    },
    sys.stdout,
    ensure_ascii=True,
    indent=0,
)
print()
