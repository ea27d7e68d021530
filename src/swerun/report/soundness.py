"""Whether instances are sound: what their tests said of the gold patch and of none at all. Pure.

Sound is an instance whose gold patch resolves it and that fails without a patch as it should:
no FAIL_TO_PASS passes, every PASS_TO_PASS does. Broken is one that never did one of the two;
flaky one that sometimes did and sometimes did not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from swerun.records import Attempt, Grade, GradeReason, Record, Soundness, TestStatus

GOLD, EMPTY = "gold", "empty"
SHOWN = 2  # deviations that a reason repeats
_FAIL_TO_PASS = "FAIL_TO_PASS"  # noqa: S105 -- SWE-bench's name, no password
_WHOLE = {
    GradeReason.NO_RESULTS: "there are no results",
    GradeReason.TIMED_OUT: "the tests ran past their time limit",
    GradeReason.PATCH_REJECTED: "the patch does not apply",
}


class Deviation(Record):
    """What was not as it should be, in so many of the trials of one patch.

    `test` is "" where `what` is about the whole trial.
    """

    patch: str  # gold or empty
    test: str
    what: str
    times: int
    of: int

    @property
    def words(self) -> str:
        about = f"{self.test} {self.what}" if self.test else self.what
        often = f" ({self.times} of {self.of} times)" if self.of > 1 else ""
        return f"{self.patch}: {about}{often}"


class Validated(Record):
    """What the trials of one instance come to; `soundness` is None where some are still missing.

    `gold` and `empty` count the trials that said something; `why` is why there are none.
    """

    instance_id: str
    soundness: Soundness | None
    gold: int
    empty: int
    deviations: tuple[Deviation, ...] = ()
    why: str = ""

    @property
    def reason(self) -> str:
        """In a line: what was not as it should be, or why that is not known."""
        said = [deviation.words for deviation in self.deviations[:SHOWN]]
        more = len(self.deviations) - SHOWN
        return "; ".join(said + ([f"and {more} more"] if more > 0 else [])) or self.why


@dataclass(frozen=True, slots=True)
class _Off:
    """A deviation in one trial."""

    test: str
    what: str


def validated(instance_id: str, gold: Sequence[Attempt], empty: Sequence[Attempt]) -> Validated:
    """From the attempts with each patch. Those without a verdict say nothing of the instance."""
    graded = {GOLD: _grades(gold), EMPTY: _grades(empty)}
    missing = [attempts for attempts in (gold, empty) if not _grades(attempts)]
    trials = {
        GOLD: [_off_gold(grade) for grade in graded[GOLD]],
        EMPTY: [_off_empty(grade) for grade in graded[EMPTY]],
    }
    return Validated(
        instance_id=instance_id,
        soundness=None if missing else _soundness(list(trials.values())),
        gold=len(graded[GOLD]),
        empty=len(graded[EMPTY]),
        deviations=tuple(d for patch, each in trials.items() for d in _deviations(patch, each)),
        why=_why(missing[0]) if missing else "",
    )


def _grades(attempts: Sequence[Attempt]) -> list[Grade]:
    return [a.grade for a in attempts if a.grade is not None and a.outcome.is_verdict]


def _soundness(patches: Sequence[Sequence[Sequence[_Off]]]) -> Soundness:
    """Of the trials of each patch, a trial being what deviated in it."""
    if any(all(trials) for trials in patches):
        return Soundness.BROKEN
    return Soundness.FLAKY if any(any(trials) for trials in patches) else Soundness.SOUND


def _off_gold(grade: Grade) -> list[_Off]:
    if grade.resolved:
        return []
    if grade.reason in _WHOLE:
        return [_whole(grade)]
    return [_Off(test.name, f"{_status(test.status)}, {test.group}") for test in grade.failing]


def _off_empty(grade: Grade) -> list[_Off]:
    """Without a result no FAIL_TO_PASS passes, as it should be; but no PASS_TO_PASS does either."""
    if grade.reason in _WHOLE:
        return [_whole(grade)] if any(t.group != _FAIL_TO_PASS for t in grade.tests) else []
    wrong = [test for test in grade.tests if test.ok == (test.group == _FAIL_TO_PASS)]
    return [_Off(test.name, f"{_status(test.status)}, {test.group}") for test in wrong]


def _whole(grade: Grade) -> _Off:
    return _Off("", _WHOLE[grade.reason])


def _status(status: TestStatus | None) -> str:
    return status.value if status else "is not in the log"


def _deviations(patch: str, trials: Sequence[Sequence[_Off]]) -> list[Deviation]:
    """The most frequent first, else in the order of the tests."""
    counted = Counter(off for trial in trials for off in trial)
    return [
        Deviation(patch=patch, test=off.test, what=off.what, times=times, of=len(trials))
        for off, times in counted.most_common()
    ]


def _why(attempts: Sequence[Attempt]) -> str:
    failure = attempts[-1].failure if attempts else None
    return failure.message if failure else "not validated yet"
