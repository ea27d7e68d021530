"""`swerun grade`: a verdict on patches that are there already, or on what their tests printed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.flags import given, said_of_flags
from swerun.cli.run import CONFIRM, NO_CACHE, drive
from swerun.cli.selecting import selecting

Opt = typer.Option


@selecting
def grade(
    ctx: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="PREDICTIONS",
            help="A .json, a .jsonl, or a folder of .pred: of SWE-bench, mini-swe-agent, SWE-agent "
            "or OpenHands.",
        ),
    ],
    model: Annotated[
        str | None,
        Opt("--model", help="Whose predictions, or what theirs is called.  [as they say]"),
    ] = None,
    grade_jobs: Annotated[
        int | None, Opt("--grade-jobs", help="Gradings at once.  [the cores]")
    ] = None,
    retries: Annotated[
        int | None, Opt("--retries", help="After failures that are not the patch's.  [2]")
    ] = None,
    confirm: Annotated[int | None, CONFIRM] = None,
    no_cache: Annotated[bool, NO_CACHE] = False,
    eval_timeout: Annotated[float | None, Opt("--eval-timeout", help="Seconds.  [1800]")] = None,
    memory: Annotated[str | None, Opt("--memory", help="Per container.  [4g]")] = None,
    cpus: Annotated[float | None, Opt("--cpus", help="Per container.  [2]")] = None,
    pids: Annotated[int | None, Opt("--pids", help="Per container.  [512]")] = None,
    grade_network: Annotated[
        str | None, Opt("--grade-network", help="Of the container.  [as the subset says]")
    ] = None,
    runs: Annotated[Path | None, Opt("--runs", help="Where runs are kept.  [./runs]")] = None,
    name: Annotated[
        str | None, Opt("--run", help="The run's name.  [made of model, subset and question]")
    ] = None,
    fresh: Annotated[
        bool, Opt("--fresh", help="A new run, even where this question has one.")
    ] = False,
    cache: Annotated[Path | None, Opt("--cache", help="[~/.cache/swerun]")] = None,
    as_json: Annotated[bool, Opt("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Grade the patches of PREDICTIONS as those of a run: a run like any other comes of it.

    Instances without a prediction are not graded, and not in N; the report counts them.
    """
    with explained(), said_of_flags(ctx, file=False):
        from swerun.config import load_config
        from swerun.predictions import read_predictions

        predictions = read_predictions(source, model)
        config = load_config(None, given(ctx) | {"model": (predictions.model,)})
        code = drive(config, predictions, as_json=as_json)
    raise typer.Exit(code)
