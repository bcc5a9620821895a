"""Plain drawings in SVG: lines over a logarithmic axis, dots, and bars. The same data gives the same bytes."""

import math
from html import escape

STYLE = """
text { font: 13px system-ui, sans-serif; fill: var(--ink) }
.title { font-size: 15px; font-weight: 600 }
.small { font-size: 12px; fill: var(--soft) }
.end { text-anchor: end } .middle { text-anchor: middle }
.ground { fill: var(--ground) }
.grid { stroke: var(--line); stroke-width: 1 }
.axis { stroke: var(--soft); stroke-width: 1 }
.s0 { --c: var(--c0) } .s1 { --c: var(--c1) } .s2 { --c: var(--c2) } .s3 { --c: var(--c3) }
.path { stroke: var(--c); fill: none; stroke-width: 2 } .mark { fill: var(--c) }
.s1.path { stroke-dasharray: 7 4 }
:root { --ground: #ffffff; --ink: #1f2328; --soft: #57606a; --line: #e3e6ea;
  --c0: #0b62c4; --c1: #b34700; --c2: #5f6b76; --c3: #1a7f37 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #0d1117; --ink: #e6edf3; --soft: #9aa5b1; --line: #2b323b;
    --c0: #6cb0ff; --c1: #ffa45c; --c2: #aab4bf; --c3: #56d364 }
}
"""


class Drawing:
    def __init__(self, width, height, title, description):
        self.width, self.height = width, height
        self.title, self.description = title, description
        self.items = []

    def add(self, name, css, content=None, **attributes):
        written = "".join(f' {key.replace("_", "-")}="{number(value)}"' for key, value in attributes.items())
        end = "/>" if content is None else f">{escape(content)}</{name}>"
        self.items.append(f'<{name} class="{css}"{written}{end}')

    def text(self, x, y, content, css=""):
        self.add("text", css, content, x=x, y=y)

    def line(self, x1, y1, x2, y2, css):
        self.add("line", css, x1=x1, y1=y1, x2=x2, y2=y2)

    def path(self, points, css):
        steps = " ".join(f"{'L' if n else 'M'}{number(x)} {number(y)}" for n, (x, y) in enumerate(points))
        self.add("path", css, d=steps)

    def mark(self, x, y, series, shape=None):
        """Series differ in shape too, not in colour alone."""
        css, shape = f"s{series} mark", series if shape is None else shape
        if shape == 0:
            self.add("circle", css, cx=x, cy=y, r=4.5)
        elif shape == 1:
            self.add("rect", css, x=x - 4, y=y - 4, width=8, height=8)
        else:
            self.add("path", css, d=f"M{number(x)} {number(y - 5.5)}l5 9h-10z")

    def __str__(self):
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
            f' width="{self.width}" height="{self.height}" role="img" aria-labelledby="t d">',
            f'<title id="t">{escape(self.title)}</title>',
            f'<desc id="d">{escape(self.description)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="ground" width="{self.width}" height="{self.height}" rx="6"/>',
            *self.items,
            "</svg>\n",
        ])


def number(value):
    return f"{value:.1f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


class Scale:
    """From values to places, by logarithm."""

    def __init__(self, low, high, start, end):
        self.low, self.high = math.log10(low), math.log10(high)
        self.start, self.end = start, end

    def __call__(self, value):
        share = (math.log10(value) - self.low) / ((self.high - self.low) or 1)
        return self.start + share * (self.end - self.start)

    def decades(self):
        first, last = math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9)
        return [10.0**power for power in range(first, last + 1)]


class Even:
    """From values to places, from zero."""

    def __init__(self, high, start, end):
        self.high, self.start, self.end = high, start, end

    def __call__(self, value):
        return self.start + value / self.high * (self.end - self.start)

    def steps(self):
        size = 10 ** math.floor(math.log10(self.high))
        size = next(size * part for part in (0.1, 0.2, 0.25, 0.5, 1, 2, 2.5) if self.high / (size * part) <= 5)
        return [n * size for n in range(int(self.high / size + 1e-9) + 1)]


def short(value):
    """1k, 10k, 1M; 0.3, 12."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
