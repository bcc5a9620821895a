"""Rounds that take turns, medians of ratios, and tables."""

from statistics import median


def interleaved(rounds, variants):
    """Runs each variant once a round, in turning order: what the machine does meanwhile hits all."""
    names = list(variants)
    figures = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            figures[name].append(variants[name]())
    return figures


def ratio(figures, name, base):
    return median(a / b for a, b in zip(figures[name], figures[base]))


def show(title, head, rows):
    print(f"\n{title}\n")
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = [str(cell).ljust(width) for cell, width in zip(row, widths)]
        print("| " + " | ".join(cells) + " |", flush=True)
