"""One verification of each hasher at Django's default cost: Python's library, and ours."""

import json
import os
import subprocess
import time
from statistics import median

from bench.table import interleaved, ratio, show

ALGORITHMS = ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"]
PASSWORD = "correct horse battery staple"


def run(options):
    from django.contrib.auth.hashers import get_hasher

    program = subprocess.Popen(
        [os.environ["DJAUTH_BENCH_HASHERS"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    rows = []
    for algorithm in ALGORITHMS:
        hasher = get_hasher(algorithm)
        encoded = hasher.encode(PASSWORD, hasher.salt())
        task = json.dumps({"password": PASSWORD, "encoded": encoded})

        def theirs():
            start = time.perf_counter()
            assert hasher.verify(PASSWORD, encoded)
            return time.perf_counter() - start

        def ours():
            program.stdin.write(task + "\n")
            program.stdin.flush()
            return int(program.stdout.readline()) / 1e9

        figures = interleaved(max(options.rounds, 3), {"Django": theirs, "djauth": ours})
        django, djauth = (f"{median(figures[name]) * 1e3:.1f} ms" for name in ("Django", "djauth"))
        rows.append([algorithm, django, djauth, f"{ratio(figures, 'Django', 'djauth'):.2f}"])
    program.stdin.close()
    program.wait()
    show("Verifying one password, default costs", ["hasher", "Django", "djauth", "times as fast"], rows)
