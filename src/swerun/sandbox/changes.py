"""What differs between two work directories, told from their tar archives alone."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import IO

from swerun.ports import Changes
from swerun.sandbox.archives import CHUNK, members, undamaged

# A patch with more in it is of no use to anybody, and what is kept of it is held in memory.
LARGEST_FILE = 64 << 20  # bytes
LARGEST_TREE = 512 << 20
WHAT = "the work directory"

Fetch = Callable[[str], Iterable[bytes]]


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
    reading = _Reading({})
    reading.read(archive, keep=False)
    return reading.tree


def changes_since(before: Tree, fetch: Fetch) -> Changes:
    """How a work directory differs from `before`.

    `fetch` gives the archive of a path below it, "" being itself, or raises FileNotFoundError.
    Of a work directory that is gone, or is a file or a link now, everything is deleted.
    """
    reading = _Reading(before)
    with suppress(FileNotFoundError):  # then all of it is gone
        reading.read(fetch(""), keep=True)
    for path in reading.linked:
        reading.read_one(path, fetch(path))
    return Changes(
        tree=_tar(reading.kept),
        deleted=tuple(_topmost(reading.gone())),
        left_out=tuple(sorted(reading.left_out)),
    )


@dataclass(slots=True)
class _Reading:
    """One pass over an archive: what is there, and the bytes of what is not as before."""

    before: Tree
    tree: dict[str, Entry] = field(default_factory=dict)
    kept: dict[str, tuple[tarfile.TarInfo, bytes]] = field(default_factory=dict)
    linked: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    size: int = 0

    def read(self, archive: Iterable[bytes], *, keep: bool) -> None:
        with undamaged(WHAT):
            for member, file in members(archive, WHAT):
                _, _, path = member.name.strip("/").partition("/")
                if path and not _is_git(path):
                    self._take(path, member, file, keep=keep)

    def read_one(self, path: str, archive: Iterable[bytes]) -> None:
        """A file whose bytes the archive of the whole gave under another name."""
        with undamaged(WHAT):
            for member, file in members(archive, WHAT):
                self._take(path, member, file, keep=True)

    def gone(self) -> Iterator[str]:
        for path, entry in self.before.items():
            if path not in self.tree or self.tree[path].kind != entry.kind:
                yield path

    def _take(
        self, path: str, member: tarfile.TarInfo, file: IO[bytes] | None, *, keep: bool
    ) -> None:
        data = b""
        if member.isdir():
            entry = Entry(tarfile.DIRTYPE)
        elif member.issym():
            entry = Entry(tarfile.SYMTYPE, content=member.linkname)
        elif file is not None:
            digest, data = _digest(file, LARGEST_FILE if keep else 0)
            entry = Entry(tarfile.REGTYPE, bool(member.mode & 0o100), digest)
        elif member.islnk():
            self._link(path, member, keep=keep)
            return
        else:  # a pipe, a device: git does not see them
            return
        self.tree[path] = entry
        if keep and self.before.get(path) != entry:
            self._keep(path, member, data)

    def _link(self, path: str, member: tarfile.TarInfo, *, keep: bool) -> None:
        """A second name of a file that came before: to git it is a file like any other."""
        target = member.linkname.strip("/").partition("/")[2]
        entry = self.tree.get(target, Entry(tarfile.REGTYPE))
        self.tree[path] = entry
        if keep and self.before.get(path) != entry:
            self.linked.append(path)

    def _keep(self, path: str, member: tarfile.TarInfo, data: bytes) -> None:
        self.size += member.size
        if member.size > LARGEST_FILE or self.size > LARGEST_TREE:
            self.size -= member.size
            self.left_out.append(path)
            return
        header = copy(member)
        header.name = path
        header.pax_headers = {}
        self.kept[path] = (header, data)


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


def _tar(kept: Mapping[str, tuple[tarfile.TarInfo, bytes]]) -> bytes:
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
        for header, data in kept.values():
            tar.addfile(header, io.BytesIO(data))
    return made.getvalue()
