"""A repository that goes on while it is mirrored, made with git itself."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

WHO = {"NAME": "A U Thor", "EMAIL": "a@example.org", "DATE": "2024-03-01 12:00:00 +0100"}
PLAIN = {f"GIT_{who}_{key}": value for who in ("AUTHOR", "COMMITTER") for key, value in WHO.items()}
PLAIN |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", folder, *arguments],
        capture_output=True,
        check=True,
        env=os.environ | PLAIN,
    )
    return done.stdout.decode().strip()


def objects(folder: Path) -> set[str]:
    """Every object in the repository, whether anything leads to it or not."""
    every = git(folder, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    return set(every.split())


def reachable(folder: Path, *revisions: str) -> set[str]:
    listed = git(folder, "rev-list", "--objects", *revisions).splitlines()
    return {line.split()[0] for line in listed}


@dataclass(frozen=True)
class Upstream:
    folder: Path

    def commit(self, text: str, branch: str = "trunk") -> str:
        """One more commit on `branch`, with its own content of a file."""
        tree = self._tree(text)
        known = git(self.folder, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
        parents = ["-p", known] if known else []
        made = git(self.folder, "commit-tree", tree, "-m", text, *parents)
        git(self.folder, "update-ref", f"refs/heads/{branch}", made)
        git(self.folder, "update-server-info")
        return made

    def _tree(self, text: str) -> str:
        file = self.folder / "text"
        file.write_text(f"{text}\n")
        blob = git(self.folder, "hash-object", "-w", str(file))
        file.unlink()
        made = subprocess.run(
            ["git", "-C", self.folder, "mktree"],
            input=f"100644 blob {blob}\ta.txt\n".encode(),
            capture_output=True,
            check=True,
        )
        return made.stdout.decode().strip()


def upstream(folder: Path) -> Upstream:
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=trunk")
    return Upstream(folder)
