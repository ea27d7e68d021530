"""`swerun list` and `report`: read what runs have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.printable import plain

if TYPE_CHECKING:
    from swerun.records import Price, Record
    from swerun.runs.store import RunStore

Runs = Annotated[Path, typer.Option("--runs", help="Where runs are kept.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RUNS = Path("runs")
MANY = 1_000  # rows that nobody reads on a terminal, and that take longer to draw than to make


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


def report(
    run: str,
    runs: Runs = RUNS,
    prices: Annotated[
        str | None,
        typer.Option("--prices", help="What it cost: auto (genai-prices'), or a models file."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Make the report of RUN again from what is stored, and print it."""
    with explained():
        from rich.console import Console

        from swerun.cli.tables import by_instance, side_by_side
        from swerun.report.derived import derive
        from swerun.runs.store import open_run

        store = open_run(run, runs)
        made = derive(store, _price(store, prices) if prices else None)
        if as_json:
            print(as_ascii(made))
            return
        out = Console()
        if len(made.rows) <= MANY:
            out.print(by_instance([made]))
        else:
            out.print(f"{len(made.rows):,} rows, one a sample of an instance, are in report.json.")
        out.print(side_by_side([made]))


def _price(store: RunStore, source: str) -> Price:
    from swerun.errors import InputError
    from swerun.prices import of_run

    record = store.record()
    price = of_run(source, record.model, [session.base_url for session in record.own_sessions])
    if price is None:
        raise InputError(f"--prices {source}: there is no price of {record.model} in it")
    return price


def as_ascii(record: Record) -> str:
    """ASCII alone: pydantic's own words would let a terminal obey some of what models wrote."""
    return json.dumps(record.model_dump(mode="json"), indent=1)
