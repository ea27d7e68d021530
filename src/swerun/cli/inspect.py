"""`swerun list`, and what commands that read runs share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from swerun.cli.exits import explained
from swerun.cli.options import RUNS, Json, Runs
from swerun.cli.printable import plain

if TYPE_CHECKING:
    from swerun.records import Record


def list_(runs: Runs = RUNS, as_json: Json = False) -> None:
    """The runs there are, with their rates."""
    with explained():
        from rich.console import Console
        from rich.table import Table

        from swerun.report.derived import reported
        from swerun.runs.store import list_runs

        reports = [reported(store) for store in list_runs(runs)]
        if as_json:
            print(json.dumps([r.model_dump(mode="json", exclude={"rows"}) for r in reports]))
            return
        if not reports:
            print(f"There are no runs in {runs}.")
            return
        made = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("run", "model", "subset", "resolved / N", "graded", "attempts"):
            made.add_column(heading, overflow="fold")
        for r in reports:
            rate = f"{r.resolved}/{r.n}"
            words = (r.run, r.model, r.subset, rate, str(r.graded), str(r.attempts))
            made.add_row(*map(plain, words))
        Console().print(made)


def as_ascii(record: Record) -> str:
    """ASCII alone: pydantic's own words would let a terminal obey some of what models wrote."""
    return json.dumps(record.model_dump(mode="json"), indent=1)
