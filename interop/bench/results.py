"""What was measured, as JSON: raw figures of every round, from which the page is drawn."""

import json
import os
import re
from pathlib import Path

from suite.databases import KINDS

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "docs/benchmarks/results.json"


class Results:
    """One table for each part, with what it was measured on."""

    def __init__(self, path):
        self.path = path
        self.parts = json.loads(path.read_text())["parts"] if path.exists() else {}

    def put(self, part, taken, figures):
        """Replaces the part's figures; those of databases that were not measured now stay, with what
        they were measured on."""
        before, earlier = self.parts.get(part), {}
        if before and set(before["figures"]) | set(figures) <= set(KINDS):
            kept = {kind: of for kind, of in before["figures"].items() if kind not in figures}
            earlier = {kind: before["earlier"].get(kind, before["taken"]) for kind in kept}
            figures = {kind: (kept | figures)[kind] for kind in KINDS if kind in kept | figures}
        self.parts[part] = {"taken": taken, "earlier": earlier, "figures": figures}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"parts": rounded(self.parts)}, indent=1)
        temporary = self.path.with_suffix(".new")
        temporary.write_text(compact(text) + "\n")
        temporary.replace(self.path)


def rounded(value):
    """Six digits are more than anybody can measure here."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    return [rounded(inner) for inner in value] if isinstance(value, list) else value


def compact(text):
    """Lists of plain figures on one line."""
    squeeze = lambda match: re.sub(r"\s+", " ", match[0])
    return re.sub(r"\[[^\[\]{}\"]*\]|\{[^{}\[\]]*\}", squeeze, text)


def place(quick):
    """A rough look leaves what is committed alone."""
    if not quick:
        return COMMITTED, ROOT / "BENCHMARKS.md", COMMITTED.parent
    folder = Path(os.environ["DJAUTH_BENCH_TARGET"])
    return folder / "results.json", folder / "BENCHMARKS.md", folder / "docs/benchmarks"
