"""What the figures were measured on, and with which versions."""

import datetime
import importlib.metadata
import os
import platform
import re
import ssl
import subprocess
from pathlib import Path

from bench import processes, scheduler
from suite.databases import SERVERS, connect


def describe(options):
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": processor(),
        "cores": processes.cores(),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"Linux {platform.release().split('-')[0]}",
        "autogroup": scheduler.autogroup(),
        "commit": commit(),
        "versions": versions(),
        "seconds": options.seconds,
        "rounds": options.rounds,
    }


def commit():
    """What this command writes itself is no change of what is measured."""
    changed = said("git", "status", "--porcelain", "--", ":/", ":(exclude,top)BENCHMARKS.md", ":(exclude,top)docs/benchmarks")
    return f"{said('git', 'rev-parse', '--short=10', 'HEAD')}{'-dirty' if changed else ''}"


def processor():
    facts = Path("/proc/cpuinfo").read_text()
    field = lambda name: (re.search(rf"^{name}\s*: (.*)$", facts, re.M) or ["", "unknown"])[1]
    flags = field("flags").split()
    known = {"sha_ni": "SHA-NI", "avx2": "AVX2", "avx512vl": "AVX-512VL"}
    has = [name for flag, name in known.items() if flag in flags]
    return f"{field('model name')} (family {field('cpu family')}, model {field('model')}; {', '.join(has)})"


def versions():
    packages = ["Django", "gunicorn", "uvicorn", "psycopg", "mysqlclient", "argon2-cffi", "bcrypt"]
    found = {name: importlib.metadata.version(name) for name in packages}
    return {
        "Rust": (said("rustc", "--version") or "unknown").split()[1],
        "Python": platform.python_version(),
        "OpenSSL": ssl.OPENSSL_VERSION.split()[1],
        **found,
        "SQLite (Python's)": __import__("sqlite3").sqlite_version,
        **servers(),
    }


def servers():
    found = {}
    for name, (kind, statement) in {
        "PostgreSQL": ("postgres", "SHOW server_version"), "MariaDB": ("mariadb", "SELECT version()")
    }.items():
        connection = connect(kind, os.environ[SERVERS[kind]])
        cursor = connection.cursor()
        cursor.execute(statement)
        found[name] = re.match(r"[\d.]+", cursor.fetchone()[0])[0]
        connection.close()
    return found


def said(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parent)
    except OSError:
        return None
    return done.stdout.strip() or None
