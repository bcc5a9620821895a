"""Django's programs as copies of a process that has imported already what each of them imports.

A management command spends most of its time on imports, and the suite runs hundreds of them. What it finds
is as for any program: its arguments, its environment, its folder, and nothing to read from.
"""

import contextlib
import multiprocessing
import os
import runpy
import secrets
import subprocess
import sys

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["suite.early"])


def live(arguments, environment, folder, output, complaints):
    """What the copy does, which ends with this."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for path, mode, number in ((os.devnull, "rb", 0), (output, "ab", 1), (complaints, "ab", 2)):
        with open(path, mode) as file:
            os.dup2(file.fileno(), number)
    name, *rest = arguments
    if name == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path.insert(0, os.path.dirname(name))
        runpy.run_path(name, run_name="__main__")


class Program:
    """One that runs, with the methods of `subprocess.Popen` that are used here."""

    def __init__(self, arguments, environment, folder, output, complaints):
        self.arguments = arguments
        asked = (arguments, environment, str(folder), str(output), str(complaints))
        self.process = CONTEXT.Process(target=live, args=asked, daemon=True)
        self.process.start()

    def poll(self):
        return self.process.exitcode

    def send_signal(self, number):
        if self.poll() is None:
            # It may end, and be gone, just now.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def kill(self):
        self.process.kill()

    def wait(self, timeout=None):
        self.process.join(timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(self.arguments, timeout)
        return self.poll()


def run(arguments, environment, folder, timeout):
    """As `subprocess.run`, with what was said as texts."""
    name = folder / f"said-{secrets.token_hex(8)}"
    paths = [name.with_suffix(suffix) for suffix in (".out", ".err")]
    program = Program(arguments, environment, folder, *paths)
    try:
        code = program.wait(timeout)
    except subprocess.TimeoutExpired:
        program.kill()
        raise
    said = [path.read_text() for path in paths]
    for path in paths:
        path.unlink()
    return subprocess.CompletedProcess(arguments, code, *said)
