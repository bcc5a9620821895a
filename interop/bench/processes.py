"""What a process and its children cost: processor time and memory, as Linux counts them."""

import os
import time
from pathlib import Path


def family(pid):
    """The process and all that come from it."""
    found, waiting = [], [pid]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting.extend(map(int, task.read_text().split()))
            except OSError:
                continue
    return found


def cpu(pid):
    """Seconds of processor time that a process has used, threads that have ended included."""
    # Linux's name for the clock of another process (see clock_getcpuclockid).
    return time.clock_gettime((~pid << 3) | 2)


def cpu_of_family(pid):
    """With children, but without those that have ended."""
    return sum(cpu(member) for member in family(pid))


def memory_of_family(pid):
    """Resident bytes; pages that several of them share count once."""
    return sum(proportional(member) for member in family(pid))


def proportional(pid):
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no Pss of process {pid}")


def peak_memory(pid):
    """The most bytes that were resident at once, since the process began."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no VmHWM of process {pid}")


def cores():
    return len(os.sched_getaffinity(0))
