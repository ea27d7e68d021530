"""Results that others published: files with what became of each instance, and headline scores."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from io import StringIO
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from swerun.errors import InputError
from swerun.records import Outcome, Record
from swerun.report.sides import Side, Trial

COLUMNS = ("model", "instance_id", "resolved", "api_calls", "cost_usd")
_YES, _NO = {"1", "true", "yes"}, {"0", "false", "no"}


class _Theirs(BaseModel):
    """Others' shapes: what is known of them is taken, the rest passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Detail(_Theirs):
    resolved: bool
    api_calls: float | None = None
    cost: float | None = None


class _Result(_Theirs):
    name: str
    folder: str = ""
    date: str = ""
    agent: str | None = None
    version: str | None = Field(default=None, alias="mini-swe-agent_version")
    details: Mapping[str, _Detail] | None = Field(default=None, alias="per_instance_details")


class _Board(_Theirs):
    name: str
    results: tuple[_Result, ...]


class _Boards(_Theirs):
    leaderboards: tuple[_Board, ...]


@dataclass(frozen=True, slots=True)
class Published:
    """What a file has: a side for each row with its instances; `bare` counts the rows without."""

    sides: tuple[Side, ...]
    bare: int = 0


class Headline(Record):
    """A score as it was published. All that it takes to understand it must be there."""

    model: str
    subset: str
    resolved: float = Field(ge=0, le=100)  # per cent
    scaffold: str = Field(min_length=1)
    limits: str = Field(min_length=1)
    date: date
    source: str = Field(min_length=1)
    note: str = ""


def read_published(path: Path) -> Published:
    """SWE-bench's leaderboards.json, or a CSV with COLUMNS (the last two may be missing or empty).

    Raises InputError that names the file, and the line or key that is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the published results {path} cannot be read: {error}") from error
    return from_csv(text, path.name) if path.suffix == ".csv" else from_boards(text, path.name)


def from_boards(text: str, name: str) -> Published:
    try:
        boards = _Boards.model_validate(_boards(json.loads(text))).leaderboards
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{name} is no leaderboards.json: {where}: {first['msg']}") from error
    except ValueError as error:
        raise InputError(f"{name} is no JSON: {error}") from error
    rows = [(board, result) for board in boards for result in board.results]
    told = [(board, result) for board, result in rows if result.details]
    sides = [_side_of_result(board, result) for board, result in _once(told)]
    return Published(_with_names_of_their_own(sides), len(rows) - len(told))


def _boards(parsed: object) -> object:
    """The site's pages hold the list alone, its repository's file one key around it."""
    return {"leaderboards": parsed} if isinstance(parsed, list) else parsed


def _once(told: Sequence[tuple[_Board, _Result]]) -> Iterator[tuple[_Board, _Result]]:
    """Each run as the first board has it: what is on `bash-only` is on `Verified` as well, by
    another name and from the same folder."""
    seen = dict[str, list[_Result]]()
    for board, result in told:
        there = seen.setdefault(result.folder, [])
        if not result.folder or all(result.details != other.details for other in there):
            there.append(result)
            yield board, result


def _side_of_result(board: _Board, result: _Result) -> Side:
    scaffold = result.agent or "mini-SWE-agent" if result.version else result.agent or ""
    by = " ".join(filter(None, (scaffold, result.version)))
    source = ", ".join(filter(None, (f"SWE-bench leaderboard {board.name}", by, result.date)))
    trials = {
        instance_id: (_trial(_outcome(resolved=detail.resolved), detail.api_calls, detail.cost),)
        for instance_id, detail in (result.details or {}).items()
    }
    return Side(result.name, result.name, trials, source=source)


def _with_names_of_their_own(sides: Sequence[Side]) -> tuple[Side, ...]:
    """A model may be on several boards, or on one several times: then its source is in the name."""
    named = [side.name for side in sides]
    return tuple(
        side
        if named.count(side.name) == 1
        else Side(f"{side.name} ({side.source})", side.model, side.trials, source=side.source)
        for side in sides
    )


def from_csv(text: str, name: str) -> Published:
    rows = csv.DictReader(StringIO(text))
    missing = [column for column in COLUMNS[:3] if column not in (rows.fieldnames or ())]
    if missing:
        raise InputError(
            f"{name} has no column {', '.join(missing)}; it takes {', '.join(COLUMNS)}"
        )
    models: dict[str, dict[str, tuple[Trial, ...]]] = {}
    for row in rows:
        trials = models.setdefault(row["model"], {})
        found = _row(row, f"{name}, line {rows.line_num}")
        trials[row["instance_id"]] = (*trials.get(row["instance_id"], ()), found)
    return Published(tuple(Side(m, m, trials, source=name) for m, trials in models.items()))


def _row(row: Mapping[str, str | None], where: str) -> Trial:
    said = (row["resolved"] or "").strip().lower()
    if said not in _YES | _NO:
        raise InputError(f"{where}: resolved is {said!r}; it must be 1 or 0")
    calls, cost = (_number(row.get(column), f"{where}: {column}") for column in COLUMNS[3:])
    return _trial(_outcome(resolved=said in _YES), calls, cost)


def _number(text: str | None, where: str) -> float | None:
    if not text or not text.strip():
        return None
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{where} is {text!r}, which is no number") from error


def _outcome(*, resolved: bool) -> Outcome:
    return Outcome.RESOLVED if resolved else Outcome.UNRESOLVED


def _trial(outcome: Outcome, calls: float | None, cost: float | None) -> Trial:
    return Trial(outcome, steps=None if calls is None else int(calls), cost=cost)


def chosen(found: Sequence[Side], globs: Sequence[str]) -> tuple[Side, ...]:
    """Those whose names fit one of `globs`, whatever their case; all, where there are none.

    Raises InputError for a glob that fits none, with the names there are.
    """
    if not globs:
        return tuple(found)
    for glob in globs:
        if not any(_fits(side, glob) for side in found):
            names = ", ".join(side.name for side in found) or "none with per-instance results"
            raise InputError(f"--row {glob}: no published row is called so. There are: {names}")
    return tuple(side for side in found if any(_fits(side, glob) for glob in globs))


def _fits(side: Side, glob: str) -> bool:
    return side.name == glob or fnmatchcase(side.name.lower(), glob.lower())


def headlines() -> Iterator[Headline]:
    """The scores that ship with swerun, as headlines.csv has them."""
    text = (Path(__file__).parent / "headlines.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(StringIO(text)):
        yield Headline.model_validate(row)
