"""How Linux shares the cores while something is measured."""

import contextlib
from pathlib import Path

AUTOGROUP = Path("/proc/sys/kernel/sched_autogroup_enabled")


@contextlib.contextmanager
def without_autogroup():
    """Each process competes by itself, as on a server that was set up for it.

    With `sched_autogroup_enabled`, which is meant for desktops, each session of processes gets the same
    share, whatever runs in it: each backend of PostgreSQL is one such session, and threads for idle times
    in another take as much as it does.
    """
    before = autogroup()
    if before:
        write("0")
    try:
        yield
    finally:
        if before:
            write("1")


def autogroup():
    """Whether it is on."""
    try:
        return AUTOGROUP.read_text().strip() == "1"
    except OSError:
        return False


def write(value):
    # Without the right to change it, the page says that it was on.
    with contextlib.suppress(OSError):
        AUTOGROUP.write_text(value)
