"""`swerun why`: what became of a run's samples, and what went wrong on the way."""

from __future__ import annotations

from typing import Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.inspect import as_ascii
from swerun.cli.options import RUNS, Json, Runs
from swerun.cli.printable import printable


def why(
    run: str,
    runs: Runs = RUNS,
    as_md: Annotated[bool, typer.Option("--md", help="Print markdown.")] = False,
    as_json: Json = False,
) -> None:
    """Outcomes by cause, failing commands, stops, the slowest and the dearest of RUN."""
    with explained():
        from rich.console import Console

        from swerun.cli.sheets import print_sheets
        from swerun.report.derived import reasons
        from swerun.report.sheet import markdown
        from swerun.report.why_sheets import sheets
        from swerun.runs.store import open_run

        found = reasons(open_run(run, runs))
        if as_json:
            print(as_ascii(found))
        elif as_md:
            print(printable(markdown(sheets(found))))
        else:
            print_sheets(sheets(found), Console())
