"""`cargo xtask bench` runs this with the newest Django."""

import argparse
import os
import tempfile
from pathlib import Path

import django

from bench import hashers, requests

PARTS = {
    "hashers": lambda options, folder: hashers.run(options),
    "in-process": requests.in_process,
    "http": requests.over_http,
    "latency": requests.latency,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("--database", action="append", choices=["sqlite", "postgres", "mariadb"])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    options.database = options.database or ["sqlite", "postgres"]
    hash_settings()
    print(f"Django {django.get_version()}, {os.cpu_count()} cores, medians of {options.rounds} rounds")
    with tempfile.TemporaryDirectory(prefix="djauth-bench-") as folder:
        for part in options.only or PARTS:
            PARTS[part](options, Path(folder))


def hash_settings():
    from django.conf import settings

    names = ["PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt"]
    settings.configure(
        PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}PasswordHasher" for name in names]
    )


main()
