"""Where we lose: everything that is measured beside a peer and is slower or larger here."""

from bench.plots import NAMES
from bench.reaches import DJANGOS
from bench.rounds import ratio


def lines(parts):
    """A sentence for each; a ratio is ours against theirs, and more is worse."""
    for name, compare in COMPARISONS.items():
        if name in parts:
            yield from (f"- {what}: {times:.2f} times as much." for what, times in compare(parts[name]["figures"]) if times > 1.005)


def hashers(figures):
    for algorithm, of in figures["verify"].items():
        for peer in of:
            if peer != "djauth":
                yield f"Processor time of `{algorithm}`, beside {peer}", ratio(of, "djauth", peer, "cpu")
                yield f"Time of `{algorithm}`, beside {peer}", ratio(of, "djauth", peer, "wall")


def logins(figures):
    for kind, of in figures.items():
        for django in DJANGOS:
            yield f"Time of a lone login, {NAMES[kind]}, beside {django}", ratio(of["alone"], "djauth", django, "p50")


def verify(figures):
    """Hello world and the bare servers do less; axum-login and Django do the same."""
    for kind, of in figures.items():
        for load in [load for load in of if not load.endswith("made")]:
            ours = [name for name in of[load] if name.startswith("djauth")]
            theirs = [name for name in (*DJANGOS, "axum-login") if name in of[load]]
            for name, peer in ((name, peer) for name in ours for peer in theirs):
                yield f"Time of `verify`, {NAMES[kind]}, {load}, {name}, beside {peer}", ratio(of[load], peer, name, "rate")
            if "djauth, strict" in of[load]:
                yield (
                    f"Time of `verify`, {NAMES[kind]}, {load}, with the strict cache beside one statement without it",
                    ratio(of[load], "djauth, one statement", "djauth, strict", "rate"),
                )


def growth(figures):
    for kind, of in figures.items():
        cleared, models = of["clearsessions"], of["models"]
        yield f"Time of `clearsessions`, {NAMES[kind]}, beside Django", cleared["djauth"]["seconds"] / cleared["Django"]["seconds"]
        for number, when in enumerate(("permissions that are new", "permissions that are there")):
            yield f"Time of {when}, {NAMES[kind]}, beside Django", models["djauth"][number] / models["Django"][number]


def admin(figures):
    for kind, of in figures.items():
        for size, pages in of["pages"].items():
            for page, times in pages.items():
                yield f"Time of the admin's page \"{page}\", {int(size):,} users, {NAMES[kind]}, beside Django", ratio(times, "djauth", "Django, gunicorn", "p50")


def footprint(figures):
    django, ours = "Django, gunicorn", "djauth"
    yield "Time from start to the login page", ratio(figures["start"], ours, django, "seconds")
    for key in ("idle", "loaded"):
        yield f"Memory, {key}", figures["memory"][ours][key] / figures["memory"][django][key]
    yield "Installed bytes, beside Django's packages without Python", figures["disk"][ours] / figures["disk"][django]


COMPARISONS = {
    "hashers": hashers, "logins": logins, "verify": verify, "growth": growth, "admin": admin,
    "footprint": footprint,
}
