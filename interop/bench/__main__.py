"""`cargo xtask bench` runs this with the newest Django."""

import argparse
import importlib
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from bench import render
from bench.results import COMMITTED, Results, place
from bench.rounds import say
from bench.scheduler import without_autogroup


class Part:
    """A module with `run(options, folder)`, how long and how often it measures, and on what."""

    def __init__(self, module, seconds, rounds, databases=("sqlite", "postgres"), default=True):
        self.module, self.seconds, self.rounds = module, seconds, rounds
        self.databases, self.default = databases, default


ALL = ("sqlite", "postgres", "mariadb")
PARTS = {
    "hashers": Part("hashers", 0, 7),
    "logins": Part("logins", 0, 3),
    "verify": Part("verify", 2, 11, ALL),
    "in-process": Part("in_process", 2, 3),
    "isolation": Part("isolation", 2, 7),
    "growth": Part("growth", 1, 7),
    "admin": Part("admin", 1, 3),
    "footprint": Part("footprint", 3, 7, ("sqlite",)),
    "functions": Part("functions", 0, 1, (), default=False),
    "timing": Part("timing", 0, 1, (), default=False),
}


def main():
    # As an exception, so that what was changed for the time of measuring is changed back.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = parse()
    file, page, plots = place(options.quick)
    results = Results(file)
    try:
        if options.render:
            assert results.parts, f"nothing was measured yet: there is no {file}"
        else:
            with without_autogroup():
                measure(options, results)
    finally:
        if results.parts:
            render.write(results.parts, page, plots)
            say(f"written: {page}")


def parse():
    parser = argparse.ArgumentParser(prog="cargo xtask bench")
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("--database", action="append", choices=ALL)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--rounds", type=int)
    for flag in ("--quick", "--full", "--render"):
        parser.add_argument(flag, action="store_true")
    return parser.parse_args()


def measure(options, results):
    hash_settings()
    assert shutil.which("wrk"), "there is no wrk: `cargo xtask install`"
    from bench import machine

    failures = []
    for name in options.only or [name for name, part in PARTS.items() if part.default]:
        chosen = choice(options, PARTS[name])
        say(f"\n== {name} ({', '.join(chosen.database) or 'no database'})")
        try:
            one_part(name, chosen, results, machine.describe)
        except Exception:
            # The others are worth having all the same.
            traceback.print_exc()
            failures.append(name)
    if failures:
        raise SystemExit(f"not measured: {', '.join(failures)} (see above)")


def one_part(name, options, results, describe):
    began, module = time.monotonic(), importlib.import_module(f"bench.{PARTS[name].module}")
    with tempfile.TemporaryDirectory(prefix="djauth-bench-") as folder:
        figures = module.run(options, Path(folder))
    if figures is None:
        return
    before = Results(COMMITTED).parts.get(name)
    if before and hasattr(module, "compare"):
        module.compare(before["figures"], figures)
    results.put(name, describe(options) | {"minutes": (time.monotonic() - began) / 60}, figures)
    print("\n" + render.section(name, results.parts[name]), flush=True)


def choice(options, part):
    """What is asked for, or what suits the part."""
    rough = (1, 1) if options.quick else (part.seconds, part.rounds)
    return argparse.Namespace(
        database=list(options.database or part.databases),
        seconds=rough[0] if options.seconds is None else options.seconds,
        rounds=rough[1] if options.rounds is None else options.rounds,
        quick=options.quick,
        full=options.full,
    )


def hash_settings():
    from django.conf import settings

    names = ["PBKDF2", "PBKDF2SHA1", "Argon2", "BCryptSHA256", "BCrypt", "Scrypt"]
    settings.configure(
        PASSWORD_HASHERS=[f"django.contrib.auth.hashers.{name}PasswordHasher" for name in names]
    )


if __name__ == "__main__":
    sys.exit(main())
