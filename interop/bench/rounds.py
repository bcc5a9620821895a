"""Rounds that take turns, and ratios that are taken within a round."""

import sys
from statistics import median


def interleaved(rounds, variants, title=""):
    """Runs each variant once a round, in turning order: what the machine does meanwhile hits all.

    A variant answers one figure, or a table of them. What comes back has a list for each variant.
    """
    names = list(variants)
    figures = {name: [] for name in names}
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            try:
                figures[name].append(variants[name]())
            except Exception as error:
                raise RuntimeError(f"{title}: {name} failed in round {number + 1}: {error}") from error
            say(f"{title}: round {number + 1} of {rounds}, {name}: {brief(figures[name][-1])}")
    return figures


def say(text):
    print(text, file=sys.stderr, flush=True)


def brief(figure):
    if isinstance(figure, dict):
        return ", ".join(f"{name} {brief(value)}" for name, value in figure.items() if value is not None)
    return f"{figure:,.4g}" if isinstance(figure, float) else str(figure)


def column(figures, variant, key=None):
    """The figures of a variant, one for each round."""
    return [figure if key is None else figure[key] for figure in figures[variant]]


def middle(figures, variant, key=None):
    return median(column(figures, variant, key))


def ratio(figures, variant, base, key=None):
    """How many times the base's figure a variant has: the median of the rounds' ratios."""
    return median(ratios(figures, variant, base, key))


def ratios(figures, variant, base, key=None):
    """One of each round."""
    pairs = zip(column(figures, variant, key), column(figures, base, key), strict=True)
    return [a / b for a, b in pairs]
