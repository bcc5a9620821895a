"""Makes crates/djauth-signing/tests/data/signing.json: what Django signs, and what it must accept.

    python signing.py > ../../crates/djauth-signing/tests/data/signing.json
    python signing.py --json > ../../crates/djauth-signing/tests/data/json.json

The other direction: `python signing.py --check FILE` lets Django read what the Rust side signed (a
JSON list of objects with `kind`, `salt`, `text` and `value`) and fails on the first difference.
"""

import json
import random
import sys
from unittest import mock

import django
from django.conf import settings

KEY, OLD_KEY = "djauth-vectors-key", "djauth-vectors-old-key-é"
NOW = 1767225600

settings.configure(SECRET_KEY=KEY, SECRET_KEY_FALLBACKS=[OLD_KEY], USE_TZ=True)
django.setup()

from django.core import signing  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.utils.crypto import salted_hmac  # noqa: E402
from django.utils.http import int_to_base36, urlsafe_base64_decode  # noqa: E402

VALUES = [
    {}, [], "", None, 0, "x", {"a": "é", "n": 1}, {"k": "a" * 60}, ["😀", "\u2028\x7f\x00\x1f\"\\/"],
    {"z": 1, "a": {"b": [1.5, 1e16, 1e-7, -0.0, 123456789.125, True, None]}},
    {"_auth_user_id": "1", "_auth_user_backend": "django.contrib.auth.backends.ModelBackend"},
    "ab" * 500,
]
TEXTS = ["", "hello", "a:b:c", "é😀", "x" * 300, "\n\t"]


def vectors():
    yield "hmac", [
        {
            "salt": salt, "value": value, "secret": secret,
            "sha256": salted_hmac(salt, value, secret, algorithm="sha256").hexdigest(),
            "sha1": salted_hmac(salt, value, secret, algorithm="sha1").hexdigest(),
        }
        for salt in ["ks", "", "é"] for value in ["val", "", "ü" * 70]
        for secret in ["secret", "k" * 200]
    ]
    yield "signer", [
        {"text": text, "sep": sep, "salt": salt, "key": key,
         "signed": signing.Signer(key=key, salt=salt, sep=sep, fallback_keys=[]).sign(text)}
        for text in TEXTS
        for key, salt, sep in [(KEY, None, ":"), (OLD_KEY, "other", "/"), (KEY, "é", "::")]
    ]
    yield "timestamp", [
        {"text": text, "at": at, "signed": at_time(at, signing.TimestampSigner().sign, text)}
        for text in TEXTS for at in [NOW, 0, 61, 4102444800]
    ]
    yield "dumps", [
        {"value": value, "salt": salt, "compress": compress, "key": key,
         "signed": signing.dumps(value, key=key, salt=salt, compress=compress)}
        for value in VALUES for compress in [False, True]
        for key, salt in [(KEY, "django.core.signing"), (OLD_KEY, "my.salt")]
    ]
    yield "sign_object", [
        {"value": value, "signed": signing.Signer().sign_object(value, compress=True)}
        for value in VALUES
    ]
    yield "cookies", list(cookies())
    yield "base36", [[n, int_to_base36(n)] for n in [0, 1, 35, 36, 788918400, 2**63 - 1]]
    yield "base62", [[n, signing.b62_encode(n)] for n in [0, 1, 61, 62, -62, NOW, 2**63 - 1]]
    yield "base64", list(base64_texts())


def cookies():
    for name, salt, value in [("pref", "", "blue"), ("a", "bc", "v"), ("ab", "é", "1:2")]:
        response = HttpResponse()
        response.set_signed_cookie(name, value, salt=salt)
        legacy = signing.get_cookie_signer(salt=name + salt).sign(value)
        yield {"name": name, "salt": salt, "value": value, "legacy": legacy,
               "signed": response.cookies[name].value}


def base64_texts():
    rng = random.Random(1)
    alphabet = "ABCabc019-_+/==. \né"
    for _ in range(300):
        text = "".join(rng.choice(alphabet) for _ in range(rng.randrange(12)))
        try:
            decoded = urlsafe_base64_decode(text).hex()
        except (ValueError, UnicodeError):
            decoded = None
        try:
            signed = signing.b64_decode(text.encode()).hex()
        except ValueError:
            signed = None
        yield [text, decoded, signed]


def at_time(at, call, *args):
    with mock.patch("time.time", return_value=at):
        return call(*args)


def json_texts():
    """Pairs of an exact description (hexadecimal floats, code points) and Python's text."""
    rng = random.Random(2)
    floats = [0.0, -0.0, 1e16, 1e-7, 1e15, 9999999999999998.0, 1e-4, 1e-5, 1.5, 5e-324, 1e308]
    floats += [rng.uniform(-1, 1) * 10.0 ** rng.randrange(-320, 308) for _ in range(600)]
    floats += [float(rng.randrange(-10**18, 10**18)) for _ in range(100)]
    points = list(range(0x180)) + [0x2028, 0x2029, 0xD7FF, 0xE000, 0xFFFF, 0x10000, 0x10FFFF]
    return {
        "floats": [[x.hex(), json.dumps(x)] for x in map(float, floats)],
        "characters": [[point, json.dumps(chr(point))] for point in points],
    }


def check(path):
    with open(path, encoding="utf-8") as file:
        cases = json.load(file)
    readers = {
        "loads": lambda c: signing.loads(c["text"], salt=c["salt"]),
        "signer": lambda c: signing.Signer(salt=c["salt"]).unsign(c["text"]),
        "timestamp": lambda c: signing.TimestampSigner(salt=c["salt"]).unsign(c["text"]),
        "sign_object": lambda c: signing.Signer(salt=c["salt"]).unsign_object(c["text"]),
        "cookie": lambda c: signing._unsign_cookie(c["text"], cookie_name=c["name"], salt=c["salt"]),
    }
    if not hasattr(signing, "_unsign_cookie"):
        cases = [case for case in cases if case["kind"] != "cookie"]
    for case in cases:
        value = readers[case["kind"]](case)
        if value != case["value"] or repr(value) != repr(case["value"]):
            sys.exit(f"Django reads {value!r} instead of {case['value']!r}: {case}")
    if not cases:
        sys.exit("no cases")
    print(f"Django {django.get_version()} read {len(cases)} values")


def main():
    if sys.argv[1:2] == ["--check"]:
        return check(sys.argv[2])
    if sys.argv[1:] == ["--json"]:
        data = json_texts()
    else:
        data = at_time(NOW, lambda: {"key": KEY, "old_key": OLD_KEY, "now": NOW, **dict(vectors())})
    print(json.dumps(data, indent=0, ensure_ascii=True))


main()
