"""`swerun shell`: stand in a container as an attempt's agent left it, or as its grader had it."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import zip_longest
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.flags import given, said_of_flags
from swerun.cli.imaging import imaging
from swerun.cli.options import RUNS, Cache, Json, Runs, SplitNow, SubsetNow
from swerun.cli.show import number_of

if TYPE_CHECKING:
    from rich.console import Console

    from swerun.again import Again
    from swerun.moments import Moment
    from swerun.records import Instance
    from swerun.replaying import Difference
    from swerun.sandbox.entrance import Entrance
    from swerun.standing import Place

Opt = typer.Option
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
OF_ITS_CONFIGURATION = {"subset", "split", "cache"}
SHOWN = 160  # characters of a line that came out otherwise


@imaging
def shell(
    ctx: typer.Context,
    run: str,
    instance: Annotated[str, typer.Argument(help="An instance of the run.")],
    attempt: Annotated[int | None, Opt("--attempt", help="[the newest]")] = None,
    at: Annotated[
        int | None,
        Opt("--at", metavar="STEP", min=0, help="After it; 0: before the first.  [the last]"),
    ] = None,
    command: Annotated[
        str | None, Opt("--exec", metavar="CMD", help="Run this there, and no shell.")
    ] = None,
    timeout: Annotated[
        float | None, Opt("--timeout", min=0.01, help="Of --exec, in seconds.  [none]")
    ] = None,
    network: Annotated[str | None, Opt("--network", help="Of the container.  [as it was]")] = None,
    subset: SubsetNow = None,
    split: SplitNow = None,
    runs: Runs = RUNS,
    cache: Cache = None,
    *,
    graded: Annotated[
        bool, Opt("--graded", help="As the grader has it. It shows the answer.")
    ] = False,
    as_json: Json = False,
) -> None:
    """A shell in a fresh container, in the state after a recorded step: the commands until then are
    run again, and what comes out otherwise is told. The container is removed at the end.

    With --exec its output is printed, and its exit code is this one's.
    """
    with explained(), _unwinding() as ending:
        from rich.console import Console

        from swerun.cli.live import teller
        from swerun.moments import Moment, way_to
        from swerun.sandbox.entrance import Entrance
        from swerun.sandbox.terminal import interact
        from swerun.standing import standing

        _check(command, timeout, as_json=as_json)
        asked = as_recorded(ctx, run, runs)
        moment = Moment(instance, number_of(asked.store, instance, attempt), at, graded)
        way = way_to(moment, asked.store, asked.record.question)
        out = Console(stderr=True)
        say = teller(out)
        for warning in asked.warnings:
            say(warning)
        opened = standing(asked, way, _instance(asked, moment), os.environ, network, say)
        with opened as place, ExitStack() as last:
            last.callback(ending.set)
            differences = _arrived(place, out, say)
            say(f"{place.said}; the container is removed when this ends")
            entrance = Entrance.of(place.sandbox)
            if command is None:
                code = interact(entrance, *place.variables)
            elif as_json:
                code = _told(entrance, command, timeout, differences)
            else:
                code = _printed(entrance, command, timeout)
    raise typer.Exit(code)


def _check(command: str | None, timeout: float | None, *, as_json: bool) -> None:
    from swerun.errors import InputError

    if command is None and (timeout is not None or as_json):
        raise InputError("--timeout and --json are of a command: give it with --exec CMD")
    if command is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("there is no terminal for a shell: give a command with --exec CMD")


def as_recorded(ctx: typer.Context, run: str, runs: Path) -> Again:
    """The run, for who asks no model; the flags say where its instances and images are now."""
    from swerun.again import as_it_was
    from swerun.runs.store import open_run

    flags = {
        key: value
        for key, value in given(ctx).items()
        if key in OF_ITS_CONFIGURATION or key.startswith("images.")
    }
    with said_of_flags(ctx, file=False):
        return as_it_was(open_run(run, runs), flags, os.environ)


def _instance(asked: Again, moment: Moment) -> Instance:
    from swerun.again import instances_of
    from swerun.config import cache_folder
    from swerun.instances.gradable import check_gradable
    from swerun.instances.hub import Hub
    from swerun.instances.selection import matching

    subset = instances_of(asked, Hub.of(os.environ, cache_folder(asked.config.cache, os.environ)))
    (found,) = matching(subset.instances, [moment.instance_id])
    if moment.graded:
        check_gradable([found])
    return found


def _arrived(place: Place, out: Console, say: Callable[[str], None]) -> list[Difference]:
    """Go the way, telling of it; what came out otherwise is returned too."""
    found: list[Difference] = []
    with out.status("") as status:  # seen on a terminal alone
        for happened in place.arrive():
            if isinstance(happened, str):
                say(happened)
                continue
            status.update(f"step {happened.step} of {happened.of}, again")
            if happened.difference:
                found.append(happened.difference)
                say(in_short(happened.difference))
    return found


def in_short(difference: Difference) -> str:
    """The first line of a step that came out otherwise, as it was recorded and as it is now."""
    from swerun.models.recording import same

    recorded, came = ("\n".join(texts).split("\n") for texts in _texts(difference))
    pairs = zip_longest(recorded, came, fillvalue="")
    counts = (f"{len(difference.recorded)} results", f"{len(difference.came)} results")
    old, new = next((pair for pair in pairs if not same(pair[:1], pair[1:])), counts)
    return f"step {difference.step + 1} differs: recorded: {old[:SHOWN]!r}; now: {new[:SHOWN]!r}"


def in_full(difference: Difference) -> dict[str, object]:
    """For JSON."""
    recorded, came = ("\n".join(texts) for texts in _texts(difference))
    return {"step": difference.step + 1, "recorded": recorded, "now": came}


def _texts(difference: Difference) -> tuple[Sequence[str], Sequence[str]]:
    return difference.recorded, difference.came


def _printed(entrance: Entrance, command: str, timeout: float | None) -> int:
    from swerun.sandbox.terminal import write_all

    def write(data: bytes) -> None:
        write_all(sys.stdout.fileno(), data)

    ended = entrance.run(command, write, timeout=timeout)
    if ended.timed_out:
        print(f"swerun: stopped after {timeout:g} s", file=sys.stderr)
    return ended.exit_code


def _told(
    entrance: Entrance, command: str, timeout: float | None, differences: Sequence[Difference]
) -> int:
    output = bytearray()
    ended = entrance.run(command, output.extend, timeout=timeout)
    whole = {
        "exit_code": ended.exit_code,
        "output": output.decode(errors="replace"),
        "timed_out": ended.timed_out,
        "differences": [in_full(each) for each in differences],
    }
    print(json.dumps(whole, indent=1))
    return ended.exit_code


@contextmanager
def _unwinding() -> Iterator[Event]:
    """Whatever asks this process to end has it remove its container first, where that is not being
    done already: the event is set then. Only Ctrl-C, once more, ends it at once. What was asked to
    be ignored (nohup) is."""
    from swerun.errors import CancelledError

    ending = Event()

    def unwind(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(number, signal.SIG_DFL)
        if not ending.is_set():
            ending.set()
            raise KeyboardInterrupt

    before = {each: signal.getsignal(each) for each in ENDING}
    before = {each: was for each, was in before.items() if was is not signal.SIG_IGN}
    for each in before:
        signal.signal(each, unwind)
    try:
        yield ending
    except KeyboardInterrupt as error:
        raise CancelledError("stopped, and the container is removed") from error
    finally:
        for each, was in before.items():
            signal.signal(each, was)
