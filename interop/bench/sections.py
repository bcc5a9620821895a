"""The page's sections: tables of what each part measured."""

from statistics import median

from bench.data import GROUPS, GROUPS_OF_USER, PERMISSIONS, USERS
from bench.load import CONNECTIONS
from bench.plots import NAMES, cost, modes
from bench.reaches import growths_of, spread
from bench.rounds import column, middle, ratio

MIB = 2**20


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def milliseconds(seconds):
    return f"{seconds * 1e3:,.1f} ms"


def hashers(figures):
    yield "One verification at Django's default cost, wall and processor time; a ratio above 1 is in our favour.\n"
    rows = []
    for algorithm, of in figures["verify"].items():
        for name in [name for name in of if name != "Django"]:
            rows.append([
                algorithm, name,
                *(milliseconds(middle(of, side, key)) for key in ("wall", "cpu") for side in ("Django", name)),
                *(f"{ratio(of, 'Django', name, key):.2f}" for key in ("wall", "cpu")),
            ])
    yield table(
        ["hasher", "by", "Django, wall", "this, wall", "Django, CPU", "this, CPU", "times as fast", "times less CPU"], rows
    )
    if "kernels" in figures:
        yield from kernels(figures["kernels"])


def kernels(figures):
    yield (
        "PBKDF2-HMAC-SHA256 on one core, so many passwords given to a kernel at once; those that it does not"
        " interleave take turns:\n"
    )
    rows = [
        [name, f"{middle(figures, name, 'rate'):.2f}", f"{ratio(figures, name, 'hashlib', 'rate'):.2f}"]
        for name in figures
    ]
    yield table(["", "passwords a second", "times `hashlib`"], rows)


def logins(figures):
    yield (
        "A login is the page with its form and then the form, by a new visitor over a connection that stays,"
        " at Django's default cost. Django has no limits of failed logins; ours are lifted for this"
        " (`LOGIN_RATE_LIMIT_PER_NETWORK` and `…_PER_USERNAME` empty), and it speaks English alone, as the Django project does.\n"
    )
    for kind, of in figures.items():
        yield f"32 visitors at once, {NAMES[kind]}:\n"
        crowd, alone, django = of["crowd"], of["alone"], "Django, gunicorn"
        yield table(
            ["server", "logins/s", "times Django", "logins per CPU second", "times Django", "median wait"],
            [[
                name, f"{middle(crowd, name, 'rate'):.1f}", f"{ratio(crowd, name, django, 'rate'):.2f}",
                f"{middle(crowd, name, 'per cpu second'):.2f}", f"{ratio(crowd, name, django, 'per cpu second'):.2f}",
                milliseconds(middle(crowd, name, "p50")),
            ] for name in crowd],
        )
        driver = max(max(column(crowd, name, "driver")) for name in crowd)
        yield f"The visitors themselves took at most {driver:.0%} of the machine.\n"
        yield f"One visitor alone, {NAMES[kind]}, from the form sent to the answer:\n"
        yield table(
            ["server", "login", "times as fast"],
            [[name, milliseconds(middle(alone, name, "p50")), f"{ratio(alone, django, name, 'p50'):.2f}"] for name in alone],
        )


def verify(figures):
    yield (
        f"{USERS:,} users with a session each, {GROUPS} groups, {PERMISSIONS} permissions, {GROUPS_OF_USER} groups a"
        f" user; {CONNECTIONS} connections of wrk on the same cores, for a second before each measurement too. \"One statement\" has the cache off. Strict"
        " proves at each request that nothing has changed, bounded at most two seconds ago; on a server both want"
        " `djauth cache install`. `bare-…`, `hello` and `axum-login` are in `interop/peers`;"
        " \"hello, our fields\" is hello world that sends the header fields of our answer, and nothing else."
        " Bounded answers here without a wait and without the router, as it does where one permission is asked for and"
        " the settings name no rules and no further fields (`views::verify_at_once`); anything else takes the ordinary way.\n"
    )
    for kind, of in figures.items():
        yield f"![Requests a second on {NAMES[kind]}](docs/benchmarks/verify-{kind}.svg)\n"
        quiet, django = of["quiet"], "Django, gunicorn"
        yield table(
            [f"{NAMES[kind]}", "requests/s", "times Django", "of hello", "median", "99 %"],
            [[
                name, f"{middle(quiet, name, 'rate'):,.0f}", f"{ratio(quiet, name, django, 'rate'):.1f}",
                f"{ratio(quiet, name, 'hello', 'rate'):.0%}", f"{middle(quiet, name, 'p50'):.2f} ms",
                f"{middle(quiet, name, 'p99'):.2f} ms",
            ] for name in quiet],
        )
        yield "While another process saves users at random, one at a time:\n"
        mixes = [name for name in of if name.endswith(" changes")]
        yield table(
            [NAMES[kind], "quiet", *(f"{of[mix + ' made']:.0f} changes/s" for mix in mixes)],
            [
                [name, f"{middle(quiet, name, 'rate'):,.0f}", *(f"{middle(of[mix], name, 'rate'):,.0f}" for mix in mixes)]
                for name in of[mixes[0]]
            ],
        )


