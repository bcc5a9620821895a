"""One verification of each hasher at Django's default cost: Python's library, and ours."""

import functools
import hashlib
import json
import subprocess
import time

from bench import processes
from bench.data import PASSWORD
from bench.rounds import interleaved
from bench.sites import measured, peer, program

ALGORITHMS = ["pbkdf2_sha256", "pbkdf2_sha1", "argon2", "bcrypt_sha256", "bcrypt", "scrypt"]

#: Django 6.1's default.
ITERATIONS = 1_500_000


class Verifier:
    """A program that reads a task a line and answers the nanoseconds that it took."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def verify(self, encoded):
        used = processes.cpu(self.process.pid)
        self.process.stdin.write(json.dumps({"password": PASSWORD, "encoded": encoded}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the program ended: {self.process.wait()}"
        return {"wall": int(answer) / 1e9, "cpu": processes.cpu(self.process.pid) - used}

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def run(options, folder):
    return {"kernels": kernels(options), "verify": one_password(options)}


def kernels(options):
    """Passwords a second on one core, so many interleaved in one thread."""
    listed = subprocess.run([program("pbkdf2_kernels")], capture_output=True, text=True, check=True)
    variants = {"hashlib": by_hashlib}
    for line in listed.stdout.splitlines():
        kernel, best = line.split()
        for streams in range(1, 5 if int(best) > 1 else 2):
            variants[f"{kernel}, {streams} at once"] = lambda k=kernel, n=streams: by_kernel(k, n)
    return interleaved(max(options.rounds, 3), variants, "PBKDF2-HMAC-SHA256")


def by_hashlib():
    start = time.perf_counter()
    hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"s" * 22, ITERATIONS)
    return {"rate": 1 / (time.perf_counter() - start)}


def by_kernel(kernel, streams):
    return {"rate": streams / seconds_of(program("pbkdf2_kernels"), ITERATIONS, streams, kernel)}


def seconds_of(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


def one_password(options):
    from django.contrib.auth.hashers import get_hasher

    programs = {"djauth": Verifier(measured("hashers"))} | {
        crate: Verifier([peer("hashes"), crate]) for crate in crates()
    }
    told = {}
    try:
        for algorithm in ALGORITHMS:
            hasher = get_hasher(algorithm)
            encoded = hasher.encode(PASSWORD, hasher.salt())
            variants = {"Django": lambda: theirs(hasher, encoded)} | {
                name: lambda p=verifier: p.verify(encoded)
                for name, verifier in programs.items() if algorithm in crates().get(name, ALGORITHMS)
            }
            for measure in variants.values():
                measure()
            told[algorithm] = interleaved(max(options.rounds, 3), variants, algorithm)
    finally:
        for verifier in programs.values():
            verifier.close()
    return told


@functools.cache
def crates():
    """Other crates, with the algorithms that each can verify."""
    listed = subprocess.run([peer("hashes")], capture_output=True, text=True, check=True)
    return {name: algorithms.split() for name, algorithms in (line.split(" ", 1) for line in listed.stdout.splitlines())}


def theirs(hasher, encoded):
    start, used = time.perf_counter(), time.process_time()
    assert hasher.verify(PASSWORD, encoded)
    return {"wall": time.perf_counter() - start, "cpu": time.process_time() - used}
