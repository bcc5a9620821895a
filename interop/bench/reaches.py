"""What was to be reached, how far it can go at all, and what takes the rest."""

import math
from collections import namedtuple
from statistics import median

from bench.plots import NAMES, cost
from bench.rounds import column, ratio, ratios

DJANGOS = ("Django, gunicorn", "Django, uvicorn")
#: Limits that this command does not measure: they are of a Zen 4 with AVX-512 and SHA-NI.
EARLIER = " (measured before, no bound)"
#: `rounds`: the figure of each, of which the median counts. `least`: it must be at least this; else at most.
Reach = namedtuple("Reach", "part what rounds needed least limit rest")


def rows(parts):
    """A row for each reach of the parts that were measured."""
    return [
        [
            reach.what, f"{shown(reach):.2f}", f"{min(reach.rounds):.2f} to {max(reach.rounds):.2f}",
            f"{'≥' if reach.least else '≤'} {reach.needed:g}",
            reach.limit, "yes" if met(reach) else "**no**", reach.rest,
        ]
        for reach in every(parts)
    ]


def shown(reach):
    """Rounded to our disadvantage, so that no reader sees a figure beside the wrong word."""
    rounded = math.floor if reach.least else math.ceil
    return rounded(median(reach.rounds) * 100) / 100


def met(reach):
    figure = median(reach.rounds)
    return figure >= reach.needed if reach.least else figure <= reach.needed


def every(parts):
    for name, of_part in OF_PARTS.items():
        if name in parts:
            yield from of_part(parts[name]["figures"])


def hashers(figures):
    for streams, needed in ((1, 3.0), (2, 5.5), (4, 7.0)):
        best = best_kernel(figures, streams)
        if best:
            yield Reach(
                "hashers", f"PBKDF2-HMAC-SHA256, {streams} at once ({best[0]}), against `hashlib`, per core",
                best[1], needed, True, {1: "3.1", 2: "6.0", 4: "7.8"}[streams] + EARLIER,
                {
                    1: "the latency of the SHA instructions, which follow each other",
                    2: "the second stream fills most of the gaps that the first leaves",
                    4: "the throughput of the SHA instructions, which need registers for four states at once",
                }[streams],
            )
    argon2 = figures["verify"]["argon2"]
    yield Reach(
        "hashers", "Argon2id, processor time against `argon2-cffi`", ratios(argon2, "djauth", "Django", "cpu"),
        0.6, False, "0.53" + EARLIER, "memory bandwidth: each lane is read and written twice",
    )


def best_kernel(figures, streams):
    """The fastest kernel for so many streams, and how many times hashlib's rate it has in each round."""
    kernels = figures.get("kernels", {})
    found = [
        (name, ratios(kernels, name, "hashlib", "rate")) for name in kernels if name.endswith(f", {streams} at once")
    ]
    best = max(found, key=lambda pair: median(pair[1]), default=None)
    return best and (best[0].split(",")[0], best[1])


def logins(figures):
    for kind, of in figures.items():
        yield Reach(
            "logins", f"logins a second of 32 visitors, {NAMES[kind]}, against the better Django",
            against(DJANGOS, lambda django: ratios(of["crowd"], "djauth", django, "rate")), 7.0, True,
            "the kernels' rate above", "the page, the form's checks and the commit of the session",
        )
        yield Reach(
            "logins", f"a lone login, {NAMES[kind]}, times as fast as the faster Django",
            against(DJANGOS, lambda django: ratios(of["alone"], django, "djauth", "p50")), 3.0, True,
            "3.1" + EARLIER, "one PBKDF2 cannot be split; the rest is the commit of the session and of `last_login`",
        )


def against(peers, of):
    """The rounds against the peer that does best beside us."""
    return min((of(peer) for peer in peers), key=median)


