"""`swerun images`: the base image, and what a run would build or pull."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from swerun.cli.exits import explained

app = typer.Typer(
    help="The images that instances run in.", rich_markup_mode=None, no_args_is_help=True
)
Cache = Annotated[Path | None, typer.Option("--cache", help="[~/.cache/swerun]")]
Subset = Annotated[str, typer.Option("--subset", help="A subset, or the folder of a task repo.")]
Only = Annotated[list[str] | None, typer.Option("--instance", "-i", help="Ids; globs are fine.")]


@app.command()
def base(
    install: Annotated[
        bool, typer.Option("--install", help="Install mmdebstrap where it is needed, when root.")
    ] = False,
    cache: Cache = None,
) -> None:
    """Make the base image: from a registry where one answers, else from Debian's packages."""
    with explained():
        from swerun.images.base import BaseMaker
        from swerun.sandbox.client import connect

        client = connect(os.environ)
        say = lambda line: print(line, file=sys.stderr)  # noqa: E731
        print(BaseMaker(client, cache_folder(cache), say, install=install).ensure())


@app.command()
def build(subset: Subset = "sample", instance: Only = None, cache: Cache = None) -> None:
    """Build or pull the images of a subset's instances, so that a run need not."""
    with explained():
        from swerun.images.store import EngineImages
        from swerun.instances.subsets import load_instances, select
        from swerun.sandbox.client import connect

        images = EngineImages(connect(os.environ), cache=cache_folder(cache))
        for each in select(load_instances(subset), instance or []):
            print(f"{each.id}  {images.ensure(each)}", flush=True)


@app.command()
def plan(
    subset: Subset = "sample",
    instance: Only = None,
    cache: Cache = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """What is here, and what a run would build or pull."""
    with explained():
        from swerun.images.store import EngineImages
        from swerun.instances.subsets import load_instances, select
        from swerun.sandbox.client import connect

        images = EngineImages(connect(os.environ), cache=cache_folder(cache))
        rows = images.plan(select(load_instances(subset), instance or []))
        if as_json:
            print(json.dumps([vars(row) for row in rows]))
            return
        for row in rows:
            print(row)


def cache_folder(given: Path | None) -> Path:
    return given or Path.home() / ".cache" / "swerun"
