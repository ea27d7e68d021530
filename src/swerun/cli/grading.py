"""The flags of gradings, of what verdicts are, and of runs that they go into: the same for every
command with them.

@app.command()
@grading
def validate(ctx: typer.Context) -> None:
    config = load_config(None, given(ctx))
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swerun.cli.flags import taking

Opt = typer.Option


def _of_gradings(
    grade_jobs: Annotated[
        int | None, Opt("--grade-jobs", help="Gradings at once.  [the cores]")
    ] = None,
    eval_timeout: Annotated[float | None, Opt("--eval-timeout", help="Seconds.  [1800]")] = None,
    memory: Annotated[str | None, Opt("--memory", help="Per container.  [4g]")] = None,
    cpus: Annotated[float | None, Opt("--cpus", help="Per container.  [2]")] = None,
    pids: Annotated[int | None, Opt("--pids", help="Per container.  [512]")] = None,
    grade_network: Annotated[
        str | None, Opt("--grade-network", help="Of the grading container.  [as the subset says]")
    ] = None,
    disk: Annotated[
        str | None,
        Opt("--disk", metavar="SIZE", help="Images take no more, as 60GB.  [no limit]"),
    ] = None,
) -> None:
    """Only its signature is used."""


def _of_verdicts(
    confirm: Annotated[
        int | None,
        Opt("--confirm", metavar="K", help="Run failing patches K times more: flaky tests.  [0]"),
    ] = None,
    no_cache: Annotated[
        bool,
        Opt("--no-cache", help="Run the tests, even where they ran for the same patch before."),
    ] = False,
) -> None:
    """Only its signature is used."""


def _of_runs(
    runs: Annotated[Path | None, Opt("--runs", help="Where runs are kept.  [./runs]")] = None,
    name: Annotated[
        str | None, Opt("--run", help="The run's name.  [made of model, subset and question]")
    ] = None,
    fresh: Annotated[
        bool, Opt("--fresh", help="A new run, even where this question has one.")
    ] = False,
) -> None:
    """Only its signature is used."""


grading = taking(_of_gradings)
judging = taking(_of_verdicts)
running = taking(_of_runs)