def in_process(figures):
    yield "Session, user and one permission without HTTP. Django in one process, which cannot use more than a core.\n"
    for kind, of in figures.items():
        yield table(
            [NAMES[kind], "requests/s", "times Django"],
            [[name, f"{middle(of, name, 'rate'):,.0f}", f"{ratio(of, name, 'Django', 'rate'):.1f}"] for name in of],
        )


def isolation(figures):
    yield (
        "Two connections ask without a pause while 32 visitors log in without a pause, with the settings as they"
        " come. Right passwords also write sessions and `last_login`; SQLite's file is in the mode (WAL) that djauth"
        " gives its own: in the mode that Django leaves, each commit shuts readers out. The two connections take what"
        " the machine has, and hashing gets the rest: without them there are as many logins as stand under Logins.\n"
    )
    for kind, of in figures.items():
        yield f"![Latency on {NAMES[kind]}](docs/benchmarks/latency-{kind}.svg)\n"
        rows = []
        for name in of:
            idle = "idle, Argon2" if name.endswith("Argon2") else "idle"
            hashes = f"{middle(of, name, 'hashes'):.1f}" if name != idle else ""
            rows.append([
                name, *(f"{middle(of, name, key):.2f} ms" for key in ("p50", "p99", "p999")),
                f"{ratio(of, name, idle, 'p99'):.2f}", hashes,
            ])
        yield table([NAMES[kind], "median", "99 %", "99.9 %", "99 %, times idle", "logins/s meanwhile"], rows)


def growth(figures):
    yield (
        "One request in process (session, user, one permission), microseconds from one to the next with 16 tasks;"
        " and `GET /auth/verify` over HTTP from 16 connections, whose client shares the cores."
        " The rest stays as it is: 10,000 users and sessions, 50 groups, 200 permissions; 1,000 sessions, of as many"
        " users, where users grow; 1,000 users and sessions where the groups of a user grow. The cache is large enough for all (`AUTH_CACHE_MAX_BYTES`; its default holds"
        " about 40,000 sessions, and what it does not hold costs one statement). \"Growth\" is the largest size against the"
        " smallest, as the median of the rounds' ratios; \"spread\" the dearest median against the cheapest, which the"
        " noise of short rounds widens. What grows in process with the sessions, strict on SQLite, is the time to memory:"
        " a request makes six or seven fetches that wait for each other (the table's index, its slot, the entry, the"
        " user, the session's data), and beyond the processor's caches each takes a tenth of a microsecond and more. By"
        " cachegrind the instructions stay the same within 2 %, and about eight lines more miss the first cache. A"
        " database server fetches the session's row as well, down an index that grows deeper.\n"
    )
    for kind, of in figures.items():
        yield f"![Growth on {NAMES[kind]}](docs/benchmarks/growth-{kind}.svg)\n"
        rows = []
        for axis, points in of["requests"].items():
            for mode in modes(points):
                costs = [f"{point.split(', ')[0]}: {cost(points, point):.1f}" for point in points if point.endswith(f", {mode}")]
                rows.append([axis, mode, "; ".join(costs), f"{median(growths_of(points, mode)):.2f}", f"{spread(points, mode):.2f}"])
        yield table([NAMES[kind], "", "µs a request", "growth", "spread"], rows)
        yield from commands(kind, of)


