"""`swerun images`: what a run would build or pull, doing so ahead of it, and what it takes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import FAILED, explained
from swerun.cli.flags import given
from swerun.cli.imaging import imaging, options_by
from swerun.cli.options import Cache, Json
from swerun.cli.printable import printable
from swerun.cli.selecting import chosen_by, selecting

if TYPE_CHECKING:
    from docker import DockerClient

    from swerun.cli.making import Progress
    from swerun.images.plan import Plan
    from swerun.images.store import EngineImages
    from swerun.images.usage import Usage
    from swerun.records import Instance

app = typer.Typer(
    help="The images that instances run in.", rich_markup_mode=None, no_args_is_help=True
)
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Images at once.")]


@app.command()
@imaging
def base(
    ctx: typer.Context,
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
        from swerun.images.outside import settings

        options, folder = options_by(ctx), cache_folder(cache, os.environ)
        maker = BaseMaker(
            client,
            folder,
            say,
            install=install,
            settings=settings(options, os.environ),
            registry=options.registry,
        )
        made = maker.ensure()
        print(json.dumps({"image": maker.image, "id": made}) if as_json else made)


@app.command()
@selecting
@imaging
def plan(ctx: typer.Context, cache: Cache = None, as_json: Json = False) -> None:
    """What is here, what a run would build or pull, and how many bytes that is."""
    with explained(), engine_images(ctx, cache) as images:
        from swerun.images.plan import plan

        planned = plan(images, chosen_by(ctx, os.environ, cache).instances)
    if planned.problem and not as_json:
        say(f"of {planned.unknown} images the bytes are not known: {planned.problem}")
    print(as_json_plan(planned) if as_json else aligned(planned))


@app.command()
@selecting
@imaging
def pull(
    ctx: typer.Context,
    jobs: Jobs = 4,
    write_pins: Annotated[
        Path | None, typer.Option("--write-pins", help="Their digests, for --pin.")
    ] = None,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Pull the images that are pulled, so that a run need not."""
    with explained():
        chosen = chosen_by(ctx, os.environ, cache).instances
        wanted = [instance for instance in chosen if instance.context is None]
        if len(wanted) < len(chosen):
            say(f"{len(chosen) - len(wanted)} images are built: `swerun images build`")
        _make(ctx, cache, wanted, jobs, as_json=as_json, write_pins=write_pins)


@app.command()
@selecting
@imaging
def build(ctx: typer.Context, jobs: Jobs = 2, cache: Cache = None, as_json: Json = False) -> None:
    """Build the images that have a Dockerfile, so that a run need not."""
    with explained():
        chosen = chosen_by(ctx, os.environ, cache).instances
        wanted = [instance for instance in chosen if instance.context]
        if len(wanted) < len(chosen):
            say(f"{len(chosen) - len(wanted)} images are pulled: `swerun images pull`")
        _make(ctx, cache, wanted, jobs, as_json=as_json)


@app.command()
@selecting
def du(ctx: typer.Context, cache: Cache = None, as_json: Json = False) -> None:
    """What images take on disk: those of a selection, or all that swerun brought."""
    with explained(), _engine() as client:
        from swerun.images.usage import usage

        used = usage(client, _meant(ctx, client, cache))
    if as_json:
        rows = [{"image": u.image, "unique": u.unique, "shared": u.shared} for u in used.images]
        print(json.dumps({"images": rows, "unique": used.freed, "total": used.total}, indent=1))
    else:
        print(_used(used))