def verify(figures):
    bare = {"sqlite": "bare-sqlite", "postgres": "bare-postgres"}
    for kind, of in figures.items():
        quiet = of["quiet"]
        if kind not in bare:
            continue
        times = lambda name: against(DJANGOS, lambda django: ratios(quiet, name, django, "rate"))
        yield Reach(
            "verify", f"`verify`, {NAMES[kind]}, strict cache, against the better Django", times("djauth, strict"),
            {"sqlite": 75, "postgres": 50}[kind], True, f"{median(times(bare[kind])):.1f} (bare server)",
            {"sqlite": "HTTP itself, and `PRAGMA data_version` for the requests that come together",
             "postgres": "the round trip of the proof, shared by the requests that wait"}[kind],
        )
        if "Django, by itself" in quiet:
            yield Reach(
                "verify", "the same, against Django that opens its file anew for each request, as it does by itself",
                ratios(quiet, "djauth, strict", "Django, by itself", "rate"), 75, True,
                f"{ratio(quiet, bare[kind], 'Django, by itself', 'rate'):.1f} (bare server)", "the same",
            )
        yield Reach(
            "verify", f"`verify`, {NAMES[kind]}, strict cache, of the bare server",
            ratios(quiet, "djauth, strict", bare[kind], "rate"), 0.9, True, "1, if it shared its proofs too",
            "the limits, the request's name and its line in the log",
        )
        yield Reach(
            "verify", f"`verify`, {NAMES[kind]}, bounded cache, of hello world",
            ratios(quiet, "djauth, bounded", "hello", "rate"), 0.85, True, fields_alone(quiet),
            {"sqlite": "look-up, cookie, the limits, the line in the log, and the answer's own fields",
             "postgres": "the same, and the statements that prove 256 sessions at once"}[kind],
        )


def fields_alone(quiet):
    return f"{ratio(quiet, 'hello, our fields', 'hello', 'rate'):.2f} (hello world that sends our fields)"


def isolation(figures):
    for kind, of in figures.items():
        for storm in of:
            if storm.startswith("idle"):
                continue
            idle = "idle, Argon2" if storm.endswith("Argon2") else "idle"
            yield Reach(
                "isolation", f"99th percentile in a storm of logins ({storm}), {NAMES[kind]}, against idle",
                ratios(of, storm, idle, "p99"), 2.0, False, "1",
                rest_of_storm(storm),
            )


def rest_of_storm(storm):
    writes = "; the commits of the logins" if "right" in storm else ""
    return f"the pages of those who log in{writes}; a tenth of a millisecond until a hashing thread offers its core"


GROWTH = {
    "one statement": "deeper trees and colder memory",
    "strict": "colder memory: what is kept of many sessions does not fit into the processor's caches, and the table,"
              " the entry, the user and the session's data are fetched one after the other (on servers theirs too)",
    "strict over HTTP": "the same, of a request as a proxy sends it",
}


def growth(figures):
    for kind, of in figures.items():
        for mode, rest in GROWTH.items():
            axis, grown = steepest(of["requests"], mode)
            yield Reach(
                "growth", f"cost at the largest size against the smallest, {mode}, {NAMES[kind]} (most with: {axis})",
                grown, 1.2, False, "1", rest,
            )


def steepest(axes, mode):
    """With what the cost grows most, and how much."""
    growths = {name: growths_of(figures, mode) for name, figures in axes.items()}
    axis = max(growths, key=lambda name: median(growths[name]))
    return axis, growths[axis]


def growths_of(figures, mode):
    """How much dearer the largest size is than the smallest, in each round."""
    sizes = points(figures, mode)
    return ratios(figures, sizes[0], sizes[-1], "rate")


def spread(figures, mode):
    """The dearest size against the cheapest, whichever they are: noise widens it."""
    costs = [cost(figures, point) for point in points(figures, mode)]
    return max(costs) / min(costs)


def points(figures, mode):
    """By size."""
    return sorted((point for point in figures if point.endswith(f", {mode}")), key=lambda point: int(point.split(", ")[0]))


#: Milliseconds for pages of the admin at a million users, and what takes them.
ADMIN = (
    (("list, first page", "list, next page", "list, last page", "list, a group of 100", "list, a group of a fortieth",
      "list, a username"), 20, "an index serves them; the page itself"),
    (("list, by e-mail", "search, one found"), 1500, "no index of Django's serves them: one pass over the table"),
    (("search, all found",), 50, "what is found is counted up to 10,000"),
)


def admin(figures):
    for kind, of in figures.items():
        pages = of["pages"].get("1000000")
        for names, needed, rest in ADMIN if pages else ():
            took = {name: [seconds * 1e3 for seconds in column(pages[name], "djauth", "p50")] for name in names}
            slowest = max(took, key=lambda name: median(took[name]))
            yield Reach(
                "admin", f"milliseconds of the admin's pages at a million users, {NAMES[kind]} (slowest: {slowest})",
                took[slowest], needed, False, "", rest,
            )


OF_PARTS = {
    "hashers": hashers, "logins": logins, "verify": verify, "isolation": isolation, "growth": growth,
    "admin": admin,
}
