"""Writes a folder that a user names: all of it, or nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from swerun.errors import InputError

LONGEST_NAME = 255  # bytes, on the file systems that there are


@dataclass(frozen=True, slots=True)
class File:
    """`path` is relative to the folder, with slashes."""

    path: str
    data: bytes


def write_folder(folder: Path, files: Iterable[File]) -> None:
    """`files` as the folder's only content. It becomes visible once all of them are written.

    Raises InputError for a folder that has something in it, for a path that leads out of it, and
    where it cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already, and is not empty: name another folder")
    folder = folder.resolve()  # "." has no name
    made = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        made.mkdir(parents=True)
        for file in files:
            path = made.joinpath(*_parts(file.path))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
        made.replace(folder)
    except OSError as error:
        raise InputError(f"{folder} could not be written: {error.strerror}") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    for part in parts:
        if part in {"", ".", ".."} or "\0" in part or len(part.encode()) > LONGEST_NAME:
            raise InputError(f"{path!r} is no name for a file: nothing was written")
    return parts
