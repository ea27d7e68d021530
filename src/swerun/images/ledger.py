"""Which images on an engine swerun pulled or built, and which of them are in use just now.

The files lie in the cache, one an image. Without them nothing is lost but that knowledge: an image
that was built is built again (of the engine's own cache of steps), and prune knows less.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from swerun.errors import StorageError
from swerun.records import Stored


class Note(Stored):
    """What is known of an image that swerun brought onto the engine."""

    image: str
    id: str
    inputs: str = ""  # the digest of what it was built of; "" for one that was pulled
    names: tuple[str, ...] = ()  # all that swerun gave it
    run: str = ""  # the run that it was for; "" for `swerun images`


@dataclass(frozen=True, slots=True)
class Ledger:
    """The notes on one engine's images. Processes and threads may share a folder.

    Whatever writes raises StorageError where it cannot.
    """

    folder: Path

    def note(self, image: str) -> Note | None:
        return _read(self._file(image))

    def notes(self) -> list[Note]:
        found = (_read(path) for path in sorted(self.folder.glob("*.json")))
        return [note for note in found if note]

    def write(self, note: Note) -> None:
        file = self._file(note.image)
        fresh = file.with_suffix(".new")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            fresh.write_text(note.model_dump_json(), encoding="utf-8")
            fresh.replace(file)
        except OSError as error:
            raise StorageError.of(file, error) from error

    def forget(self, image: str) -> None:
        self._file(image).unlink(missing_ok=True)

    @contextmanager
    def in_use(self, image: str) -> Iterator[None]:
        """While this lasts nobody who asks `unused` removes it. Ends with the process, too."""
        with self._lock(image) as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            yield

    @contextmanager
    def unused(self, image: str) -> Iterator[bool]:
        """Whether nobody uses it; then nobody begins to while this lasts."""
        with self._lock(image) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    @contextmanager
    def _lock(self, image: str) -> Iterator[IO[str]]:
        path = self._file(image).with_suffix(".lock")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file = path.open("w")
        except OSError as error:
            raise StorageError.of(path, error) from error
        with file:
            yield file

    def _file(self, image: str) -> Path:
        return self.folder / f"{hashlib.sha256(image.encode()).hexdigest()[:32]}.json"


def _read(file: Path) -> Note | None:
    try:
        return Note.model_validate_json(file.read_bytes())
    except (FileNotFoundError, ValidationError):  # one of another version is none
        return None