def commands(kind, of):
    users = of["with_perm"]
    yield f"Whole tables on {NAMES[kind]}:\n"
    rows = [
        [f"`with_perm`, {int(size):,} users, by djauth", f"{one['seconds']:.2f} s", f"{one['peak'] / MIB:.0f} MiB at most", ""]
        for size, one in users.items()
    ]
    rows += [
        [f"`with_perm`, {int(size):,} users, by Django", f"{one['Django']:.2f} s", "", ""]
        for size, one in users.items() if "Django" in one
    ]
    cleared, calm = of["clearsessions"], of["clearsessions"]["calm"]["login"]
    for name in ("djauth", "Django"):
        login = cleared[name]["login"]
        rows.append([
            f"`clearsessions` of {cleared['sessions']:,} by {name}", f"{cleared[name]['seconds']:.2f} s", "",
            f"logins of 4 visitors: median {milliseconds(login['p50'])}, longest {milliseconds(login['longest'])}"
            f" (else {milliseconds(calm['p50'])}, {milliseconds(calm['longest'])})",
        ])
    for name in ("djauth", "Django"):
        first, again = of["models"][name]
        rows.append([f"permissions of {of['models']['models']:,} models by {name}", f"{first:.2f} s", "", f"again: {again:.2f} s"])
    yield table(["what", "time", "memory", "meanwhile"], rows)


def admin(figures):
    yield (
        "One visitor who may do everything, over a connection that stays: from the request sent to the whole page"
        " there; a page is asked for up to 15 times a round, of which the median counts, and the slowest of djauth's. Djauth's admin counts a list to 10,000 and says that there"
        " are more; Django's counts all of it, and all of what is found. Both show the same names in the same order. There are 50 groups"
        " and about 400 permissions; a save changes one field, its page with the form not counted.\n"
    )
    django, ours = "Django, gunicorn", "djauth"
    for kind, of in figures.items():
        sizes = of["pages"]
        of_size = lambda page, size: [
            *(milliseconds(middle(sizes[size][page], name, "p50")) for name in (django, ours)),
            milliseconds(middle(sizes[size][page], ours, "longest")),
            f"{ratio(sizes[size][page], django, ours, 'p50'):.1f}",
        ]
        heads = [head for size in sizes for head in (f"Django, {int(size):,} users", f"djauth, {int(size):,}", "slowest", "times as fast")]
        pages = next(iter(sizes.values()))
        yield table([NAMES[kind], *heads], [[page, *(cell for size in sizes for cell in of_size(page, size))] for page in pages])
    yield "What a page weighs, in kB without compression; with its style and scripts, without Django's pictures:\n"
    kB = lambda count: f"{count / 1000:.1f}"
    row = lambda of: [cell for name in (django, ours) for cell in (kB(of[f"{name}, bytes"]["page"]), kB(sum(of[f"{name}, bytes"].values())))]
    pages = list(next(iter(figures.values()))["pages"].values())[-1]
    yield table(["", "Django, page", "with all", "djauth, page", "with all"], [[page, *row(of)] for page, of in pages.items() if of[f"{ours}, bytes"]["page"]])


def footprint(figures):
    start, memory, disk = figures["start"], figures["memory"], figures["disk"]
    django, ours = "Django, gunicorn", "djauth"
    yield (
        "On SQLite. Memory is what is resident, with pages that processes share counted once, seen in one run of"
        " `verify`; whoever hashes Argon2 keeps its memory besides (`HASHING_MEMORY`).\n"
    )
    row = lambda what, show, a, b: [what, show(a), show(b), f"{a / b:.1f}"]
    size = lambda count: f"{count / MIB:.1f} MiB"
    medians = [middle(start, name, "seconds") for name in (django, ours)]
    yield table(
        ["", "Django, gunicorn, a process for each core", "djauth", "times less"],
        [
            row("from start to the login page", milliseconds, *medians),
            *(row(f"memory, {key}", size, memory[django][key], memory[ours][key]) for key in ("idle", "loaded")),
            row("installed (Django: packages without Python and drivers)", size, disk[django], disk[ours]),
            row("installed, with Python's own library", size, disk[django] + disk["python"], disk[ours]),
        ],
    )


def functions(figures):
    yield (
        "Instructions of one call after the first, as valgrind counts them on a processor of its own without SHA"
        " instructions. On a quiet machine they hardly differ from run to run, so that they show what a change of the"
        " code has done (on a busy one threads wait for each other, which counts too: see `nothing`): `cargo xtask bench --only functions --quick` compares with these. `nothing` is the"
        " measurement's own share.\n"
    )
    yield table(["function", "instructions"], [[f"`{name}`", f"{count:,.0f}"] for name, count in figures.items()])


SECTIONS = {
    "hashers": ("Passwords", hashers),
    "logins": ("Logins", logins),
    "verify": ("Authenticated requests over HTTP", verify),
    "in-process": ("Authenticated requests in process", in_process),
    "isolation": ("Requests while others log in", isolation),
    "growth": ("Growth", growth),
    "admin": ("The admin", admin),
    "footprint": ("Footprint", footprint),
    "functions": ("Single functions", functions),
}
