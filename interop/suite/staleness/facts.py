"""What is true of the database and when, as far as a watcher from outside can know it.

Each fact (is this user active? has that group this permission?) has a history of values. Between the
moment at which a change is sent and the moment at which its sender has heard that it is committed,
nobody outside can say which value holds, so both are right. Before and after that only one is.

An answer is judged by the values that its facts could have had between the moment at which the
request was sent and the one at which the answer was there. The facts of one answer are judged one by
one and not as of the same moment, because Django too reads them in several statements.
"""

import bisect
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

#: In place of a value that only its change will tell, such as the hash of a new password.
UNKNOWN = object()


def now():
    """Seconds of one clock for all processes of this machine."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


@dataclass
class History:
    """Values with the first and the last moment at which each could be seen; both only grow."""

    values: list = field(default_factory=list)
    starts: list = field(default_factory=list)
    ends: list = field(default_factory=list)
    causes: list = field(default_factory=list)

    def append(self, value, start, cause):
        self.values.append(value)
        self.starts.append(start)
        self.ends.append(math.inf)
        self.causes.append(cause)

    def possible(self, first, last):
        """The values that could be seen at some moment of this span."""
        found = []
        for index in range(bisect.bisect_left(self.ends, first), len(self.values)):
            if self.starts[index] > last:
                break
            found.append(self.values[index])
        return found

    def around(self, first, last):
        rows = zip(self.starts, self.ends, self.values, self.causes)
        return [row for row in rows if row[1] >= first and row[0] <= last]


class Facts:
    """All histories. A fact is changed by one writer at a time; whoever changes sees to that."""

    def __init__(self):
        self.histories = {}

    def __getitem__(self, fact):
        """The value now; only for whoever may change it."""
        history = self.histories.get(fact)
        return history.values[-1] if history else None

    def put(self, fact, value, cause="made"):
        """A fact that was not there before."""
        assert fact not in self.histories, fact
        self.histories[fact] = History()
        self.histories[fact].append(value, now(), cause)

    @contextmanager
    def change(self, values, cause):
        """The body makes these facts true, or fails and leaves all as it was."""
        start = now()
        changed = {f: v for f, v in values.items() if v is UNKNOWN or self[f] != v}
        for fact, value in changed.items():
            self.histories[fact].append(value, start, cause)
        try:
            yield
        except BaseException:
            end = now()
            for fact in changed:
                self.take_back(self.histories[fact], end, f"failed: {cause}")
            raise
        end = now()
        for fact in changed:
            self.histories[fact].ends[-2] = end

    @staticmethod
    def take_back(history, end, cause):
        before = history.values[-2]
        history.ends[-2:] = [end, end]
        history.append(before, history.starts[-1], cause)

    def settle(self, fact, value):
        """What the change that is just over made of it."""
        self.histories[fact].values[-1] = value

    def foresee(self, fact, value, start, end, cause):
        """A change that happens by itself, at some moment of this span."""
        history = self.histories[fact]
        history.append(value, start, cause)
        history.ends[-2] = end

    def possible(self, fact, first, last):
        """Without a history it is not so, and never was."""
        history = self.histories.get(fact)
        return history.possible(first, last) if history else [None]
