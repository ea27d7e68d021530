"""`swerun fork`: an attempt that goes on from a step of another one, and what came of it."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from swerun.cli.asking import Model, Models, asking
from swerun.cli.exits import explained
from swerun.cli.flags import given, said_of_flags
from swerun.cli.grading import grading, judging
from swerun.cli.imaging import imaging
from swerun.cli.options import RUNS, Cache, Runs, SplitNow, SubsetNow
from swerun.cli.rerun import make
from swerun.cli.show import number_of

Opt = typer.Option


@imaging
@grading
@judging
@asking
def fork(
    ctx: typer.Context,
    of_run: Annotated[str, typer.Argument(metavar="RUN", help="Its name, or its folder.")],
    instance: Annotated[str, typer.Argument(metavar="ID", help="An instance of the run.")],
    at: Annotated[
        int, Opt("--at", metavar="STEP", help="The last that is done again; show counts them so.")
    ],
    attempt: Annotated[int | None, Opt("--attempt", help="Whose step.  [the newest's]")] = None,
    model: Model = None,
    models: Models = None,
    subset: SubsetNow = None,
    split: SplitNow = None,
    cache: Cache = None,
    kept_in: Runs = RUNS,
    as_json: Annotated[bool, Opt("--json", help="Print the attempt and the report.")] = False,
) -> None:
    """Make a new attempt of ID in RUN that begins with the first steps of an earlier one, as they
    were recorded, and goes on from there: as the run does, but for what flags say.

    That is noted in the attempt, which never counts in the score of the run.
    """
    with explained(), said_of_flags(ctx, file=False):
        from rich.console import Console

        from swerun.again import again
        from swerun.cli.live import teller
        from swerun.fork import branch_of, newest, planning
        from swerun.runs.store import open_run

        out, store = Console(stderr=True), open_run(of_run, kept_in)
        if attempt is None:
            attempt = newest(store, instance)
        branch = branch_of(store, instance, number_of(store, instance, attempt), at)
        run = again(store, given(ctx), os.environ)
        code = make(run, planning(branch, run.record.question, teller(out)), out, as_json=as_json)
    raise typer.Exit(code)
