"""BENCHMARKS.md and its pictures, from the results alone."""

from bench import behind, plots, reaches
from bench.plots import NAMES
from bench.sections import SECTIONS, table

INTRODUCTION = """\
# Benchmarks

<!-- Made by `cargo xtask bench` from docs/benchmarks/results.json; `cargo xtask bench --render` makes it anew. -->

`cargo xtask bench` measures djauth beside Django and its other peers, in one command on one machine, and writes
this page; `--full` adds the largest sizes; `--only PART` measures a part and leaves the other sections as they are. Variants take turns in
short rounds. What counts is the median of the ratios of a round, never the figures of one side: the machine
differs, and so does its mood. Answers are checked before anything is measured, and a server that fails or
crashes stops the run.

Servers, databases and visitors share the same cores. Private database servers, which the command starts itself, do
not wait for the disk; the file of SQLite is in the journal mode that Django leaves it in, and does. Django runs
under gunicorn (a process for each core, four threads each, connections that stay, also to SQLite's file, which it
opens anew for each request by itself) and under uvicorn (uvloop and httptools, psycopg's pool). djauth runs as it comes, with its access log.
"""


def write(parts, page, folder):
    """`parts`: what each part measured, by its name."""
    folder.mkdir(parents=True, exist_ok=True)
    page.parent.mkdir(parents=True, exist_ok=True)
    for name, drawing in plots.all_of(parts).items():
        (folder / name).write_text(drawing)
    page.write_text("\n".join(pieces(parts)))


def pieces(parts):
    yield INTRODUCTION
    yield from taken(parts)
    rows = reaches.rows(parts)
    if rows:
        yield "## What was to be reached\n"
        yield table(["what", "measured", "its rounds", "to reach", "limit", "reached", "what takes the rest"], rows)
    lost = list(behind.lines(parts))
    if lost:
        yield "## Where we lose\n"
        yield "\n".join(lost) + "\n"
    for name in SECTIONS:
        if name in parts:
            yield section(name, parts[name])


def section(name, part):
    if name not in SECTIONS:
        return f"{name}: {part['figures']}"
    title, write_it = SECTIONS[name]
    whens = [when(part["taken"]), *(f"{NAMES[kind]}: {when(facts)}" for kind, facts in part["earlier"].items())]
    return "\n".join([f"## {title}\n", *write_it(part["figures"]), f"({'; '.join(whens)}.)\n"])


def when(facts):
    how_long = f" of {facts['seconds']} s" if facts["seconds"] else ""
    return f"{facts['date']}, {count(facts['rounds'], 'round')}{how_long}, commit {facts['commit']}"


def count(number, what):
    return f"{number} {what}" + ("s" if number != 1 else "")


def taken(parts):
    """Machine and versions, once for all parts that share them."""
    groups = {}
    for name in SECTIONS:
        if name in parts:
            facts = parts[name]["taken"]
            groups.setdefault(machine(facts) + "\n\n" + versions(facts), []).append(SECTIONS[name][0])
    for facts, titles in groups.items():
        which = "" if len(groups) == 1 else f"**{', '.join(titles)}**: "
        yield f"{which}{facts}\n"


def machine(facts):
    memory = facts["memory"] / 2**30
    return f"{count(facts['cores'], 'core')} of {facts['processor']}, {memory:.0f} GiB, {facts['system']}{'' if facts.get('autogroup', True) else ' without autogroups'}."


def versions(facts):
    return ", ".join(f"{name} {version}" for name, version in facts["versions"].items()) + "."
