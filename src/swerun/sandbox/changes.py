"""What differs between two work directories, told from their tar archives alone."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from copy import copy
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import PurePosixPath
from typing import IO

from swerun.ports import Changes
from swerun.sandbox.archives import CHUNK, members, undamaged

NAMED = 1000  # of what is left out
WHAT = "the work directory"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is read and kept of a work directory at most: bytes of a `file` and of the `tree` that
    is kept, `new` paths, and bytes and `entries` that are read.

    A patch with more in it is of no use to anybody, and what is kept of it is held in memory.
    """

    file: int = 64 << 20
    tree: int = 128 << 20
    new: int = 100_000
    read: int = 16 << 30
    entries: int = 2_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """What is compared of a path: its type, whether it is executable, its bytes or its target.

    Not its owner and times: git keeps neither, and the engine's archives give whole seconds only.
    """

    kind: bytes
    executable: bool = False
    content: str = ""


Tree = Mapping[str, Entry]


def tree_of(archive: Iterable[bytes]) -> Tree:
    """Every path below the one directory that `archive` holds, `.git` left out."""
    reading = _Reading({}, None)
    reading.read(archive)
    return reading.tree


def changes_since(before: Tree, archive: Iterable[bytes], bounds: Bounds | None = None) -> Changes:
    """How a work directory differs from `before`; reading its `archive` raises FileNotFoundError
    where there is none.

    Of a work directory that is gone, or is a file or a link now, everything is deleted. What is
    beyond the bounds is left out, the largest first, and what was not read counts as unchanged.
    """
    reading = _Reading(before, bounds or Bounds())
    with suppress(FileNotFoundError):  # then all of it is gone
        reading.read(archive)
    kept = reading.made()
    return Changes(
        tree=_tar(kept), deleted=tuple(_topmost(reading.gone())), left_out=reading.left_out()
    )


Kept = dict[str, tuple[tarfile.TarInfo, bytes]]


@dataclass(slots=True)
class _Reading:
    """One pass over an archive: what is there, and, where there are `bounds` to it, the bytes of
    what is not as before."""

    before: Tree
    bounds: Bounds | None
    tree: dict[str, Entry] = field(default_factory=dict)
    kept: Kept = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    uncounted: int = 0  # new paths that are left out because there are so many
    unread: str = ""  # the first path that was not read
    _largest: list[tuple[int, str]] = field(default_factory=list)  # a heap, sizes negative
    _new: int = 0
    _size: int = 0  # of what is kept

    def read(self, archive: Iterable[bytes]) -> None:
        seen = size = 0
        with undamaged(WHAT), closing(members(archive, WHAT)) as found:
            for member, file in found:
                _, _, path = member.name.strip("/").partition("/")
                seen, size = seen + 1, size + member.size
                if self.bounds and (seen > self.bounds.entries or size > self.bounds.read):
                    self.unread = path
                    return
                if path and not _is_git(path):
                    self._take(path, member, file)

    def made(self) -> Kept:
        """What is kept, but for other names of files that are not."""
        for path, (header, _) in list(self.kept.items()):
            if header.islnk() and header.linkname in self.left:
                del self.kept[path]
                self.left.add(path)
        return self.kept

    def gone(self) -> Iterator[str]:
        for path, entry in self.before.items():
            there = self.tree.get(path)
            if there.kind != entry.kind if there else not self.unread:
                yield path

    def left_out(self) -> tuple[str, ...]:
        """Names, and words where there are too many of them."""
        named = sorted(self.left)[:NAMED]
        if more := len(self.left) - len(named) + self.uncounted:
            named.append(f"and {more:,} more")
        if self.unread:
            named.append(f"{self.unread} and all that comes after it, which was not read")
        return tuple(named)

    def _take(self, path: str, member: tarfile.TarInfo, file: IO[bytes] | None) -> None:
        data = b""
        if member.isdir():
            entry = Entry(tarfile.DIRTYPE)
        elif member.issym():
            entry = Entry(tarfile.SYMTYPE, content=member.linkname)
        elif file is not None:
            digest, data = _digest(file, self.bounds.file if self.bounds else 0)
            entry = Entry(tarfile.REGTYPE, bool(member.mode & 0o100), digest)
        elif member.islnk():  # a second name: to git it is a file like any other
            member.linkname = member.linkname.strip("/").partition("/")[2]
            entry = self.tree.get(member.linkname, Entry(tarfile.REGTYPE))
        else:  # a pipe, a device: git does not see them
            return
        if self.bounds is None or path in self.before:
            self.tree[path] = entry
        if self.bounds and self.before.get(path) != entry:
            self._keep(path, entry, member, data)

    def _keep(self, path: str, entry: Entry, member: tarfile.TarInfo, data: bytes) -> None:
        bounds = self.bounds or Bounds()
        is_new = path not in self.before
        if is_new and self._new >= bounds.new:
            self.uncounted += 1
            return
        # another name of what is in `.git`, or was left out
        is_unknown = member.islnk() and member.linkname not in self.tree
        if member.size > bounds.file or is_unknown:
            self.left.add(path)
            return
        header = copy(member)
        header.name = path
        header.pax_headers = {}
        self.kept[path], self.tree[path] = (header, data), entry
        self._new += is_new
        self._size += len(data)
        heappush(self._largest, (-len(data), path))
        while self._size > bounds.tree:
            size, largest = heappop(self._largest)
            self._size += size
            del self.kept[largest]
            self.left.add(largest)


def _digest(file: IO[bytes], limit: int) -> tuple[str, bytes]:
    """The digest of all bytes, and the bytes themselves if they are at most `limit`."""
    digest, data, size = hashlib.blake2b(digest_size=16), [], 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if size <= limit:
            data.append(chunk)
    return digest.hexdigest(), b"".join(data) if size <= limit else b""


def _is_git(path: str) -> bool:
    """Git itself refuses such names in any spelling; a repository in the tree is plain files."""
    return any(part.lower() == ".git" for part in PurePosixPath(path).parts)


def _topmost(paths: Iterable[str]) -> Iterator[str]:
    last = None
    for path in sorted(paths, key=lambda path: PurePosixPath(path).parts):
        if last is None or not path.startswith(last + "/"):
            last = path
            yield path


def _tar(kept: Kept) -> bytes:
    """An archive of it, which takes the place of it."""
    if not kept:
        return b""
    made = io.BytesIO()
    # GNU's format takes names as bytes, whatever they are; the other one wants them to be UTF-8
    with tarfile.open(
        fileobj=made,
        mode="w",
        format=tarfile.GNU_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
    ) as tar:
        for path in list(kept):
            header, data = kept.pop(path)
            tar.addfile(header, io.BytesIO(data))
            tar.members = []  # type: ignore[attr-defined]
    return made.getvalue()
