"""What eval scripts printed before, kept by content, so that the same patch is never run twice.

An entry holds a run of the tests, not its verdict: that is judged anew each time, so a parser that
was mended and expected tests that were changed show at once.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue, ValidationError

from swerun.grading.apply import Applied
from swerun.grading.evaluate import Ran
from swerun.ports import Log
from swerun.records import Stored


class Entry(Stored):
    """The first line of an entry's file; what follows is the log's bytes.

    `sha256` is theirs: whatever was torn, mixed up or damaged is no entry.
    """

    key: str
    applied_with: str | None
    exit_code: int | None
    eval_seconds: float
    made_at: datetime
    made_on: str
    packed: bool
    sha256: str
    notes: str = ""  # a witness's
    script: str = ""  # that was run, where it was not the eval script alone


def key_of(parts: Mapping[str, JsonValue]) -> str:
    """64 hex digits that change when any part does."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RunCache:
    """Below `folder`, a file an entry; threads and processes may share it.

    A file appears whole or not at all, and is never changed but by being replaced: nobody waits for
    anybody. Where it cannot be written nothing is kept, and no grade fails of that.
    """

    folder: Path

    def find(self, key: str) -> Ran | None:
        """The run that is kept under `key`; what is damaged, or of another version, is none."""
        try:
            line, _, data = self._path(key).read_bytes().partition(b"\n")
            entry = Entry.model_validate_json(line)
        except (OSError, ValidationError):
            return None
        if entry.key != key or entry.sha256 != hashlib.sha256(data).hexdigest():
            return None
        return Ran(
            at=entry.made_at,
            host=entry.made_on,
            cached=True,
            applied=Applied(entry.applied_with, "") if entry.applied_with else None,
            log=Log(data, entry.packed),
            exit_code=entry.exit_code,
            eval_seconds=entry.eval_seconds,
            notes=entry.notes,
            script=entry.script,
        )

    def keep(self, key: str, ran: Ran) -> None:
        entry = Entry(
            key=key,
            applied_with=ran.applied.command if ran.applied else None,
            exit_code=ran.exit_code,
            eval_seconds=ran.eval_seconds,
            made_at=ran.at,
            made_on=ran.host,
            packed=ran.log.packed,
            sha256=hashlib.sha256(ran.log.data).hexdigest(),
            notes=ran.notes,
            script=ran.script,
        )
        path = self._path(key)
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                fresh.write_bytes(entry.model_dump_json().encode() + b"\n" + ran.log.data)
                fresh.replace(path)
            finally:
                fresh.unlink(missing_ok=True)

    def forget(self, key: str) -> None:
        with suppress(OSError):
            self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key[2:]
