"""An attempt's gradings on disk: grades/<g>/ with the script, what it printed, and the grade."""

from __future__ import annotations

import zlib
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

from swerun.errors import InputError, StorageError
from swerun.ports import Graded, Log
from swerun.records import Attempt, Grade
from swerun.runs.files import numbers_in, read_record, write, write_record

PLAIN, PACKED = "test_output.txt", "test_output.txt.gz"  # a log, and one that is long


@dataclass(frozen=True, slots=True)
class StoredGrade:
    """One grading. Where its log was judged again later, that grade's `log_of` is this `number`."""

    folder: Path
    grade: Grade

    @property
    def number(self) -> int:
        return int(self.folder.name)

    @property
    def log_number(self) -> int:
        """The number of the grading whose log this is a judgement of: its own, or an earlier."""
        return self.grade.log_of or self.number

    def log(self) -> bytes | None:
        """All that is kept of what the tests printed; None where it is gone, or damaged."""
        for name in (PLAIN, PACKED):
            with suppress(InputError):
                return read_log_file(self._ran / name)
        return None

    def script(self) -> bytes | None:
        """The eval script that printed it."""
        path = self._ran / "eval.sh"
        return path.read_bytes() if path.is_file() else None

    @property
    def _ran(self) -> Path:
        """Where the evidence of that run of the tests lies."""
        return self.folder.with_name(str(self.log_number))


def read_log_file(path: Path) -> bytes:
    """A saved log, plain or .gz. Raises InputError where it cannot be read."""
    try:
        return Log(path.read_bytes(), packed=path.suffix == ".gz").whole()
    except (OSError, zlib.error) as error:
        raise InputError(f"the log {path} cannot be read: {error}") from error


def stored_grades(folder: Path) -> list[StoredGrade]:
    """All gradings in an attempt's `grades` folder that came to their end, oldest first."""
    there = (folder / str(number) for number in sorted(numbers_in(folder)))
    closed = [each for each in there if (each / "grade.json").exists()]
    return [StoredGrade(each, read_record(each / "grade.json", Grade)) for each in closed]


def newest(grades: list[StoredGrade]) -> StoredGrade | None:
    """The one that counts. A confirmation is no verdict, nor is a trial."""
    verdicts = (one for one in grades if not (one.grade.confirmation or one.grade.trial))
    return max(verdicts, key=attrgetter("number"), default=None)


def confirmations(grades: list[StoredGrade], of: StoredGrade) -> list[StoredGrade]:
    """Those that came after the run of the tests that `of` judges, and before the next."""
    found = list[StoredGrade]()
    for each in grades:
        if each.number <= of.log_number or each.grade.trial:
            continue
        if each.grade.confirmation:
            found.append(each)
        elif each.grade.log_of is None:
            break
    return found


def write_graded(folder: Path, graded: Graded) -> None:
    """A folder of its own for each run of the tests; grade.json, last, closes it."""
    for each in (graded, *graded.trials, *graded.confirmations):
        made = _next(folder)
        write(made / "eval.sh", each.eval_script.encode())
        write(made / (PACKED if each.log.packed else PLAIN), each.log.data)
        if each.notes:
            write(made / "notes.txt", each.notes.encode())
        write_record(made / "grade.json", each.grade)


def write_regrade(folder: Path, grade: Grade) -> None:
    """A judgement alone: script and log stay where they are, and `log_of` says where."""
    write_record(_next(folder) / "grade.json", grade)


def as_regraded(attempt: Attempt, folder: Path) -> Attempt:
    """`attempt` with the verdict of its newest grade, where a log of it was judged again."""
    if attempt.grade is None or len(numbers_in(folder)) < 2:
        return attempt
    counting = newest(stored_grades(folder))
    if counting is None or counting.grade.log_of is None:
        return attempt
    changed = {"grade": counting.grade, "outcome": counting.grade.reason.outcome}
    return attempt.model_copy(update=changed)


def without_passing(attempt: dict[str, Any]) -> None:
    """Takes out of a parsed attempt.json what a report does not ask for."""
    if attempt.get("grade"):
        tests = attempt["grade"].get("tests", ())
        attempt["grade"]["tests"] = [test for test in tests if not test["ok"]]


def _next(folder: Path) -> Path:
    made = folder / str(1 + max(numbers_in(folder), default=0))
    try:
        made.mkdir(parents=True)
    except OSError as error:
        raise StorageError.of(made, error) from error
    return made
