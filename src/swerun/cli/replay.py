"""`swerun replay`: what was recorded, done again without an endpoint, and compared."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import DONE, FAILED, explained
from swerun.cli.imaging import imaging
from swerun.cli.options import RUNS, Cache, Json, Runs, SplitNow, SubsetNow
from swerun.cli.run import stopping
from swerun.cli.shell import as_recorded, in_full, in_short

if TYPE_CHECKING:
    from swerun.again import Again
    from swerun.records import Instance
    from swerun.replays import Compared

Opt = typer.Option


@imaging
def replay(
    ctx: typer.Context,
    run: str,
    ids: Annotated[
        list[str] | None, typer.Argument(help="Instances of the run; globs are fine.  [all]")
    ] = None,
    attempt: Annotated[int | None, Opt("--attempt", help="[those that count]")] = None,
    jobs: Annotated[int, Opt("--jobs", "-j", min=1, help="Attempts at once.")] = 4,
    subset: SubsetNow = None,
    split: SplitNow = None,
    runs: Runs = RUNS,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Do again what attempts of RUN did, in fresh containers and without an endpoint, and tell what
    comes out otherwise. Nothing is written into the run.

    The exit code is 0 where every step and every patch comes out as it was recorded, else 1.
    """
    with explained():
        from rich.console import Console

        from swerun.cli.live import teller
        from swerun.replays import compare_all, compared, workshop

        asked, cancel, say = as_recorded(ctx, run, runs), Event(), teller(Console(stderr=True))
        wanted = list(_wanted(asked, ids or (), attempt))
        for warning in asked.warnings:
            say(warning)
        tell = teller(Console(stderr=as_json))
        with stopping(cancel), workshop(asked, os.environ, cancel, say) as place:
            compare = partial(compared, asked, place=place)
            found = compare_all(wanted, compare, jobs, place, lambda each: _tell(each, tell))
        if as_json:
            ordered = sorted(found, key=lambda each: (each.instance_id, each.attempt))
            print(json.dumps([_row(each) for each in ordered], indent=1))
    raise typer.Exit(DONE if all(each.is_same for each in found) else FAILED)


def _wanted(run: Again, ids: Sequence[str], attempt: int | None) -> Iterator[tuple[Instance, int]]:
    """Which attempts are meant, of the instances that have any. Raises InputError."""
    from swerun.again import instances_of
    from swerun.config import cache_folder
    from swerun.errors import InputError
    from swerun.instances.hub import Hub
    from swerun.instances.selection import matching
    from swerun.replays import attempts_of

    subset = instances_of(run, Hub.of(os.environ, cache_folder(run.config.cache, os.environ)))
    begun = set(run.store.instance_ids())
    if not begun:
        raise InputError(f"{run.store.name} has no attempts yet: there is nothing to do again")
    for instance in matching([i for i in subset.instances if i.id in begun], ids):
        for number in attempts_of(run.store, instance.id, attempt):
            yield instance, number


def _tell(found: Compared, say: Callable[[str], None]) -> None:
    say(f"{found.instance_id}  attempt {found.attempt}  {gist(found)}")
    if found.other_image:
        say(f"  the image is another one than then: {found.other_image}")
    for each in found.differences:
        say(f"  {in_short(each)}")
    if found.ended:
        say(f"  after step {found.done} of {found.steps} the agent ended: {found.ended.value}")


def gist(found: Compared) -> str:
    """What an attempt came to when it was done again, in a line."""
    if found.trouble:
        return found.trouble
    if found.patch is None:
        patch = "no patch to compare"
    elif found.has_same_patch:
        patch = "same patch"
    else:
        patch = f"another patch ({len(found.patch)} bytes recorded, {len(found.came)} now)"
    if found.is_same:
        return patch
    went = f"{len(found.differences)} of {found.steps} steps went another way"
    return f"{patch}; {went}" if found.differences else patch


def _row(found: Compared) -> dict[str, object]:
    return {
        "instance_id": found.instance_id,
        "attempt": found.attempt,
        "same": found.is_same,
        "same_patch": None if found.patch is None else found.has_same_patch,
        "steps": found.steps,
        "done": found.done,
        "ended": found.ended,
        "differences": [in_full(each) for each in found.differences],
        "patch": found.came.decode(errors="replace"),
        "other_image": found.other_image,
        "trouble": found.trouble,
    }
