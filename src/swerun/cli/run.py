"""`swerun run`: from models and a subset to resolved rates, side by side."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swerun.cli.asking import Model, Models, asking
from swerun.cli.exits import STOPPED, explained, judged
from swerun.cli.flags import given, said_of_flags
from swerun.cli.grading import grading, judging, running
from swerun.cli.imaging import imaging
from swerun.cli.options import Cache
from swerun.cli.selecting import selecting

if TYPE_CHECKING:
    from swerun.config import RunConfig
    from swerun.engine.local import Work
    from swerun.predictions import Predictions
    from swerun.report.compare import Comparison
    from swerun.report.summary import Report

Opt = typer.Option


@selecting
@imaging
@grading
@running
@judging
@asking
def run(
    ctx: typer.Context,
    model: Model = None,
    models: Models = None,
    config: Annotated[
        Path | None, Opt("--config", "-c", help="YAML with the keys of the options' dotted names.")
    ] = None,
    attempts: Annotated[
        int | None, Opt("--attempts", help="Independent tries on each instance.  [1]")
    ] = None,
    continue_attempts: Annotated[
        bool, Opt("--continue-attempts", help="From their last step, where they were cut off.")
    ] = False,
    stop_when_resolved: Annotated[
        bool, Opt("--stop-when-resolved", help="No more attempts once one resolved an instance.")
    ] = False,
    sound_only: Annotated[
        bool,
        Opt("--sound-only", help="Only what `swerun instances validate` found sound here."),
    ] = False,
    record: Annotated[
        Path | None, Opt("--record", help="Write the conversations there, for demo/NAME.")
    ] = None,
    cache: Cache = None,
    as_json: Annotated[bool, Opt("--json", help="Print the reports as JSON.")] = False,
) -> None:
    """Run an agent with each --model on the instances of --subset, and grade what it did.

    The same command again goes on where it was: finished attempts are never made twice.
    """
    with explained(), said_of_flags(ctx, file=config is not None):
        from swerun.config import load_config

        code = drive(load_config(config, given(ctx)), as_json=as_json)
    raise typer.Exit(code)


def drive(
    config: RunConfig, predictions: Predictions | None = None, *, as_json: bool = False
) -> int:
    """Make the runs of a configuration before the user's eyes, and return the exit code."""
    from rich.console import Console

    from swerun.cli import live
    from swerun.session import prepared

    cancel, said = Event(), Console(stderr=True)
    say = live.teller(said)
    opened = prepared(config, os.environ, cancel, say, predictions=predictions)
    with stopping(cancel), opened as session:
        live.drive(session, said)
        reports, made = session.reports(), session.compared()
        works = [work for work, _ in session.entries]
    print_reports(reports, made, as_json=as_json)
    for report in reports:
        say(str(config.runs / report.run))
    for why in session.shut():
        say(f"{why} What was done is kept; the same command goes on from here.")
    if cancel.is_set():
        said.print("Stopped. The same command goes on from here.", highlight=False)
        return STOPPED
    return max(judged(asked(w), r.rows) for w, r in zip(works, reports, strict=True))


def asked(work: Work) -> list[tuple[str, int]]:
    """The samples that this command is about: each instance's id and the sample's number."""
    return [(each.id, k) for each in work.instances for k in range(1, work.samples + 1)]


def print_reports(
    reports: Sequence[Report], made: Comparison | None = None, *, as_json: bool
) -> None:
    if as_json:
        print(json.dumps([_whole(report, made) for report in reports], indent=1))
        return
    from rich.console import Console

    from swerun.cli.figures import pairs
    from swerun.cli.tables import by_instance, side_by_side

    out = Console()
    out.print(by_instance(reports))
    out.print(side_by_side(reports))
    if made:
        out.print(pairs(made))


def _whole(report: Report, made: Comparison | None) -> dict[str, Any]:
    """A report, and in `pairs` how its run compares with each of those after it."""
    found = [pair for pair in (made.pairs if made else ()) if pair.a == report.run]
    whole = report.model_dump(mode="json")
    return whole | {"pairs": [pair.model_dump(mode="json") for pair in found]}


@contextmanager
def stopping(cancel: Event) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) ends the run in order, a second one at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        if cancel.is_set():
            os._exit(STOPPED)
        cancel.set()
        print("swerun: stopping; once more to stop at once", file=sys.stderr)

    old = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, before in old.items():
            signal.signal(number, before)
