"""The flags that say which instances are meant, the same for every command that takes instances.

@app.command()
@selecting
def pull(ctx: typer.Context, cache: Cache = None) -> None:
    chosen = chosen_by(ctx, os.environ, cache)
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swerun.cli.flags import given, said_of_flags, taking

if TYPE_CHECKING:
    from swerun.instances.selection import Chosen

Opt = typer.Option
SUBSET = "A name, a hub id (org/name), a .parquet, .jsonl or .json, or a task repo.  [sample]"


def _flags(
    subset: Annotated[str | None, Opt("--subset", help=SUBSET)] = None,
    split: Annotated[
        str | None, Opt("--split", help="Of the subset.  [its own: test, or the only one]")
    ] = None,
    revision: Annotated[
        str | None, Opt("--revision", help="Of a subset on the hub.  [the newest commit]")
    ] = None,
    instances: Annotated[
        list[str] | None, Opt("--instance", "-i", help="Only these ids; globs are fine.")
    ] = None,
    filter_: Annotated[
        str | None, Opt("--filter", metavar="REGEX", help="Only ids in which it is found.")
    ] = None,
    repo: Annotated[
        list[str] | None, Opt("--repo", help="Only of these repositories; globs are fine.")
    ] = None,
    difficulty: Annotated[
        list[str] | None, Opt("--difficulty", help="Only these, in the subset's words.")
    ] = None,
    sample: Annotated[
        int | None,
        Opt("--sample", metavar="N", help="N of them, drawn by repository and difficulty."),
    ] = None,
    shuffle: Annotated[bool, Opt("--shuffle", help="In an order drawn by --seed.")] = False,
    slice_: Annotated[
        str | None, Opt("--slice", metavar="A:B[:C]", help="Of what is left, as Python has it.")
    ] = None,
    limit: Annotated[
        int | None, Opt("--limit", metavar="N", help="The first N of what is left.")
    ] = None,
    seed: Annotated[int | None, Opt("--seed", help="Of --sample and --shuffle.  [0]")] = None,
) -> None:
    """Only its signature is used."""


selecting = taking(_flags)


def chosen_by(
    ctx: typer.Context,
    environment: Mapping[str, str],
    cache: Path | None,
    usual: Mapping[str, Any] | None = None,
) -> Chosen:
    """The instances that a command's flags mean, and the subset that they are of.

    `usual` is what holds where the flags say nothing (subset, split, revision). Raises InputError
    for flags that mean none, InstanceError for rows that are malformed.
    """
    from swerun.config import Dataset, cache_folder, checked
    from swerun.instances.hub import Hub
    from swerun.instances.selection import select
    from swerun.instances.subsets import load_subset

    said: dict[str, Any] = {"selection": {}} | dict(usual or {})
    for key, value in given(ctx).items():
        inside, _, name = key.rpartition(".")
        if inside == "selection":
            said["selection"][name] = value
        elif key in Dataset.model_fields:
            said[key] = value
    with said_of_flags(ctx, file=False):
        wanted = checked(Dataset, said, "the flags")
    hub = Hub.of(environment, cache_folder(cache, environment))
    subset = load_subset(wanted.subset, wanted.split, wanted.revision, hub)
    return select(subset, wanted.selection)
