"""`swerun import`: a run out of what an agent of others wrote, and then its grades."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import DONE, explained
from swerun.cli.flags import given, said_of_flags
from swerun.cli.grading import grading, running
from swerun.cli.imaging import imaging
from swerun.cli.options import Cache
from swerun.cli.selecting import selecting

if TYPE_CHECKING:
    from swerun.config import RunConfig
    from swerun.exchange.peers import Found

Opt = typer.Option


@selecting
@imaging
@grading
@running
def import_(
    ctx: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A folder of mini-swe-agent's or SWE-agent's trajectories, OpenHands' "
            "output.jsonl, or predictions.",
        ),
    ],
    model: Annotated[
        str | None,
        Opt("--model", help="Whose of several, or what theirs is called.  [as they say]"),
    ] = None,
    no_grade: Annotated[
        bool, Opt("--no-grade", help="Leave the grades open: the same command without it goes on.")
    ] = False,
    retries: Annotated[
        int | None, Opt("--retries", help="After failures that are not the patch's.  [2]")
    ] = None,
    cache: Cache = None,
    as_json: Annotated[bool, Opt("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Make a run of what another agent did at PATH, and grade its patches.

    It can be shown, explained and compared as any other. Nobody solves anything for it.
    """
    with explained(), said_of_flags(ctx, file=False):
        from swerun.config import load_config
        from swerun.exchange.peers import find

        found = find(source, model)
        config = load_config(None, given(ctx) | {"model": (found.predictions.model,)})
        code = _imported(config, found, no_grade=no_grade, as_json=as_json)
    raise typer.Exit(code)


def _imported(config: RunConfig, found: Found, *, no_grade: bool, as_json: bool) -> int:
    from rich.console import Console

    from swerun.cli.live import teller
    from swerun.cli.run import drive, print_reports
    from swerun.importing import import_run
    from swerun.report.derived import derive

    say = teller(Console(stderr=True))
    store = import_run(config, found, os.environ, say if no_grade else lambda _: None)
    if not no_grade:
        same = {"run": store.name, "fresh": False}
        return drive(config.model_copy(update=same), found.predictions, as_json=as_json)
    print_reports([derive(store)], as_json=as_json)
    say(f"{store.folder}: its grades are open")
    return DONE
