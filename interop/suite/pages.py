"""What stands on a page, for both sides alike: forms as a browser would send them, and rows of tables."""

import re
from html import unescape


class Sheet:
    """A form: what it would send if nobody touched it."""

    def __init__(self, attributes):
        self.method = attributes.get("method", "get").lower()
        self.values = {}
        self.names = set()  # also of what would send nothing as it is
        self.invalid = set()

    def keep(self, name, value):
        self.values.setdefault(name, []).append(value)

    def field(self, tag, attributes):
        name, kind = attributes.get("name"), attributes.get("type", "text")
        if not name or kind in ("submit", "button", "reset") or tag == "button":
            return
        self.names.add(name)
        if attributes.get("aria-invalid") == "true":
            self.invalid.add(field_of(name))
        if tag == "input" and (kind not in ("checkbox", "radio") or "checked" in attributes):
            self.keep(name, attributes.get("value", "on" if kind == "checkbox" else ""))

    def filled(self, changes):
        """With other values; each field must be there."""
        missing = set(changes) - self.names
        assert not missing, f"no {missing} among {self.names}"
        values = {**self.values, **changes}
        return [(name, value) for name, chosen in values.items() for value in chosen]


#: The tags that matter, with their attributes; Python's own parser takes several times as long.
TAG = re.compile(
    r"<(/?)(form|input|select|option|button|table|tbody|tr|td|th)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*)>", re.I)
ATTRIBUTE = re.compile(r"""([\w:-]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?""")
ANY_TAG = re.compile(r"<[^>]*>")


class Reader:
    def __init__(self, text):
        self.sheets, self.rows = [], []
        self.select = self.cell = None
        self.text = text
        for found in TAG.finditer(text):
            end, tag = found[1], found[2].lower()
            self.ends(tag, found.start()) if end else self.begins(tag, attributes(found[3]), found)

    def begins(self, tag, has, found):
        if tag == "form":
            self.sheets.append(Sheet(has))
        elif tag in ("input", "select", "button") and self.sheets:
            self.sheets[-1].field(tag, has)
            self.select = has.get("name") if tag == "select" else self.select
        elif tag == "option" and self.select and "selected" in has and self.sheets:
            self.sheets[-1].keep(self.select, has["value"])
        elif tag in ("tr", "td", "th"):
            self.close_cell(found.start())
            if tag == "tr":
                self.rows.append([])
            elif self.rows:
                self.cell = found.end()

    def ends(self, tag, place):
        if tag == "select":
            self.select = None
        elif tag in ("td", "th", "tr", "tbody", "table"):
            self.close_cell(place)

    def close_cell(self, place):
        """HTML leaves it open until the next one begins."""
        if self.cell is not None:
            text = unescape(ANY_TAG.sub("", self.text[self.cell:place]))
            self.rows[-1].append(" ".join(text.split()))
            self.cell = None


def attributes(text):
    return {name.lower(): unescape(value.strip("\"'")) for name, value in ATTRIBUTE.findall(text)}


def field_of(name):
    """Dates and times are two inputs of one field."""
    return name[:-2] if name.endswith(("_0", "_1")) else name


def read(page):
    return Reader(page.text)


def sheet_in(page):
    """The form that the page is about: of those that are posted, the one with most fields."""
    posted = [sheet for sheet in read(page).sheets if sheet.method == "post"]
    assert posted, f"no form: {page}"
    return max(posted, key=lambda sheet: len(sheet.names))


def rows_in(page):
    """The texts of the cells of each row that has data."""
    return [row for row in read(page).rows if row]
