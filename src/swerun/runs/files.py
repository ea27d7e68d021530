"""Files that are whole or not there, and records that are read with care."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from swerun.errors import InputError, NewerFormatError
from swerun.records import SCHEMA_VERSION

R = TypeVar("R", bound=BaseModel)


def write(path: Path, data: bytes) -> None:
    """All of it or none of it, even if we are killed half way.

    Raises InputError where there is no room or no permission: it says which file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> InputError:
    """What to tell a user whose disk is full or whose folder is not theirs."""
    todo = "make room and run the same command again" if error.errno == errno.ENOSPC else ""
    return InputError(f"{path} could not be written: {error.strerror}. {todo}".rstrip())


def numbers_in(folder: Path) -> list[int]:
    """What the numbered folders in it are called; whatever else lies there is none of ours."""
    return [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]


def write_record(path: Path, record: BaseModel) -> None:
    write(path, (record.model_dump_json(indent=1) + "\n").encode())


def read_record(path: Path, kind: type[R]) -> R:
    """Raises NewerFormatError for a file of a newer swerun, InputError for one that is broken."""
    try:
        text = path.read_text(encoding="utf-8")
        version = json.loads(text).get("schema_version", 1)
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise NewerFormatError(
                f"{path} was written by a newer swerun (its schema_version is {version}, this one "
                f"reads up to {SCHEMA_VERSION}). Upgrade swerun, or choose another --runs folder."
            )
        return kind.model_validate_json(text)
    except (OSError, UnicodeDecodeError, ValueError, AttributeError, ValidationError) as error:
        raise InputError(f"{path} cannot be read as a {kind.__name__}: {error}") from error


def read_lines(path: Path, kind: type[R]) -> Iterator[R]:
    """The records of a file with one a line; a last line torn by a kill is passed over."""
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield kind.model_validate_json(line)
