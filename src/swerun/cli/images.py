"""`swerun images`: the base image, and what a run would build or pull."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.printable import printable
from swerun.cli.selecting import chosen_by, selecting

if TYPE_CHECKING:
    from docker import DockerClient

    from swerun.images.store import PlannedImage

app = typer.Typer(
    help="The images that instances run in.", rich_markup_mode=None, no_args_is_help=True
)
Cache = Annotated[Path | None, typer.Option("--cache", help="[~/.cache/swerun]")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def base(
    install: Annotated[
        bool, typer.Option("--install", help="Install mmdebstrap where it is needed, when root.")
    ] = False,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Make the base image: from a registry where one answers, else from Debian's packages."""
    with explained(), _engine() as client:
        from swerun.config import cache_folder
        from swerun.images.base import BaseMaker

        folder = cache_folder(cache, os.environ)
        maker = BaseMaker(client, folder, _say, install=install)
        made = maker.ensure()
        print(json.dumps({"image": maker.image, "id": made}) if as_json else made)


@app.command()
@selecting
def build(ctx: typer.Context, cache: Cache = None, as_json: Json = False) -> None:
    """Build or pull the images of a subset's instances, so that a run need not."""
    with explained(), _engine() as client:
        from swerun.config import cache_folder
        from swerun.images.store import EngineImages

        images = EngineImages(client, cache_folder(cache, os.environ), _say)
        made = []
        for each in chosen_by(ctx, os.environ, cache).instances:
            found = images.ensure(each)
            made.append({"instance_id": each.id, "image": each.task.image, "id": found})
            if not as_json:
                print(f"{printable(each.id)}  {found}", flush=True)
        if as_json:
            print(json.dumps(made, indent=1))


@app.command()
@selecting
def plan(ctx: typer.Context, cache: Cache = None, as_json: Json = False) -> None:
    """What is here, and what a run would build or pull."""
    with explained(), _engine() as client:
        from swerun.config import cache_folder
        from swerun.images.store import EngineImages

        images = EngineImages(client, cache=cache_folder(cache, os.environ))
        planned = images.plan(chosen_by(ctx, os.environ, cache).instances)
        print(as_json_list(planned) if as_json else aligned(planned))


def as_json_list(planned: Sequence[PlannedImage]) -> str:
    from dataclasses import asdict

    return json.dumps([asdict(each) for each in planned], indent=1)


def aligned(planned: Sequence[PlannedImage]) -> str:
    """A line each: what is to do, for which instance, and its image."""
    width = max((len(each.instance_id) for each in planned), default=0)
    lines = (f"{each.todo:<5}  {each.instance_id:<{width}}  {each.image}" for each in planned)
    return printable("\n".join(lines))


@contextmanager
def _engine() -> Iterator[DockerClient]:
    from swerun.sandbox.client import connect

    client = connect(os.environ)
    try:
        yield client
    finally:
        client.close()


def _say(line: str) -> None:
    print(printable(line), file=sys.stderr)
