"""Tar archives in chunks, read and written without ever being held in whole."""

from __future__ import annotations

import io
import posixpath
import tarfile
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from swerun.errors import SandboxError

CHUNK = 1 << 20
STREAM = 1 << 15  # bytes that tarfile takes at once: it copies what is left of them for each header
END = 1024  # zeros that end an archive


def first_file(archive: Iterable[bytes], path: str, limit: int | None) -> bytes:
    """The first `limit` bytes, or all, of the file that `archive` is of; what follows is not read.

    Raises FileNotFoundError where it is of something else, SandboxError where it breaks off.
    """
    try:
        with tarfile.open(fileobj=Joined(archive), mode="r|", bufsize=STREAM) as tar:
            member = tar.next()
            regular = member is not None and member.isreg()  # a link leads out of the archive
            file = tar.extractfile(member) if member and regular else None
            if file is None:
                raise FileNotFoundError(f"{path} is no file")
            return file.read() if limit is None else file.read(limit)
    except tarfile.TarError as error:
        raise SandboxError(f"the archive of {path} breaks off or is damaged: {error}") from error


def below(tree: bytes, folder: str) -> Iterator[bytes]:
    """The archive `tree`, as one of all that is below `/` with its files in `folder`.

    Engines refuse a link that leads out of the folder that an archive is laid over.
    """
    with tarfile.open(fileobj=io.BytesIO(tree), encoding="utf-8", errors="surrogateescape") as tar:
        for member in tar:
            file = tar.extractfile(member) if member.isreg() else None
            member.name = posixpath.join(folder, member.name).lstrip("/")
            if member.islnk():
                member.linkname = posixpath.join(folder, member.linkname).lstrip("/")
            yield member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
            while file and (chunk := file.read(CHUNK)):
                yield chunk
            yield bytes(-member.size % tarfile.BLOCKSIZE)
    yield bytes(END)


def members(
    archive: Iterable[bytes], what: str
) -> Generator[tuple[tarfile.TarInfo, IO[bytes] | None]]:
    """Each header, with its bytes where it is a file; to be read before the next is asked for.

    Raises SandboxError where the archive breaks off: what was to come would look deleted.
    """
    joined = Joined(archive)
    with tarfile.open(
        fileobj=joined, mode="r|", bufsize=STREAM, encoding="utf-8", errors="surrogateescape"
    ) as tar:
        for member in tar:
            yield member, tar.extractfile(member) if member.isreg() else None
            tar.members = []  # type: ignore[attr-defined]  # a stream cannot go back, and these add up
        # tarfile takes what it cannot read between two members for the end
        while joined.read(CHUNK):
            pass
        whole = joined.length >= tar.offset + END and not joined.last.strip(b"\0")
    if not whole:
        raise SandboxError(f"the archive of {what} breaks off")


@contextmanager
def undamaged(what: str) -> Iterator[None]:
    """What the bytes of an archive are read in. Raises SandboxError for damaged ones."""
    try:
        yield
    except tarfile.TarError as error:
        raise SandboxError(f"the archive of {what} is damaged: {error}") from error


class Joined(io.RawIOBase):
    """Chunks as a file to read from; `last` are the last END bytes of the `length` that came."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")
        self.length, self.last = 0, b""

    def read(self, size: int = -1) -> bytes:
        taken, missing = [], size
        while missing > 0:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
                self.length += len(chunk)
                self.last = (self.last + chunk[-END:])[-END:]
            taken.append(self._rest[:missing])
            missing -= len(taken[-1])
            self._rest = self._rest[len(taken[-1]) :]
        return b"".join(taken)
