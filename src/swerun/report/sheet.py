"""A table in words, for whatever it is shown on: a terminal, a page of markdown, as CSV. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO


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
    """Tables as GitHub shows them, each with its title before and its notes after it."""
    return "\n".join(line for sheet in sheets for line in _lines(sheet))


def _lines(sheet: Sheet) -> list[str]:
    head = [f"### {sheet.title}", ""] if sheet.title else []
    rows = [sheet.headings, ("---",) * len(sheet.headings), *sheet.rows] if sheet.rows else []
    table = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    notes = [f"{_cell(note)}  " for note in sheet.notes]
    return [*head, *table, *([""] if table else []), *notes, *([""] if notes else [])]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")


def csv_text(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return out.getvalue()
