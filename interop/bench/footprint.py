"""From the start to the first answer, memory idle and under load, and bytes on the disk."""

import importlib.metadata
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from bench import processes
from bench.load import wrk
from bench.rounds import interleaved
from bench.sites import Gunicorn, check_answers, filled, started
from suite.sides import PATIENCE, Djauth, free_port

#: What a Django site of this kind must have installed.
PACKAGES = ["Django", "asgiref", "sqlparse", "gunicorn", "packaging", "argon2-cffi", "argon2-cffi-bindings", "cffi", "pycparser", "bcrypt"]
REQUEST = b"GET /accounts/login/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def run(options, folder):
    kind = options.database[0]
    with filled(kind, folder) as (_, settings, keys):
        sides = {"Django, gunicorn": Gunicorn, "djauth": Djauth}
        starts = interleaved(
            max(options.rounds, 3),
            {n: lambda s=s: {"seconds": cold_start(s(settings, folder))} for n, s in sides.items()},
            "cold start",
        )
        memory = {}
        for name, side in sides.items():
            with started(side(settings, folder)) as (running,):
                check_answers(running, keys.read_text().split())
                memory[name] = memory_of(running, keys, options.seconds)
        return {"start": starts, "memory": memory, "disk": disk()}


def cold_start(side):
    """Seconds until the page for logging in comes; the programs themselves are in the system's memory."""
    port = free_port()
    with open(side.folder / f"cold-{port}.log", "wb") as log:
        start = time.perf_counter()
        process = subprocess.Popen(
            side.command(port), env=side.environment(), stdout=log, stderr=log, cwd=side.folder
        )
    try:
        while not answers(port):
            assert process.poll() is None, f"{type(side).__name__} ended at once"
            assert time.perf_counter() - start < PATIENCE, f"{type(side).__name__} does not answer"
            time.sleep(0.0005)
        return time.perf_counter() - start
    finally:
        process.terminate()
        process.wait(20)


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(REQUEST)
            return connection.recv(12).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def memory_of(side, keys, seconds):
    time.sleep(1)
    idle = processes.memory_of_family(side.process.pid)
    most, end = [idle], threading.Event()

    def watch():
        while not end.wait(0.1):
            most.append(processes.memory_of_family(side.process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        wrk(side, keys, max(3, seconds))
    finally:
        end.set()
        watcher.join()
    return {"idle": idle, "loaded": max(most), "processes": len(processes.family(side.process.pid))}


def disk():
    """Our program with everything in it; Python's packages without Python itself and without drivers."""
    files = [file for name in PACKAGES for file in importlib.metadata.files(name)]
    sizes = [path.stat().st_size for file in files if (path := Path(file.locate())).exists() and path.suffix != ".pyc"]
    binary = Path(Djauth({}, None).program("djauth")).stat().st_size
    return {"Django, gunicorn": sum(sizes), "djauth": binary, "python": python()}


def python():
    """The interpreter's own library."""
    library = Path(sys.base_prefix, "lib", f"python{sys.version_info[0]}.{sys.version_info[1]}")
    files = (path for path in library.rglob("*") if "site-packages" not in path.parts and "test" not in path.parts)
    return sum(path.stat().st_size for path in files if path.is_file() and path.suffix != ".pyc")
