"""A run on disk: append only, each closing file whole. The only writer below runs/."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from swerun.errors import InputError, StorageError
from swerun.names import flaw_of, shown
from swerun.ports import Graded, Kept
from swerun.records import (
    Attempt,
    Cause,
    Grade,
    Members,
    Outcome,
    RunRecord,
    Session,
    Solved,
    Started,
    Step,
    Usage,
)
from swerun.runs.files import (
    numbers_in,
    read_lines,
    read_record,
    write,
    write_record,
)
from swerun.runs.grades import (
    StoredGrade,
    as_regraded,
    stored_grades,
    without_passing,
    write_graded,
    write_regrade,
)
from swerun.runs.questions import differences

GRADES = "grades"


@dataclass(frozen=True, slots=True)
class Past:
    """One attempt as it lies on disk: `done` is None where it was cut off.

    `kept` is its patch, where that has been made and has no verdict; `steps` is how many there are
    to go on from, where that is asked for.
    """

    number: int
    started: Started
    done: Attempt | None
    kept: Kept | None = None
    steps: int = 0

    @property
    def is_cut_off(self) -> bool:
        """Whether its solving was ended by no doing of its own: swerun was killed, or stopped."""
        is_open = self.done is None or self.done.outcome is Outcome.CANCELLED
        return is_open and self.kept is None

    @property
    def waits(self) -> bool:
        """Whether it was cut off with a patch that has no grade yet."""
        return self.kept is not None and self.done is None


@dataclass(frozen=True, slots=True)
class AttemptLog:
    """The writing side of one attempt's folder."""

    folder: Path
    steps: FileIO

    def step(self, step: Step) -> None:
        line = memoryview((step.model_dump_json(exclude_defaults=True) + "\n").encode())
        before = self.steps.tell()
        try:
            while line:  # unbuffered: what a full disk does not take is said here, not at the end
                line = line[self.steps.write(line) or 0 :]
        except OSError as error:
            with suppress(OSError):
                self.steps.truncate(before)  # half a line is none
            raise StorageError.of(self.folder / "steps.jsonl", error) from error

    def solved(self, solved: Solved, patch: bytes) -> None:
        write(self.folder / "patch.diff", patch)
        write_record(self.folder / "solved.json", solved)

    def graded(self, graded: Graded) -> None:
        write_graded(self.folder / GRADES, graded)

    def finished(self, attempt: Attempt) -> None:
        write_record(self.folder / "attempt.json", attempt)


