"""What containers use of the disk of their engine, looked at from outside."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docker import DockerClient

LOCAL = "http+docker://localhost"  # how the SDK calls what listens on a socket of this machine
BLOCK = 512  # bytes, of `st_blocks`
PROCESSES = Path("/proc")
DELETED = " (deleted)"  # what the kernel writes behind the name of a file that has none any more


@dataclass(frozen=True, slots=True)
class Room:
    """What is free on a disk: bytes, and files that can still be made.

    `each` is how many bytes it has for a file; 0 where it has no number of files.
    """

    bytes: int
    files: int = 0
    each: int = 0

    @property
    def worth(self) -> int:
        """Both, in bytes."""
        return self.bytes + self.files * self.each

    def is_below(self, reserve: int) -> bool:
        """Whether so many bytes are not left, or not for so many bytes' worth of files."""
        return self.bytes < reserve or bool(self.each and self.files * self.each < reserve)


@dataclass(frozen=True, slots=True)
class Used:
    """What a container has of its own: bytes on the disk, and files; 0 where nobody counted."""

    bytes: int
    files: int = 0


def free_room(client: DockerClient) -> Callable[[], Room] | None:
    """How much is free where the engine keeps containers; None where it is on another machine."""
    if client.api.base_url != LOCAL:
        return None
    # An engine in a virtual machine has its disk in a file of this one, and swerun in a container
    # stands on the disk itself.
    root = str(client.info().get("DockerRootDir") or "/")
    place = root if Path(root).is_dir() else "/"

    def free() -> Room:
        found = os.statvfs(place)
        each = found.f_blocks * found.f_frsize // found.f_files if found.f_files else 0
        return Room(found.f_bavail * found.f_frsize, found.f_favail, each)

    return free


def files_in(layer: Path) -> Used | None:
    """What is in the folder where an engine keeps what a container wrote; None where it cannot be
    read, by who is not root or not on the engine's machine.

    A file has no name more than once in it. What lies deeper than a path is long is not counted.
    """
    try:
        waiting = [next_of(layer)]
    except OSError:
        return None
    size = files = 0
    linked = set[int]()
    while waiting:
        for entry in waiting.pop():
            with suppress(OSError):  # it went, meanwhile
                found = entry.stat(follow_symlinks=False)
                if found.st_nlink > 1 and not stat.S_ISDIR(found.st_mode):
                    if found.st_ino in linked:
                        continue
                    linked.add(found.st_ino)
                size, files = size + found.st_blocks * BLOCK, files + 1
                if stat.S_ISDIR(found.st_mode):
                    waiting.append(next_of(entry.path))
    return Used(size, files)


def next_of(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return list(entries)


def held_open(container: str) -> int:
    """Bytes of files that a container's processes have open and that have no name any more: no
    folder shows them. 0 where its processes cannot be seen."""
    held = dict[tuple[int, int], int]()
    for process in _processes_of(container):
        with suppress(OSError):  # it ended, or is another user's
            disk = (process / "root").stat().st_dev
            for each in (process / "fd").iterdir():
                with suppress(OSError):
                    if not str(each.readlink()).endswith(DELETED):
                        continue
                    found = each.stat()
                    if stat.S_ISREG(found.st_mode) and found.st_dev == disk:  # not in memory
                        held[found.st_dev, found.st_ino] = found.st_blocks * BLOCK
    return sum(held.values())


def _processes_of(container: str) -> Iterator[Path]:
    numbers: Iterable[Path] = PROCESSES.glob("[0-9]*")
    for process in numbers:
        with suppress(OSError):
            if container in (process / "cgroup").read_text():
                yield process
