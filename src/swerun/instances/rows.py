"""Rows of a dataset: read from files of this machine, and asked for their fields."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swerun.errors import InputError, InstanceError
from swerun.names import flaw_of

FORMATS = (".parquet", ".jsonl", ".json")


@dataclass(frozen=True, slots=True)
class Row:
    """One row. `where` is what it is of and its number there, from 1, for the messages."""

    where: str
    values: Mapping[str, Any]

    def wrong(self, field: str, expected: str) -> InstanceError:
        """What is to be raised for `field`: what is there, and what was expected."""
        who = self.values.get("instance_id")
        named = f" ({who})" if isinstance(who, str) and field != "instance_id" else ""
        found = repr(self.values.get(field))
        shown = found if len(found) <= 80 else found[:80] + "..."
        return InstanceError(f"{self.where}{named}: {field}: found {shown}, expected {expected}")

    def text(self, field: str, default: str | None = None) -> str:
        """A string that is not blank, or `default` where there is none.

        Raises InstanceError for what is no string, and without `default` for a blank one.
        """
        value = self.values.get(field)
        if value is None or (isinstance(value, str) and not value.strip()):
            if default is not None:
                return default
            raise self.wrong(field, "a string that is not empty")
        if not isinstance(value, str):
            raise self.wrong(field, "a string")
        return value

    def id(self) -> str:
        """The `instance_id`. Raises InstanceError for one that could not be a folder's name."""
        found = self.text("instance_id")
        if flaw := flaw_of(found):
            raise self.wrong("instance_id", f"a name that a folder may have: {flaw}")
        return found

    def names(self, *fields: str) -> tuple[str, ...]:
        """The strings of the first of `fields` that is there: a list, or one written as JSON or as
        Python would, as the datasets have it. None at all where no field is there.
        """
        field = next((f for f in fields if self.values.get(f) is not None), None)
        value = () if field is None else self._listed(field)
        return tuple(value)

    def mapping(self, field: str) -> Mapping[str, Any]:
        """A mapping, or one written as JSON; an empty one where there is none."""
        value = self.values.get(field)
        if isinstance(value, str):
            try:
                value = json.loads(value) if value.strip() else None
            except ValueError as error:
                raise self.wrong(field, "an object, as JSON") from error
        if not isinstance(value, Mapping | None):
            raise self.wrong(field, "an object")
        return value or {}

    def _listed(self, field: str) -> Sequence[str]:
        value = self.values[field]
        if isinstance(value, str):
            value = _written(value)
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) for v in value):
            raise self.wrong(field, "a list of strings, or one written as JSON")
        return value


def _written(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        try:
            return ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None


def read_rows(file: Path, wanted: frozenset[str]) -> list[Row]:
    """The rows of a .parquet, .jsonl or .json file, with those of the `wanted` fields they have.

    Raises InputError for a file that is not there, InstanceError for one that is malformed.
    """
    if not file.is_file():
        raise InputError(f"there is no file {file}")
    read = {".parquet": _parquet, ".jsonl": _jsonl, ".json": _json}[file.suffix]
    return rows_of(str(file), read(file, wanted), wanted)


def rows_of(source: str, read: Sequence[object], wanted: frozenset[str]) -> list[Row]:
    """`read` as rows of `source`. Raises InstanceError where it is no mapping."""
    rows = []
    for number, value in enumerate(read, start=1):
        where = f"{source}: row {number}"
        if not isinstance(value, Mapping):
            raise InstanceError(f"{where}: found {str(value)[:80]!r}, expected an object")
        rows.append(Row(where, {k: v for k, v in value.items() if k in wanted}))
    return rows


def _parquet(file: Path, wanted: frozenset[str]) -> list[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as opened:
            there = [name for name in opened.schema_arrow.names if name in wanted]
            # one thread: a pool for a file of a few MB takes longer to start than it saves
            return list(opened.read(columns=there, use_threads=False).to_pylist())
    except (pa.ArrowException, OSError) as error:
        raise InstanceError(f"{file}: this is no parquet file: {error}") from error


def _jsonl(file: Path, wanted: frozenset[str]) -> list[Any]:  # noqa: ARG001
    return list(_lines(file))


def _lines(file: Path) -> Iterator[object]:
    for number, line in enumerate(_text(file).split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except ValueError as error:
                raise InstanceError(f"{file}: line {number} is no JSON: {error}") from error


def _json(file: Path, wanted: frozenset[str]) -> list[Any]:  # noqa: ARG001
    """A list of rows; or an object of them, by id."""
    try:
        read = json.loads(_text(file))
    except ValueError as error:
        raise InstanceError(f"{file}: this is no JSON: {error}") from error
    if isinstance(read, dict):
        read = list(read.values())
    if not isinstance(read, list):
        raise InstanceError(f"{file}: found {str(read)[:80]!r}, expected a list of rows")
    return read


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InstanceError(f"{file}: it cannot be read as UTF-8 text: {error}") from error
