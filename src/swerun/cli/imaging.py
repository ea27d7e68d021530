"""The flags that say where images come from, the same for every command that needs images.

@app.command()
@imaging
def build(ctx: typer.Context) -> None:
    options = options_by(ctx)
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.flags import given, said_of_flags, taking

if TYPE_CHECKING:
    from swerun.records import ImageOptions

Opt = typer.Option


def _flags(
    registry: Annotated[
        str | None,
        Opt("--registry", metavar="PREFIX", help="A mirror: org/x is pulled as PREFIX/org/x."),
    ] = None,
    platform: Annotated[
        str | None, Opt("--platform", help="As linux/amd64.  [the engine's]")
    ] = None,
    pin: Annotated[
        Path | None, Opt("--pin", metavar="FILE", help="JSON: each image and its digest.")
    ] = None,
    build_network: Annotated[
        str | None, Opt("--build-network", help="While images are built.  [none]")
    ] = None,
    build_arg: Annotated[
        list[str] | None, Opt("--build-arg", metavar="NAME=VALUE", help="For Dockerfiles.")
    ] = None,
    index_url: Annotated[
        str | None, Opt("--index-url", help="PIP_INDEX_URL while building and grading.")
    ] = None,
    ca_bundle: Annotated[
        Path | None, Opt("--ca-bundle", help="PEM, trusted while building and grading.")
    ] = None,
    proxy: Annotated[
        bool, Opt("--proxy", help="HTTP(S)_PROXY, NO_PROXY as here, to builds and gradings.")
    ] = False,
) -> None:
    """Only its signature is used."""


imaging = taking(_flags)


def options_by(ctx: typer.Context) -> ImageOptions:
    """What a command's flags say of images. Raises InputError."""
    from swerun.config import checked
    from swerun.records import ImageOptions

    said = {
        name.removeprefix("images."): value
        for name, value in given(ctx).items()
        if name.startswith("images.")
    }
    with said_of_flags(ctx, file=False):
        return checked(ImageOptions, said, "the flags")
