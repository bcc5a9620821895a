"""Instructions of single functions, counted by valgrind: a figure that no neighbour disturbs, so that a
change can be held against the one before."""

import re
import subprocess

from bench import rows
from bench.rounds import say
from bench.rows import Shape
from bench.sites import empty, measured
from suite.sides import Djauth

#: The difference of two counts is what the calls between them cost; the start is in both.
FEW, MANY = 10, 210


def run(options, folder):
    with empty("sqlite", folder) as (database, settings):
        keys = rows.fill(database, settings, Shape(users=100, sessions=100))
        data = database.query("SELECT session_data FROM django_session WHERE session_key = ?", (keys[0],))
        given = f"{keys[0]}\n{data[0]['session_data']}\n"
        environment = Djauth(settings, folder).environment()
        names = subprocess.run([*measured("functions"), "list"], capture_output=True, text=True, check=True)
        told = {}
        for name in names.stdout.split():
            counts = [instructions(name, times, environment, given, folder) for times in (FEW, MANY)]
            told[name] = (counts[1] - counts[0]) / (MANY - FEW)
            say(f"{name}: {told[name]:,.0f} instructions")
        return told


def instructions(name, times, environment, given, folder):
    command = [
        "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *measured("functions"), name, str(times),
    ]
    done = subprocess.run(command, env=environment, cwd=folder, input=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"Collected\s*:\s*(\d+)", done.stderr)[1])


def compare(before, now):
    """What a change has done to each."""
    for name, count in now.items():
        if name in before:
            say(f"{name}: {count / before[name] - 1:+.2%} since the committed results")
