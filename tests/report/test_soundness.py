"""From trials with the gold patch and with none to sound, broken or flaky, by table."""

from __future__ import annotations

import pytest

from swerun.records import (
    ExpectedTest,
    Failure,
    Fault,
    Grade,
    GradeReason,
    Soundness,
    TestStatus,
)
from swerun.report.soundness import validated
from tests.fakes import an_attempt

F2P, P2P = "FAIL_TO_PASS", "PASS_TO_PASS"
PASSED, FAILED = TestStatus.PASSED, TestStatus.FAILED
SOUND, BROKEN, FLAKY = Soundness.SOUND, Soundness.BROKEN, Soundness.FLAKY


def trial(fixed=None, kept=None, reason=None):
    """An attempt in which test_fixed and test_kept came out so; with `reason` nothing came out."""
    tests = (
        ExpectedTest(name="test_fixed", group=F2P, status=fixed, ok=fixed is PASSED),
        ExpectedTest(name="test_kept", group=P2P, status=kept, ok=kept is PASSED),
    )
    resolved = all(test.ok for test in tests)
    usual = GradeReason.RESOLVED if resolved else GradeReason.TESTS_FAILED
    grade = Grade(resolved=resolved, reason=reason or usual, tests=tests)
    return an_attempt(outcome="resolved" if resolved else "unresolved", grade=grade)


def failed(message):
    failure = Failure(fault=Fault.SANDBOX, error="SandboxError", message=message, retry=True)
    return an_attempt(outcome="sandbox_failed", failure=failure)


GOOD, BAD, REJECTED = (
    trial(PASSED, PASSED),
    trial(FAILED, PASSED),
    trial(reason=GradeReason.PATCH_REJECTED),
)
MEANT, FIXED, LOST = trial(FAILED, PASSED), trial(PASSED, PASSED), trial(FAILED, FAILED)
SILENT = trial(reason=GradeReason.NO_RESULTS)
TROUBLE = failed("the engine is away")


@pytest.mark.parametrize(
    ("gold", "empty", "soundness", "reason"),
    [
        ([GOOD], [MEANT], SOUND, ""),
        ([GOOD, GOOD], [MEANT, MEANT], SOUND, ""),
        ([BAD], [MEANT], BROKEN, "gold: test_fixed FAILED, FAIL_TO_PASS"),
        ([trial(PASSED)], [MEANT], BROKEN, "gold: test_kept is not in the log, PASS_TO_PASS"),
        ([REJECTED], [MEANT], BROKEN, "gold: the patch does not apply"),
        ([trial(reason=GradeReason.TIMED_OUT)], [MEANT], BROKEN, "gold: the tests ran past"),
        ([GOOD], [FIXED], BROKEN, "empty: test_fixed PASSED, FAIL_TO_PASS"),
        ([GOOD], [LOST], BROKEN, "empty: test_kept FAILED, PASS_TO_PASS"),
        ([GOOD], [SILENT], BROKEN, "empty: there are no results"),
        ([GOOD, BAD, BAD], [MEANT], FLAKY, "gold: test_fixed FAILED, FAIL_TO_PASS (2 of 3 times)"),
        ([GOOD], [MEANT, FIXED], FLAKY, "empty: test_fixed PASSED, FAIL_TO_PASS (1 of 2 times)"),
        # never as it should be is broken, in however many ways
        ([BAD, REJECTED], [MEANT], BROKEN, "gold: test_fixed FAILED, FAIL_TO_PASS (1 of 2 times);"),
        ([BAD], [MEANT, FIXED], BROKEN, "gold: test_fixed FAILED, FAIL_TO_PASS; empty:"),
        # what says nothing of the instance leaves it open, whatever else is known
        ([], [], None, "not validated yet"),
        ([GOOD], [], None, "not validated yet"),
        ([GOOD], [TROUBLE], None, "the engine is away"),
        ([TROUBLE, GOOD], [MEANT], SOUND, ""),
    ],
)
def test_what_the_trials_of_an_instance_come_to(gold, empty, soundness, reason):
    made = validated("a", gold, empty)
    assert made.soundness is soundness
    assert made.reason.startswith(reason)
    assert bool(made.reason) == bool(reason)


def test_without_results_an_instance_that_keeps_no_test_fails_as_it_should():
    tests = (ExpectedTest(name="test_fixed", group=F2P, status=None, ok=False),)
    grade = Grade(resolved=False, reason=GradeReason.NO_RESULTS, tests=tests)
    empty = an_attempt(outcome="unresolved", grade=grade)
    assert validated("a", [GOOD], [empty]).soundness is SOUND


def test_a_skip_fixes_nothing_and_so_is_as_it_should_be_without_a_patch():
    assert validated("a", [GOOD], [trial(TestStatus.SKIPPED, PASSED)]).soundness is SOUND


def test_a_reason_names_the_most_frequent_and_counts_the_others():
    tests = [ExpectedTest(name=f"t{n}", group=P2P, status=FAILED, ok=False) for n in range(4)]

    def with_failing(*numbers):
        failing = tuple(tests[n] for n in numbers)
        grade = Grade(resolved=False, reason=GradeReason.TESTS_FAILED, tests=failing)
        return an_attempt(outcome="unresolved", grade=grade)

    made = validated("a", [with_failing(0, 3), with_failing(1, 2, 3)], [MEANT])
    assert made.reason == (
        "gold: t3 FAILED, PASS_TO_PASS (2 of 2 times); "
        "gold: t0 FAILED, PASS_TO_PASS (1 of 2 times); and 2 more"
    )
    assert (made.gold, made.empty) == (2, 1)
