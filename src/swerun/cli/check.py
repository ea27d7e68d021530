"""`swerun images check`: what images could show an agent of what came after its task's commit."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swerun.cli.exits import FAILED, explained
from swerun.cli.flags import given
from swerun.cli.images import Jobs, engine_images, say
from swerun.cli.imaging import imaging
from swerun.cli.options import Cache, Json
from swerun.cli.printable import printable
from swerun.cli.selecting import chosen_by, selecting

if TYPE_CHECKING:
    from swerun.images.many import Checked


@selecting
@imaging
def check(
    ctx: typer.Context,
    image: Annotated[
        str | None,
        typer.Argument(help="Any image, in the place of instances': its HEAD is the base."),
    ] = None,
    make: Annotated[
        bool, typer.Option("--make", help="Pull or build those that are not here.")
    ] = False,
    jobs: Jobs = 2,
    cache: Cache = None,
    as_json: Json = False,
) -> None:
    """Look for what came after the base commit: in git, in packages, anywhere in the image.

    Exit code 1 where something is found, or an image could not be looked at.
    """
    with explained(), engine_images(ctx, cache) as images:
        from swerun.images.clean import CleanImages
        from swerun.images.many import check, check_image

        clean = CleanImages(images)
        tell = (lambda _: None) if as_json else _tell
        if image is None:
            chosen = chosen_by(ctx, os.environ, cache).instances
            checked = check(clean, chosen, jobs, tell, also_make=make)
        else:
            _alone(ctx, image)
            checked = [check_image(clean, image)]
            tell(checked[0])
    if as_json:
        print(json.dumps([row(each) for each in checked], indent=1))
    if any(not each.audited and not each.error for each in checked):
        say("those that are not here were not looked at: --make pulls or builds them")
    if not all(each.is_clean for each in checked):
        raise typer.Exit(FAILED)


def _alone(ctx: typer.Context, image: str) -> None:
    """Raises InputError where instances are selected beside an image."""
    from swerun.config import Dataset
    from swerun.errors import InputError

    if {key.partition(".")[0] for key in given(ctx)} & set(Dataset.model_fields):
        raise InputError(f"{image} is one image, and the flags select others: give either")


def _tell(checked: Checked) -> None:
    print("\n".join(lines(checked)), flush=True)


def lines(checked: Checked) -> list[str]:
    """A line for the image, and one for each leak in it."""
    leaks = checked.audited.leaks if checked.audited else ()
    ended = f": {checked.error}" if checked.error else ""
    first = f"{word(checked):<8}  {checked.task.id}  {checked.task.image}{ended}"
    return [printable(line) for line in (first, *(f"  {leak}" for leak in leaks))]


def word(checked: Checked) -> str:
    if checked.error:
        return "failed"
    if checked.audited is None:
        return "not here"
    return "leaks" if checked.audited.leaks else "clean"


def row(checked: Checked) -> dict[str, Any]:
    """For JSON."""
    found = {"instance_id": checked.task.id, "image": checked.task.image, "state": word(checked)}
    if checked.audited:
        leaks = [leak.model_dump(mode="json") for leak in checked.audited.leaks]
        return {**found, "id": checked.audited.id, "leaks": leaks}
    return found | ({"error": str(checked.error)} if checked.error else {})