@app.command()
@selecting
def prune(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Remove images: those of a selection, or all that swerun brought. None that is in use."""
    with explained(), _engine() as client:
        from swerun.config import cache_folder
        from swerun.images.store import ledger_of
        from swerun.images.usage import idle, prune, usage

        ledger = ledger_of(client, cache_folder(cache, os.environ))
        meant = usage(client, _meant(ctx, client, cache))
        chosen = idle(client, ledger, [use.image for use in meant.images])
        used = usage(client, chosen)
        kept = len(meant.images) - len(chosen)
        if not as_json:
            print(_used(used))
            say(f"{kept} more are in use and stay" if kept else "none of them is in use")
        if chosen and not yes:
            question = f"Remove {len(chosen)} images, which frees {_size(used.freed)}?"
            typer.confirm(question, abort=True, err=True)
        gone = prune(client, ledger, chosen)
    if as_json:
        print(json.dumps({"removed": gone, "freed": used.freed, "in_use": kept}, indent=1))
    else:
        print(f"removed {len(gone)} images, {_size(used.freed)}")


def as_json_plan(planned: Plan) -> str:
    rows = [asdict(each) for each in planned.images]
    total = {"bytes": planned.bytes, "unknown": planned.unknown, "problem": planned.problem}
    return json.dumps({"images": rows, **total}, indent=1)


def aligned(planned: Plan) -> str:
    """A line each: what is to do, bytes to pull, for which instance, and its image; the total."""
    width = max((len(each.instance_id) for each in planned.images), default=0)
    lines = [
        f"{each.todo:<7}  {_size(each.bytes):>8}  {each.instance_id:<{width}}  {each.image}"
        for each in planned.images
    ]
    todo = [each.todo for each in planned.images]
    counts = ", ".join(f"{todo.count(each)} {each}" for each in dict.fromkeys(todo))
    total = f"{counts or 'nothing'}; {_size(planned.bytes)} to pull"
    lines.append(total + (f", and {planned.unknown} images more" if planned.unknown else ""))
    return printable("\n".join(lines))


def _used(used: Usage) -> str:
    lines = [f"{'unique':>9}  {'shared':>9}  image"]
    lines += [f"{_size(use.unique):>9}  {_size(use.shared):>9}  {use.image}" for use in used.images]
    together = f"{_size(used.total)} together, of which {_size(used.freed)} are theirs alone"
    return printable("\n".join([*lines, together]))


def _size(count: int | None) -> str:
    from rich.filesize import decimal

    return "?" if count is None else decimal(count)


def _make(
    ctx: typer.Context,
    cache: Path | None,
    instances: Sequence[Instance],
    jobs: int,
    *,
    as_json: bool,
    write_pins: Path | None = None,
) -> None:
    from swerun.cli.making import Progress, shown
    from swerun.cli.run import stopping
    from swerun.images.many import make
    from swerun.images.pins import write_pins as write

    cancel, progress = Event(), Progress(len({each.task.image for each in instances}))
    with (
        stopping(cancel),
        engine_images(ctx, cache, cancel, progress) as images,
        shown(progress, quiet=as_json),
    ):
        images.begin(instances)
        made = make(images, instances, jobs, progress.done)
    if write_pins:
        write(write_pins, {m.instance.task.image: m.image.digest for m in made if m.image})
    if as_json:
        print(json.dumps([progress.row(each) for each in made], indent=1))
    say(progress.summary(images.limit.waited))
    if any(each.error for each in made):
        raise typer.Exit(FAILED)


def _meant(ctx: typer.Context, client: DockerClient, cache: Path | None) -> list[str]:
    """The images of the selection; of none, those that swerun noted to have brought."""
    from swerun.config import Dataset, cache_folder
    from swerun.images.store import ledger_of

    said = {key.partition(".")[0] for key in given(ctx)}
    if said & set(Dataset.model_fields):
        return [each.task.image for each in chosen_by(ctx, os.environ, cache).instances]
    return [note.image for note in ledger_of(client, cache_folder(cache, os.environ)).notes()]


@contextmanager
def engine_images(
    ctx: typer.Context,
    cache: Path | None,
    cancel: Event | None = None,
    progress: Progress | None = None,
) -> Iterator[EngineImages]:
    from swerun.config import cache_folder
    from swerun.images.store import EngineImages

    with _engine() as client:
        yield EngineImages(
            client,
            cache_folder(cache, os.environ),
            say,
            options_by(ctx),
            os.environ,
            cancel or Event(),
            progress.downloaded if progress else lambda _: None,
        )


@contextmanager
def _engine() -> Iterator[DockerClient]:
    from swerun.sandbox.client import connect

    client = connect(os.environ)
    try:
        yield client
    finally:
        client.close()


def say(line: str) -> None:
    print(printable(line), file=sys.stderr)
