"""`swerun report`: a run's report made again, printed, and written as others read it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.inspect import as_ascii
from swerun.cli.options import RUNS, Json, Runs

if TYPE_CHECKING:
    from swerun.exchange.trajectories import Opening
    from swerun.records import Price, RunRecord
    from swerun.report.summary import Report
    from swerun.runs.store import RunStore

Opt = typer.Option
MANY = 1_000  # rows that nobody reads on a terminal, and that take longer to draw than to make


def report(
    run: str,
    runs: Runs = RUNS,
    prices: Annotated[
        str | None,
        Opt("--prices", help="What it cost: auto (genai-prices'), or a models file."),
    ] = None,
    swebench: Annotated[
        Path | None,
        Opt(
            "--swebench", metavar="DIR", help="Write what SWE-bench's harness would: reports, logs."
        ),
    ] = None,
    submission: Annotated[
        Path | None,
        Opt("--submission", metavar="DIR", help="Write a folder for SWE-bench's leaderboard."),
    ] = None,
    trajectories: Annotated[
        Path | None,
        Opt("--trajectories", metavar="DIR", help="Write trajectories as mini-swe-agent does."),
    ] = None,
    as_md: Annotated[bool, Opt("--md", help="Print markdown, to hand on.")] = False,
    as_json: Json = False,
) -> None:
    """Make the report of RUN again from what is stored, and print it."""
    with explained():
        from swerun.errors import InputError
        from swerun.report.derived import derive
        from swerun.runs.store import open_run

        if as_md and as_json:
            raise InputError("--md and --json are two ways to print one thing: give one")
        store = open_run(run, runs)
        made = derive(store, _price(store, prices) if prices else None)
        _write(store, made, swebench, submission, trajectories)
        if as_json:
            print(as_ascii(made))
        elif as_md:
            print(_page(store, made))
        else:
            _print(made)


def _print(made: Report) -> None:
    from rich.console import Console

    from swerun.cli.tables import by_instance, side_by_side

    out = Console()
    if len(made.rows) <= MANY:
        out.print(by_instance([made]))
    else:
        out.print(f"{len(made.rows):,} rows, one a sample of an instance, are in report.json.")
    out.print(side_by_side([made]))


def _page(store: RunStore, made: Report) -> str:
    """In characters that a terminal does not obey: models and programs wrote some of it."""
    from swerun.cli.printable import printable
    from swerun.cli.tables import rows_of
    from swerun.report.page import page
    from swerun.report.sheet import markdown
    from swerun.report.why import why

    run = store.record()
    figures = [(label.strip(), cell) for label, (cell,) in rows_of([made])]
    return printable(markdown(page(made, run, why(run, store.outlines(), ()), figures)))


def _write(
    store: RunStore,
    made: Report,
    swebench: Path | None,
    submission: Path | None,
    trajectories: Path | None,
) -> None:
    """What of it is asked for; what there is to be said of it goes to standard error."""
    from swerun.exchange.folders import write_folder
    from swerun.exchange.submission import open_points, submission_files
    from swerun.exchange.swebench import swebench_files
    from swerun.exchange.trajectories import mini_files

    opening = _opening(store.record()) if submission or trajectories else lambda _: ()
    if swebench:
        write_folder(swebench, swebench_files(store))
        typer.echo(f"{swebench}: as SWE-bench's harness leaves an evaluation", err=True)
    if trajectories:
        write_folder(trajectories, mini_files(store, opening))
        typer.echo(f"{trajectories}: as mini-swe-agent leaves trajectories", err=True)
    if submission:
        write_folder(submission, submission_files(store, _page(store, made), opening))
        typer.echo(f"{submission}: for SWE-bench's leaderboard. What is left to do:", err=True)
        first = (row for row in made.rows if row.sample == 1)
        graded = [row.instance_id for row in first if row.outcome and row.outcome.is_verdict]
        for point in open_points(store.record(), graded):
            typer.echo(f"- {point}", err=True)


def _opening(run: RunRecord) -> Opening:
    """What conversations began with, or nothing, and then why is said."""
    from swerun.cli.printable import printable
    from swerun.config import cache_folder
    from swerun.errors import InputError
    from swerun.instances.hub import Hub
    from swerun.openings import openings

    try:
        return openings(run, Hub.of(os.environ, cache_folder(None, os.environ)))
    except InputError as error:
        typer.echo(printable(f"the trajectories are without their prompts: {error}"), err=True)
        return lambda _: ()


def _price(store: RunStore, source: str) -> Price:
    from swerun.errors import InputError
    from swerun.prices import of_run

    record = store.record()
    price = of_run(source, record.model, [session.base_url for session in record.own_sessions])
    if price is None:
        raise InputError(f"--prices {source}: there is no price of {record.model} in it")
    return price
