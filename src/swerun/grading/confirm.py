"""Which expected tests are flaky: several runs of one patch, compared. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from swerun.records import FlakyTest, Grade


def flaky_tests(first: Grade, later: Sequence[Grade]) -> tuple[FlakyTest, ...]:
    """The expected tests that did what they must in one of the runs and not in another.

    A run whose tests gave no result (`reason` says so) says nothing of any test.
    """
    runs = [first, *(grade for grade in later if grade.reason.has_results)]
    found = []
    for same in zip(*(run.tests for run in runs), strict=True):  # one instance's, in one order
        if len({test.ok for test in same}) > 1:
            outcomes = tuple(test.status for test in same)
            found.append(FlakyTest(name=same[0].name, group=same[0].group, outcomes=outcomes))
    return tuple(found)


def unconfirmed(first: Grade, later: Sequence[Grade]) -> bool:
    """Whether another run may say more: a failing test has failed in every run so far."""
    flaky = {(test.name, test.group) for test in flaky_tests(first, later)}
    return any((test.name, test.group) not in flaky for test in first.failing)
