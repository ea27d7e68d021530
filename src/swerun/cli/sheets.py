"""Sheets on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from swerun.cli.printable import plain

if TYPE_CHECKING:
    from rich.console import Console

    from swerun.report.sheet import Sheet


def print_sheets(sheets: Iterable[Sheet], out: Console) -> None:
    """Each as a table with its title before and its notes after it."""
    from rich.table import Table

    for sheet in sheets:
        if sheet.title:
            out.print(plain(sheet.title, "bold"))
        if sheet.rows:
            made = Table(box=None, pad_edge=False, header_style="dim")
            for heading in sheet.headings:
                made.add_column(plain(heading), overflow="fold")
            for row in sheet.rows:
                made.add_row(*map(plain, row))
            out.print(made)
        for note in sheet.notes:
            out.print(plain(note), style="" if not sheet.rows else "dim")
        out.print()
