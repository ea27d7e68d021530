"""Judges saved logs again, without a container: what a mended parser makes of an old run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from swerun.grading.confirm import flaky_tests
from swerun.grading.integrity.flags import flags_of
from swerun.grading.verdict import grade_log, settled
from swerun.records import Grade, GradeReason, Instance
from swerun.runs.grades import StoredGrade, confirmations, newest
from swerun.runs.store import RunStore

UNASKED = "whether tests start without the patch is not known from its log"


@dataclass(frozen=True, slots=True)
class Change:
    """A grade that is another one now."""

    instance_id: str
    attempt: int
    old: Grade
    new: Grade

    @property
    def tests(self) -> tuple[str, ...]:
        """The expected tests whose outcome is another one."""
        before = {(test.group, test.name): test for test in self.old.tests}
        changed = (t for t in self.new.tests if before.get((t.group, t.name)) != t)
        return tuple(dict.fromkeys(test.name for test in changed))


@dataclass(frozen=True, slots=True)
class Regraded:
    """`judged` counts logs; `without` the grades that no log decides (no patch, timed out, ...)."""

    judged: int
    without: int
    changes: tuple[Change, ...]


def regrade(store: RunStore, instances: Mapping[str, Instance]) -> Regraded:
    """Judge the newest logs of a run's attempts, and append a grade wherever it is another one.

    Only attempts at `instances`. Raises InputError where another process works on the run.
    """
    judged, without, changes = 0, 0, list[Change]()
    with store.locked():
        for attempt in store.attempts():
            key = attempt.instance_id, attempt.attempt
            grades = store.grades(*key)
            old = newest(grades)
            if old is None or attempt.instance_id not in instances:
                continue
            instance, patch = instances[attempt.instance_id], store.patch(*key)
            new = judged_again(instance, old, confirmations(grades, old), patch)
            judged, without = judged + bool(new), without + (not new)
            if new and differs(old.grade, new):
                store.regraded(*key, new)
                changes.append(Change(*key, old.grade, new))
    return Regraded(judged, without, tuple(changes))


def judged_again(
    instance: Instance, stored: StoredGrade, confirming: Sequence[StoredGrade], patch: bytes
) -> Grade | None:
    """What the log of a grade of `patch`, and those of its confirmations, come to now.

    What is resolved only now, and is flagged, is suspect: a log alone cannot clear it. None where
    it was not the log that decided, or it is gone.
    """
    began = time.monotonic()
    old, grade = stored.grade, _judged(instance, stored)
    if grade is None:
        return None
    if grade.reason is GradeReason.NO_RESULTS:
        grade = grade.model_copy(update={"detail": f"{grade.detail}; {UNASKED}"})
    later = [again for each in confirming if (again := _judged(instance, each))]
    own = {"reason", "resolved", "tests", "detail", "grader_version"}
    own |= {"flags", "flaky", "log_of", "seconds"}
    measured = {name: getattr(old, name) for name in Grade.model_fields if name not in own}
    said = {
        "flaky": flaky_tests(grade, later) if grade.reason.has_results else (),
        "log_of": stored.log_number,
        "flags": old.flags if old.official else flags_of(patch, instance.answer),
        "seconds": round(time.monotonic() - began, 3),
    }
    return settled(grade.model_copy(update=measured | said))


def _judged(instance: Instance, stored: StoredGrade) -> Grade | None:
    """Tests that did not come to their end have no exit code: no log can tell how they ended."""
    log = stored.log() if stored.grade.exit_code is not None else None
    return None if log is None else grade_log(instance, log, stored.grade.exit_code)


def differs(old: Grade, new: Grade) -> bool:
    """Whether two grades say something else of the patch, in whatever words."""

    def gist(grade: Grade) -> Sequence[object]:
        return grade.resolved, grade.reason, grade.tests, grade.flaky

    return gist(old) != gist(new)
