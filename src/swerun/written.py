"""JSON that others wrote, value by value, each with the place where it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from swerun.errors import InputError

LARGEST = 1 << 30  # bytes of one value: what is larger is no agent's work, and has to fit in memory
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Written:
    """One JSON value; `key` is the id under which it stands, where it stands under one."""

    where: str
    value: object
    key: str | None = None


def lines_in(path: Path, largest: int = LARGEST) -> Iterator[Written]:
    """A value a line, read line by line: some have whole trajectories in them.

    Raises InputError that names the file and the line.
    """
    with _opened(path) as file:
        number = 0
        while line := file.readline(largest + 1):
            number += 1
            where = f"{path}, line {number}"
            _refuse_larger(line, largest, where)
            if line.strip():
                yield Written(where, parsed(line, where))


def values_in(path: Path, largest: int = LARGEST) -> Iterator[Written]:
    """Those of a list, those of a mapping of ids to them, or the one that the file is.

    Raises InputError that names the file.
    """
    data = _all_of(path, largest)
    hint = "; a file with one object a line is named .jsonl"
    read = parsed(data, str(path), hint if data.lstrip().startswith(b"{") else "")
    if isinstance(read, list):
        for number, value in enumerate(read, start=1):
            yield Written(f"{path}, number {number}", value)
    elif isinstance(read, dict) and "instance_id" not in read:
        for key, value in read.items():
            yield Written(f"{path}, {key}", value, key)
    else:
        yield Written(str(path), read)


def value_in(path: Path, largest: int = LARGEST) -> object:
    """The one value that a file is. Raises InputError that names it."""
    return parsed(_all_of(path, largest), str(path))


def parsed(data: bytes, where: str, hint: str = "") -> object:
    """Raises InputError for what is not JSON, in UTF-8."""
    try:
        return json.loads(data.removeprefix(BOM).decode())
    except UnicodeDecodeError as error:
        at = f"byte {error.start + 1} is {error.object[error.start]:#x}"
        raise InputError(f"{where}: it is not UTF-8: {at}") from error
    except RecursionError as error:
        raise InputError(f"{where}: its values are nested too deeply to be read") from error
    except ValueError as error:
        raise InputError(f"{where}: it is not JSON: {error}{hint}") from error


def _opened(path: Path) -> BinaryIO:
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise InputError(f"{path} cannot be read: it is no file")
    try:
        return path.open("rb")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _all_of(path: Path, largest: int) -> bytes:
    with _opened(path) as file:
        data = file.read(largest + 1)
    _refuse_larger(data, largest, str(path))
    return data


def _refuse_larger(data: bytes, largest: int, where: str) -> None:
    if len(data) > largest:
        raise InputError(f"{where}: it is larger than {largest:,} bytes")
