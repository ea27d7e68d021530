"""Repositories in which the user's git configuration has no say, while swerun works on them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from swerun.errors import InputError

if TYPE_CHECKING:
    from git import Git

BRANCH = "main"
# What git reads besides the repository's own configuration, emptied, and what it would write beside
# the history.
PLAIN = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.logAllRefUpdates",
    "GIT_CONFIG_VALUE_0": "false",
}


def require_git() -> None:
    """Raises InputError where this machine has none."""
    if not shutil.which("git"):
        raise InputError(
            "git is not installed on this machine, and it is what images are looked at with before "
            "an agent sees them: install it (`sudo apt-get install git`)"
        )


def plain_git(folder: Path) -> Git:
    """git in `folder`, without any configuration but the repository's own."""
    from git import Git

    git = Git(folder)
    git.update_environment(**PLAIN)
    return git


def at_bare(git: Git, repository: Path) -> Git:
    """`git`, told where a bare repository is: one that it has to find must belong to its user."""
    git.update_environment(GIT_DIR=str(repository.absolute()))
    return git


def new_repository(folder: Path, *, bare: bool = False) -> Git:
    """An empty repository at `folder`, on an unborn main, without hooks. Raises git's GitError."""
    folder.mkdir(parents=True, exist_ok=True)
    git = plain_git(folder)
    wanted = ["--quiet", f"--initial-branch={BRANCH}", "--template="]
    git.init(*wanted, *(["--bare"] if bare else []))
    return git
