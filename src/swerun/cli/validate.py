"""`swerun instances validate`: which instances are sound on this machine, why not the others."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import DONE, FAILED, STOPPED, explained
from swerun.cli.flags import given, said_of_flags
from swerun.cli.grading import grading
from swerun.cli.imaging import imaging
from swerun.cli.options import Cache, Json
from swerun.cli.printable import plain
from swerun.cli.run import stopping
from swerun.cli.selecting import selecting

if TYPE_CHECKING:
    from rich.table import Table

    from swerun.config import RunConfig
    from swerun.report.soundness import Validated

Opt = typer.Option
STYLES = {"sound": "green", "broken": "red", "flaky": "yellow"}
OPEN = "not validated"


@selecting
@imaging
@grading
def validate(
    ctx: typer.Context,
    times: Annotated[
        int,
        Opt("--times", "-k", min=1, help="How often each patch is graded; 2 and more show flaky."),
    ] = 1,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Find out which instances are sound on this machine, for `swerun run --sound-only`.

    Sound: the gold patch resolves it, and without a patch every FAIL_TO_PASS fails and every
    PASS_TO_PASS passes. Broken: never so. Flaky: not always so. What was found out is kept, and the
    same command goes on from there. Exit code 1 if an instance is not sound.
    """
    with explained(), said_of_flags(ctx, file=False):
        code = _validate(_config(ctx), as_json=as_json)
    raise typer.Exit(code)


def _config(ctx: typer.Context) -> RunConfig:
    from swerun.config import load_config
    from swerun.report.soundness import GOLD

    return load_config(None, {**given(ctx), "model": GOLD})


def _validate(config: RunConfig, *, as_json: bool) -> int:
    from rich.console import Console

    from swerun.cli import live
    from swerun.session import prepared
    from swerun.validation import validation_of

    cancel, said = Event(), Console(stderr=True)
    say = live.teller(said)
    runs = validation_of(config)
    with stopping(cancel), prepared(runs, os.environ, cancel, say, probing=True) as session:
        live.drive(session, said)
        found = session.validations.of(session.entries[0][0].instances)
        say(f"what the tests printed is in {session.validations.folder}")
    if as_json:
        print(json.dumps([each.model_dump(mode="json") for each in found], indent=1))
    else:
        out = Console()
        out.print(table(found))
        out.print(summary(found), highlight=False)
    if cancel.is_set():
        say("Stopped. The same command goes on from here.")
        return STOPPED
    return DONE if all(each.soundness == "sound" for each in found) else FAILED


def table(found: Sequence[Validated]) -> Table:
    """A row an instance: what it is, from how many trials, and why."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="dim")
    made.add_column("instance", no_wrap=True)
    made.add_column("on this machine", no_wrap=True)
    for patch in ("gold", "empty"):
        made.add_column(patch, justify="right")
    made.add_column("why", overflow="fold")
    for each in found:
        word = each.soundness or OPEN
        counts = (str(each.gold), str(each.empty))
        what = plain(word, STYLES.get(word, "dim"))
        made.add_row(plain(each.instance_id), what, *counts, plain(each.reason))
    return made


def summary(found: Sequence[Validated]) -> str:
    """How many there are of each kind: `9 instances: 8 sound, 1 broken`."""
    counts = Counter(each.soundness or OPEN for each in found)
    parts = [f"{counts[word]} {word}" for word in (*STYLES, OPEN) if counts[word]]
    return f"{len(found)} instance{'' if len(found) == 1 else 's'}: {', '.join(parts)}"
