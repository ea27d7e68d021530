"""A real disk that is as small as a test wants it to be."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = 4096


@dataclass(frozen=True)
class SmallDisk:
    """A tmpfs of its own at `folder`."""

    folder: Path

    def leave(self, room: int = 64 << 20, files: int = 10_000) -> None:
        """From now on there is room for so many bytes more (whole pages), in so many more files."""
        seen = os.statvfs(self.folder)
        used = (seen.f_blocks - seen.f_bfree) * seen.f_frsize
        # to a tmpfs 0 is no limit at all
        size, inodes = max(PAGE, used + room), seen.f_files - seen.f_ffree + files
        _mount("remount", f"size={size},nr_inodes={inodes}", self.folder)

    def refuse_writing(self) -> None:
        _mount("remount", "ro", self.folder)


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """Skips the test where nothing may be mounted, which takes root (or a sudo that does not ask).

    Where this is skipped, nothing of what it tests is known to hold.
    """
    folder.mkdir()
    try:
        _mount("mode=0777", "size=64m", folder)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", "") or error
        pytest.skip(f"no file system may be mounted here: {said}")
    try:
        yield SmallDisk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _mount(first: str, more: str, folder: Path) -> None:
    _run("mount", "-t", "tmpfs", "-o", f"{first},{more}", "tmpfs", str(folder))


def _run(*argv: str) -> None:
    before = () if os.getuid() == 0 else ("sudo", "-n")
    subprocess.run([*before, *argv], check=True, capture_output=True, text=True)
