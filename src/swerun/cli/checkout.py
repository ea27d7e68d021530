"""`swerun instances checkout`: an instance's repository as its agent finds it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.options import Cache
from swerun.cli.printable import printable
from swerun.cli.selecting import chosen_by, selecting

FROM = (
    "Where repositories come from: a folder that has them as owner__name or owner/name, or an "
    "address before owner/name.  [https://github.com]"
)


@selecting
def checkout(
    ctx: typer.Context,
    instance: Annotated[str, typer.Argument(help="Its id.", metavar="ID")],
    folder: Annotated[
        Path | None, typer.Argument(help="New, or empty.  [./ID]", metavar="FOLDER")
    ] = None,
    repos_from: Annotated[str | None, typer.Option("--repos-from", help=FROM)] = None,
    cache: Cache = None,
) -> None:
    """The repository of an instance at its base commit, with no history after it."""
    with explained():
        from swerun.config import cache_folder
        from swerun.errors import InputError
        from swerun.instances.selection import matching
        from swerun.repos.checkout import check_out
        from swerun.repos.mirrors import GITHUB, Mirrors

        (found, *more) = matching(chosen_by(ctx, os.environ, cache).instances, [instance])
        if more:
            raise InputError(f"{instance} is {len(more) + 1} instances, and a folder has one")
        into = folder or Path(found.id)
        if into.exists() and not (into.is_dir() and not any(into.iterdir())):
            raise InputError(f"{into} is there already: a checkout wants a new or an empty folder")
        mirrors = Mirrors(cache_folder(cache, os.environ), _say, repos_from or GITHUB)
        commit = found.task.base_commit
        check_out(mirrors.holding(found.task.repo, commit), commit, into)
        print(printable(f"{into}: {found.task.repo} at {commit}"))


def _say(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)
