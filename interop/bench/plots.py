"""The pictures of growth, latency and requests a second."""

import math
from statistics import median

from bench.rounds import middle
from bench.svg import Drawing, Even, Scale, short

NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL", "mariadb": "MariaDB"}


def all_of(parts):
    """File names and drawings."""
    drawn = {}
    for kind, figures in figures_of(parts, "verify").items():
        drawn[f"verify-{kind}.svg"] = rates(kind, figures["quiet"])
    for kind, figures in figures_of(parts, "isolation").items():
        drawn[f"latency-{kind}.svg"] = latency(kind, figures)
    for kind, figures in figures_of(parts, "growth").items():
        drawn[f"growth-{kind}.svg"] = growth(kind, figures["requests"])
    return drawn


def figures_of(parts, name):
    return parts[name]["figures"] if name in parts else {}


def rates(kind, figures):
    """A bar for each server."""
    names = sorted(figures, key=lambda name: middle(figures, name, "rate"))
    width, left, top, step = 760, 190, 62, 30
    drawing = Drawing(
        width, top + step * len(names) + 20, f"Requests a second on {NAMES[kind]}",
        "; ".join(f"{name}: {middle(figures, name, 'rate'):,.0f}" for name in names),
    )
    drawing.text(20, 28, f"GET /auth/verify on {NAMES[kind]}: requests a second", "title")
    x = Even(max(middle(figures, name, "rate") for name in names), left, width - 90)
    for value in x.steps():
        drawing.line(x(value), top - 8, x(value), top + step * len(names), "grid")
        drawing.text(x(value), top - 14, short(value), "small middle")
    for row, name in enumerate(names):
        value, y = middle(figures, name, "rate"), top + row * step
        series = 0 if name.startswith("djauth") else 1 if name.startswith("Django") else 2
        drawing.text(left - 10, y + 15, name, "end")
        drawing.add("rect", f"s{series} mark", x=left, y=y + 2, width=max(x(value) - left, 1.0), height=18, rx=2)
        drawing.text(x(value) + 7, y + 16, f"{value:,.0f}", "small")
    return str(drawing)


def latency(kind, figures):
    """Median, 99th and 99.9th percentile, idle and in storms."""
    names, keys = list(figures), ("p50", "p99", "p999")
    values = [middle(figures, name, key) for name in names for key in keys]
    width, left, top, step = 760, 200, 92, 34
    x = Scale(*around(values), left, width - 40)
    drawing = Drawing(
        width, top + step * len(names) + 14, f"Latency on {NAMES[kind]} while others log in",
        "; ".join(f"{name}: " + ", ".join(f"{key} {middle(figures, name, key):.3g} ms" for key in keys) for name in names),
    )
    drawing.text(20, 28, f"GET /auth/verify on {NAMES[kind]}: milliseconds", "title")
    for series, (key, label) in enumerate(zip(keys, ("median", "99 %", "99.9 %"), strict=True)):
        drawing.mark(left + 6 + series * 110, 46, series)
        drawing.text(left + 18 + series * 110, 51, label, "small")
    for value in ticks(x):
        drawing.line(x(value), top - 10, x(value), top + step * len(names), "grid")
        drawing.text(x(value), top - 16, short(value), "small middle")
    for row, name in enumerate(names):
        y = top + row * step + 12
        drawing.text(left - 12, y + 4, name, "end")
        low, *_, high = sorted(middle(figures, name, key) for key in keys)
        drawing.line(x(low), y, x(high), y, "axis")
        for series, key in enumerate(keys):
            drawing.mark(x(middle(figures, name, key)), float(y), series)
    return str(drawing)


def ticks(scale):
    """The decades, and what lies between them where there are few."""
    decades = scale.decades()
    if len(decades) > 2:
        return decades
    parts = [base * part for base in [10.0**power for power in range(-4, 6)] for part in (1, 2, 5)]
    return [value for value in parts if scale.low <= math.log10(value) <= scale.high]


def around(values):
    """A little more than what there is."""
    return min(values) / 1.3, max(values) * 1.3


def growth(kind, axes):
    """A panel for each thing that grows: microseconds of a request over its number."""
    width, panel_width, panel_height = 760, 330, 200
    drawing = Drawing(
        width, 60 + 2 * (panel_height + 40), f"Growth on {NAMES[kind]}",
        "; ".join(f"{name}, {series}: {described(axes[name], series)}" for name in axes for series in modes(axes[name])),
    )
    drawing.text(20, 28, f"One request on {NAMES[kind]}: microseconds", "title")
    for series, name in enumerate(modes(next(iter(axes.values())))):
        drawing.mark(400 + series * 120, 23, series)
        drawing.text(412 + series * 120, 28, name, "small")
    highest = max(cost(figures, point) for figures in axes.values() for point in figures) * 1.1
    for number, (name, figures) in enumerate(axes.items()):
        column, row = number % 2, number // 2
        panel(drawing, name, figures, highest, 20 + column * (panel_width + 40), 50 + row * (panel_height + 40), panel_width, panel_height)
    return str(drawing)


def panel(drawing, name, figures, highest, left, top, width, height):
    sizes = sorted({int(point.split(", ")[0]) for point in figures})
    x = Scale(sizes[0], sizes[-1], left + 46, left + width - 10)
    y = Even(highest, top + height - 22, top + 26)
    drawing.text(left, top + 12, name)
    for value in y.steps():
        drawing.line(left + 40, y(value), left + width, y(value), "grid")
        drawing.text(left + 34, y(value) + 4, short(value), "small end")
    for size in sizes:
        drawing.text(x(size), top + height - 4, short(size), "small middle")
    for series, mode in enumerate(modes(figures)):
        points = [(x(size), y(cost(figures, f"{size}, {mode}"))) for size in sizes if f"{size}, {mode}" in figures]
        drawing.path(points, f"s{series} path")
        for place in points:
            drawing.mark(*place, series)


def modes(figures):
    return list(dict.fromkeys(point.split(", ")[1] for point in figures))


def cost(figures, point):
    """Microseconds from one request to the next, all tasks together."""
    return median(1e6 / figure["rate"] for figure in figures[point])


def described(figures, mode):
    points = [point for point in figures if point.endswith(f", {mode}")]
    return ", ".join(f"{point.split(', ')[0]}: {cost(figures, point):.3g}" for point in points)
