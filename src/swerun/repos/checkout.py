"""The working repository of an instance: a commit with its ancestors, and nothing else."""

from __future__ import annotations

import tempfile
from pathlib import Path

from swerun.errors import InstanceError
from swerun.repos.plain import BRANCH, at_bare, new_repository, plain_git


def check_out(mirror: Path, commit: str, folder: Path) -> None:
    """Make a repository at `folder` with `commit` (a full hash) checked out as main.

    It has the objects of that history and no others, no other reference, reflog or remote, and
    does not know of `mirror`. Raises InstanceError.
    """
    from git.exc import GitError

    try:
        repo = new_repository(folder)
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as pack:
            asked.write(f"{commit}\n".encode())
            asked.seek(0)
            # not by a fetch: git refuses one from a folder that belongs to another user
            source = at_bare(plain_git(mirror), mirror)
            source.pack_objects("--quiet", "--revs", "--stdout", istream=asked, output_stream=pack)
            pack.seek(0)
            repo.index_pack("--stdin", istream=pack)
        repo.update_ref(f"refs/heads/{BRANCH}", f"{commit}^{{commit}}")
        repo.checkout("--quiet", "--force", BRANCH)
    except GitError as error:
        raise InstanceError(f"checking out {commit} of {mirror} failed: {error}") from error
