"""`swerun rerun`: further attempts of some instances of a run, before the user's eyes."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from swerun.cli.asking import Model, Models, asking
from swerun.cli.exits import DONE, FAILED, STOPPED, explained
from swerun.cli.flags import given, said_of_flags
from swerun.cli.grading import grading, judging
from swerun.cli.imaging import imaging
from swerun.cli.options import RUNS, Cache, Runs, SplitNow, SubsetNow
from swerun.cli.printable import plain
from swerun.cli.run import stopping

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from swerun.again import Again
    from swerun.report.summary import Report
    from swerun.rerun import Rerun, Wanted
    from swerun.session import Planning

Opt = typer.Option
E = TypeVar("E", bound=StrEnum)


@imaging
@grading
@judging
@asking
def rerun(
    ctx: typer.Context,
    of_run: Annotated[str, typer.Argument(metavar="RUN", help="Its name, or its folder.")],
    only: Annotated[
        list[str] | None, Opt("--instance", "-i", help="Only these ids; globs are fine.")
    ] = None,
    failed: Annotated[bool, Opt("--failed", help="All that ended without a verdict.")] = False,
    unresolved: Annotated[bool, Opt("--unresolved", help="Graded, and not resolved.")] = False,
    outcome: Annotated[
        list[str] | None, Opt("--outcome", help="As endpoint_failed, or no_patch.")
    ] = None,
    stop: Annotated[
        list[str] | None, Opt("--stop", help="Of those the ones that ended so, as step_limit.")
    ] = None,
    of_sample: Annotated[
        list[int] | None,
        Opt("--sample", metavar="K", help="Of several.  [those meant; with -i alone the first]"),
    ] = None,
    replace: Annotated[
        bool, Opt("--replace", help="A new verdict counts in the place of the old one.")
    ] = False,
    model: Model = None,
    models: Models = None,
    subset: SubsetNow = None,
    split: SplitNow = None,
    cache: Cache = None,
    kept_in: Runs = RUNS,
    as_json: Annotated[bool, Opt("--json", help="Print the attempts and the report.")] = False,
) -> None:
    """Make a new attempt of some instances of RUN, as it was configured; any flag overrides that.

    Which ones: each of -i, outcomes (--failed, --unresolved, --outcome, any of them), --stop and
    --sample that is given has to hold. Earlier attempts stay, and a verdict that there is goes on
    counting unless --replace is given; what other flags make of the question never counts. With one
    instance, or -j 1, every step is shown as it happens.
    """
    with explained(), said_of_flags(ctx, file=False):
        code = _rerun(ctx, of_run, _wanted(ctx), kept_in, as_json=as_json)
    raise typer.Exit(code)


def _wanted(ctx: typer.Context) -> Wanted:
    """Raises InputError for an outcome or a stop that there is not."""
    from swerun.records import Outcome, Stop
    from swerun.rerun import FAILED, UNRESOLVED, Wanted

    said = ctx.params
    outcomes = set(_named("--outcome", Outcome, said["outcome"] or ()))
    outcomes |= FAILED if said["failed"] else set()
    outcomes |= UNRESOLVED if said["unresolved"] else set()
    return Wanted(
        ids=tuple(said["only"] or ()),
        outcomes=frozenset(outcomes),
        stops=frozenset(_named("--stop", Stop, said["stop"] or ())),
        samples=tuple(said["of_sample"] or ()),
    )


def _named(flag: str, kind: type[E], words: Sequence[str]) -> list[E]:
    from swerun.errors import InputError

    known = {each.value: each for each in kind}
    for word in words:
        if word not in known:
            raise InputError(f"{flag} {word}: there is no such thing. There are {', '.join(known)}")
    return [known[word] for word in words]


def _rerun(ctx: typer.Context, of_run: str, wanted: Wanted, kept_in: Path, *, as_json: bool) -> int:
    from rich.console import Console

    from swerun.again import again
    from swerun.cli.live import teller
    from swerun.report.derived import reported
    from swerun.rerun import meant, planning
    from swerun.runs.store import open_run

    out = Console(stderr=True)
    store = open_run(of_run, kept_in)
    run = again(store, given(ctx), os.environ)
    rows = meant(reported(store), wanted)
    plan = planning(rows, teller(out), replaces=ctx.params["replace"])
    return make(run, plan, out, as_json=as_json)


def make(run: Again, plan: Planning, out: Console, *, as_json: bool) -> int:
    """The further attempts that are planned, before the user's eyes; the exit code."""
    from swerun.cli import live
    from swerun.rerun import results
    from swerun.session import prepared_again

    cancel, say = Event(), live.teller(out)
    for line in run.warnings:
        say(line)
    with stopping(cancel), prepared_again(run, os.environ, cancel, say, plan) as session:
        live.drive(session, out, steps=True)
        (report,) = session.reports()
        ((work, _),) = session.entries
        found = results(run.store, work.asked or ())
    _print(found, report, as_json=as_json)
    for why in session.shut():
        say(f"{why} What was done is kept.")
    if cancel.is_set():
        say("Stopped. What was done is kept.")
        return STOPPED
    is_done = all(each.attempt and each.attempt.outcome.is_verdict for each in found)
    return DONE if is_done else FAILED


def _print(found: Sequence[Rerun], report: Report, *, as_json: bool) -> None:
    from rich.console import Console

    from swerun.cli.tables import side_by_side

    if as_json:
        attempts = [each.attempt.model_dump(mode="json") for each in found if each.attempt]
        told = {"attempts": attempts, "report": report.model_dump(mode="json")}
        print(json.dumps(told, indent=1))
        return
    out = Console()
    out.print(table(found))
    out.print(side_by_side([report]))


def table(found: Sequence[Rerun]) -> Table:
    """A row a sample: the new attempt, what it came to, and what counts now."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("instance", "attempt", "came to", "in the score"):
        made.add_column(heading, overflow="fold")
    several = any(each.sample > 1 for each in found)
    for each in found:
        name = plain(each.instance_id + (f" #{each.sample}" if several else ""))
        number = str(each.attempt.attempt) if each.attempt else ""
        made.add_row(name, number, _came_to(each), _counting(each))
    return made


def _came_to(rerun: Rerun) -> Text:
    from swerun.report.why import cause

    attempt = rerun.attempt
    return plain(f"{cause(attempt)}, {attempt.steps} steps" if attempt else "not done", "bold")


def _counting(rerun: Rerun) -> Text:
    if rerun.counts_itself:
        return plain("it counts")
    if rerun.counts is None:
        return plain("nothing counts yet")
    return plain(f"attempt {rerun.counts.attempt} counts: {rerun.counts.outcome.value}")