@dataclass(frozen=True, slots=True)
class RunStore:
    """One run's folder."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    def record(self) -> RunRecord:
        return read_record(self.folder / "run.json", RunRecord)

    def label(self) -> str:
        """What its containers are labelled with: its name, and what no other run of it has."""
        return f"{self.name}-{self.record().id}"

    def shell_label(self) -> str:
        """That of the containers that people stand in, or that attempts are done again in: no
        session of the run removes those."""
        return f"{self.label()}-shell"

    @contextmanager
    def attempt(self, instance_id: str, number: int, started: Started) -> Iterator[AttemptLog]:
        """The log of attempt `number`; an existing folder is gone on with, never emptied.

        Raises FileExistsError for an attempt that is done: nothing is ever overwritten.
        """
        folder = self.attempt_folder(instance_id, number)
        if (folder / "attempt.json").exists():
            raise FileExistsError(f"{folder} is done already")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / "started.json").exists():
                write_record(folder / "started.json", started)
            steps = (folder / "steps.jsonl").open("ab", buffering=0)
        except OSError as error:
            raise StorageError.of(folder, error) from error
        with steps:
            yield AttemptLog(folder, steps)

    def attempt_folder(self, instance_id: str, number: int) -> Path:
        return self._instance_folder(instance_id) / str(number)

    def _instance_folder(self, instance_id: str) -> Path:
        """Raises InputError for what is no instance's id, and so could lead elsewhere."""
        if flaw := flaw_of(instance_id):
            raise InputError(
                f"{shown(instance_id)} is no instance's id, and no run can have any of it: {flaw}"
            )
        return self.folder / "attempts" / instance_id

    def attempts(self) -> Iterator[Attempt]:
        """Every finished attempt, by instance and then by number."""
        return self._finished()

    def outlines(self) -> Iterator[Attempt]:
        """As `attempts`, each grade without the tests that came out as expected: of 10,000 attempts
        those are over a million."""
        return self._finished(without_passing)

    def _finished(self, shorten: Callable[[Any], None] | None = None) -> Iterator[Attempt]:
        for _, _, folder in self._attempt_folders():
            if (folder / "attempt.json").exists():
                done = read_record(folder / "attempt.json", Attempt, shorten)
                yield as_regraded(done, folder / GRADES)

    def instance_ids(self) -> list[str]:
        """The instances that have been begun."""
        with suppress(FileNotFoundError), os.scandir(self.folder / "attempts") as there:
            return sorted(entry.name for entry in there if entry.is_dir())
        return []

    def _attempt_folders(self) -> Iterator[tuple[str, int, Path]]:
        for instance_id in self.instance_ids():
            folder = self.folder / "attempts" / instance_id
            for number in sorted(numbers_in(folder)):
                yield instance_id, number, folder / str(number)

    def past(self, instance_id: str) -> list[Past]:
        """All attempts of an instance so far, by number."""
        numbers = numbers_in(self._instance_folder(instance_id))
        return [self.past_attempt(instance_id, number) for number in sorted(numbers)]

    def newest(self, instance_id: str) -> int:
        """The highest number that an attempt of an instance has; 0 where there is none."""
        return max(numbers_in(self._instance_folder(instance_id)), default=0)

    def past_attempt(self, instance_id: str, number: int) -> Past:
        folder = self.attempt_folder(instance_id, number)
        last, started = folder / "attempt.json", _started(folder)
        done = read_record(last, Attempt) if last.exists() else None
        done = as_regraded(done, folder / GRADES) if done else None
        if (done and done.grade) or not (folder / "solved.json").exists():
            return Past(number, started, done)
        solved = read_record(folder / "solved.json", Solved)
        if done and solved.failure:
            return Past(number, started, done)
        return Past(number, started, done, Kept(solved, self.patch(instance_id, number)))

    def steps(self, instance_id: str, number: int) -> Iterator[Step]:
        return read_lines(self.attempt_folder(instance_id, number) / "steps.jsonl", Step)

    def unfinished_usage(self) -> Usage:
        """The tokens paid here for attempts that were cut off, or wait for their grade."""
        cut_off = (
            (instance_id, number)
            for instance_id, number, folder in self._attempt_folders()
            if not (folder / "attempt.json").exists()
            and _started(folder).cause is not Cause.IMPORTED
        )
        steps = (step for each in cut_off for step in self.steps(*each))
        return sum((s.reply.usage for s in steps if s.reply.replayed is None), Usage())

    def patch(self, instance_id: str, number: int) -> bytes:
        path = self.attempt_folder(instance_id, number) / "patch.diff"
        return path.read_bytes() if path.exists() else b""

    def is_solved(self, instance_id: str, number: int) -> bool:
        """Whether a patch was taken, be it an empty one."""
        return (self.attempt_folder(instance_id, number) / "solved.json").exists()

    def grades(self, instance_id: str, number: int) -> list[StoredGrade]:
        """Each grading of an attempt, oldest first."""
        return stored_grades(self.attempt_folder(instance_id, number) / GRADES)

    def regraded(self, instance_id: str, number: int, grade: Grade) -> None:
        """Append what a log of an attempt comes to now: from here on it is the attempt's grade."""
        write_regrade(self.attempt_folder(instance_id, number) / GRADES, grade)

    def begin_session(
        self,
        session: Session,
        selection: Sequence[str],
        samples: int,
        members: Sequence[Members] = (),
    ) -> None:
        """Note who works on the run now; selection and samples may grow, never shrink."""
        record = self.record()
        new = {
            "sessions": (*record.sessions, session),
            "selection": tuple(dict.fromkeys([*record.selection, *selection])),
            "samples": max(record.samples, samples),
            "members": _together(record.members, members),
        }
        write_record(self.folder / "run.json", record.model_copy(update=new))

    def derive(self, name: str, data: bytes) -> Path:
        """Write a file that can be made again from the others (report.json, predictions)."""
        write(self.folder / name, data)
        return self.folder / name

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process works on a run. The kernel frees the lock when its holder dies.

        Raises InputError where another one does, StorageError.
        """
        path = self.folder / ".lock"
        try:
            file = path.open("w")
        except OSError as error:
            raise StorageError.of(path, error) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InputError(
                    f"another process works on the run {self.name} already ({path} is locked). "
                    "Wait for it, stop it, or start another run with --run NAME."
                ) from error
            yield


def _started(folder: Path) -> Started:
    """Why there is an attempt; those of earlier versions have no such file."""
    path = folder / "started.json"
    return read_record(path, Started) if path.exists() else Started()


def _together(there: Iterable[Members], new: Iterable[Members]) -> tuple[Members, ...]:
    found: dict[tuple[str, str], set[str]] = {}
    for each in (*there, *new):
        found.setdefault((each.repo, each.difficulty), set()).update(each.instances)
    return tuple(
        Members(repo=repo, difficulty=difficulty, instances=tuple(sorted(ids)))
        for (repo, difficulty), ids in sorted(found.items())
    )


def begun(root: Path, wanted: RunRecord) -> RunRecord | None:
    """The record of the run `wanted`, where there is one of that name and it asks the same."""
    store = RunStore(root / wanted.name)
    if not (store.folder / "run.json").exists():
        return None
    there = store.record()
    return there if there.question == wanted.question else None


def refuse_another(root: Path, wanted: RunRecord) -> None:
    """Raises InputError where a run of that name asks another question: it says what differs."""
    store = RunStore(root / wanted.name)
    if not (store.folder / "run.json").exists():
        return
    there = store.record()
    if there.question != wanted.question:
        differing = differences(there.question, wanted.question)
        raise InputError(
            f"the run {wanted.name} in {root} asks another question "
            f"({'; '.join(differing) or 'one of them was made elsewhere'}). "
            "Choose another name with --run NAME, or leave the flags as they were."
        )


def open_or_create(root: Path, wanted: RunRecord) -> RunStore:
    """The run `wanted.name` below `root`, new or gone on with. Raises as refuse_another."""
    refuse_another(root, wanted)
    store = RunStore(root / wanted.name)
    if (store.folder / "run.json").exists():
        return store
    try:
        store.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError.of(store.folder, error) from error
    write_record(store.folder / "run.json", wanted)
    return store


def open_run(name: str, root: Path) -> RunStore:
    """A run that is there, by name or by path. Raises InputError with the names there are."""
    for folder in (root / name, Path(name)):
        with suppress(OSError, ValueError):  # a name that no file system takes
            if (folder / "run.json").exists():
                return RunStore(folder)
    known = [store.name for store in list_runs(root)]
    there = f"There are: {', '.join(known)}." if known else f"There are none in {root}."
    raise InputError(f"there is no run {name!r} in {root}. {there}")


def list_runs(root: Path) -> list[RunStore]:
    """The runs below `root`, by name."""
    return [RunStore(path.parent) for path in sorted(root.glob("*/run.json"))]
