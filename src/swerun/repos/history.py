"""Histories as git fast-export streams: a repository made from streams, and streams made from it.

The same stream gives the same commit hashes on every machine. The user's git configuration has no
say in either direction.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from swerun.errors import InstanceError
from swerun.repos.plain import BRANCH, new_repository


def restore(streams: Iterable[bytes], folder: Path) -> str:
    """Import `streams` in order into a new repository at `folder`; check out main, return HEAD.

    An empty stream adds nothing. Raises InstanceError.
    """
    from git.exc import GitError

    try:
        git = new_repository(folder)
        for stream in streams:
            with tempfile.TemporaryFile() as given:
                given.write(stream)
                given.seek(0)
                git.fast_import("--quiet", istream=given)
        git.checkout("--quiet", "--force", BRANCH)
        return str(git.rev_parse("HEAD"))
    except GitError as error:
        raise InstanceError(f"restoring a history into {folder} failed: {error}") from error


def export(folder: Path, commit: str, since: str | None = None) -> bytes:
    """The history of `commit`, as branch main, without what `since` already has.

    Nothing that comes after `commit` is in the stream, and equal histories give equal bytes. A
    stream with `since` is imported on top of one that ends there. Raises InstanceError.
    """
    from git import Repo
    from git.exc import GitError

    try:
        with tempfile.TemporaryDirectory() as scratch, Repo(folder) as source:
            tip = source.git.rev_parse("--verify", f"{commit}^{{commit}}")
            known = source.git.rev_parse("--verify", f"{since}^{{commit}}") if since else None
            if known == tip:
                return b""
            # fast-export names the branch after the reference it is given, and needs one: a
            # repository beside this one that borrows its objects has just that reference.
            git = new_repository(Path(scratch), bare=True)
            objects = Path(source.common_dir).resolve() / "objects"
            git.update_environment(GIT_ALTERNATE_OBJECT_DIRECTORIES=str(objects))
            git.update_ref(f"refs/heads/{BRANCH}", tip)
            wanted = [f"refs/heads/{BRANCH}", *([f"^{known}"] if known else [])]
            stream: bytes = git.fast_export(
                "--reference-excluded-parents",
                "--reencode=no",
                *wanted,
                stdout_as_string=False,
                strip_newline_in_stdout=False,
            )
            return stream
    except GitError as error:
        raise InstanceError(f"exporting {commit} of {folder} failed: {error}") from error
