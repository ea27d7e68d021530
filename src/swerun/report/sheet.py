"""A table in words, for whatever it is shown on: a terminal, a page of markdown, as CSV. Pure."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

# what begins something in CommonMark or in GitHub's dialect of it, wherever in a line it is: an
# escape, code, emphasis, a link or picture, HTML, an entity, a column, mathematics
MARKUP = re.compile(
    r"[\\`*~\[<&|$]"
    r"|(?<![A-Za-z0-9_])_+|_+(?![A-Za-z0-9_])"  # within a word it begins nothing
    r"|(?<=:)//|(?<=www)\."  # an address becomes a link by itself
)
# and at its beginning: a heading, a list, a quotation, a row of rules
BEGINNING = re.compile(r"[#+=:>-]|(?<=\d)[.)]")
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet computes, also after white space


@dataclass(frozen=True, slots=True)
class Sheet:
    """`rows` are as wide as `headings`; the first column says what a row is."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()

    def turned(self) -> Sheet:
        """Its rows as columns."""
        columns = list(zip(self.headings, *self.rows, strict=True))
        return Sheet(self.title, columns[0], tuple(columns[1:]), self.notes)


def markdown(sheets: Iterable[Sheet]) -> str:
    """Tables as GitHub shows them, each with its title before and its notes after it.

    All text in them is shown as it is, whoever wrote it: nothing of it is markup.
    """
    return "\n".join(line for sheet in sheets for line in _lines(sheet))


def _lines(sheet: Sheet) -> list[str]:
    head = [f"### {_line(sheet.title)}", ""] if sheet.title else []
    rows = [sheet.headings, ("---",) * len(sheet.headings), *sheet.rows] if sheet.rows else []
    table = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    notes = [f"{_line(note)}  " for note in sheet.notes]
    return [*head, *table, *([""] if table else []), *notes, *([""] if notes else [])]


def _cell(text: str) -> str:
    return "<br>".join(MARKUP.sub(_escaped, line) for line in text.splitlines())


def _line(text: str) -> str:
    """A line of its own: what begins it, or ends a title, is text too."""
    shown = _cell(text.strip())
    closing = re.sub(r"#+$", _escaped, shown)
    return re.sub(rf"^\d*({BEGINNING.pattern})", lambda m: f"{m[0][:-1]}\\{m[0][-1]}", closing)


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\{character}" for character in found[0])


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """With a `'` before text that a spreadsheet would compute; numbers are numbers."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([_inert(value) for value in row] for row in (headings, *rows))
    return out.getvalue()


def _inert(value: object) -> object:
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n").replace("\r", "\n")  # which csv would not quote
    if not value.lstrip().startswith(FORMULA):
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value
