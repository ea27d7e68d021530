"""Flaky tests: seen by running again, told of, and never a reason to change a verdict."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from swerun.errors import SandboxError
from swerun.grading.cache import RunCache
from swerun.grading.confirm import flaky_tests, unconfirmed
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import SandboxGrader
from swerun.records import ExpectedTest, FlakyTest, Grade, GradeReason, TestStatus
from swerun.sandbox.local import LocalSandboxes
from tests.fakes import an_instance
from tests.grading.test_cached_grades import DIGEST
from tests.grading.test_script import PATCH, script

P, F, S, E = TestStatus.PASSED, TestStatus.FAILED, TestStatus.SKIPPED, TestStatus.ERROR
FLAKY_A = FlakyTest(name="test_a", group="FAIL_TO_PASS", outcomes=(F, P))


def a_grade(*statuses, reason=GradeReason.TESTS_FAILED):
    """The grade of a run in which test_0, test_1, ... came out so."""
    tests = tuple(
        ExpectedTest(name=f"test_{n}", group="FAIL_TO_PASS", status=status, ok=status is P)
        for n, status in enumerate(statuses)
    )
    return Grade(resolved=False, reason=reason, tests=tests)


@pytest.mark.parametrize(
    ("runs", "flaky"),
    [
        ([(F, P)], {}),
        ([(F, P), (F, P)], {}),
        ([(F, P), (P, P)], {"test_0": (F, P)}),
        ([(F, P), (F, F)], {"test_1": (P, F)}),  # what passed first may be the flaky one
        ([(F, F), (F, P), (P, P)], {"test_0": (F, F, P), "test_1": (F, P, P)}),
        ([(F, P), (None, P)], {}),  # failing in two ways is failing
        ([(F, P), (E, P)], {}),
        ([(S, P), (P, P)], {"test_0": (S, P)}),
        ([(None, P), (P, P)], {"test_0": (None, P)}),
    ],
)
def test_flaky_is_what_does_what_it_must_in_one_run_and_not_in_another(runs, flaky):
    first, *later = (a_grade(*statuses) for statuses in runs)
    found = flaky_tests(first, later)
    assert {each.name: each.outcomes for each in found} == flaky


@pytest.mark.parametrize("reason", [r for r in GradeReason if not r.has_results])
def test_a_run_without_results_says_nothing_of_any_test(reason):
    assert flaky_tests(a_grade(F, P), [a_grade(None, None, reason=reason)]) == ()


def test_what_has_been_seen_to_pass_needs_no_further_run():
    first = a_grade(F, F, P)
    assert unconfirmed(first, [])
    assert unconfirmed(first, [a_grade(P, F, P)])
    assert not unconfirmed(first, [a_grade(P, F, P), a_grade(F, P, P)])


@pytest.fixture
def sandboxes(tmp_path):
    template = tmp_path / "template"
    template.mkdir()
    return LocalSandboxes(template)


def an_eval_script(folder, *runs):
    """In its n-th run it does what the n-th of `runs` says, and in all further ones the last."""
    numbered = " ".join(f"{n}) {run};;" for n, run in enumerate(runs[:-1]))
    count = f"echo >>{folder}/runs; number=$(( $(wc -l <{folder}/runs) - 1 ))"
    return script(f"{count}; case $number in {numbered} *) {runs[-1]};; esac")


PASSES = "echo PASSED test_a; echo PASSED test_b; true"
FAILS = "echo FAILED test_a; echo PASSED test_b; false"
BREAKS = "echo FAILED test_a; echo FAILED test_b; false"
NOTHING = "echo nothing; false"


def graded(sandboxes, tmp_path, *runs, confirm, cache=None):
    eval_script = an_eval_script(tmp_path, *runs)
    instance = an_instance(eval_script=eval_script, pass_to_pass=("test_b",)).on_image(DIGEST)
    grader = SandboxGrader(Evaluator(sandboxes, 30.0), cache=cache, confirm=confirm)
    return grader.grade(instance, PATCH, attempt=1)


def runs_made(tmp_path):
    return len((tmp_path / "runs").read_text().splitlines())


def test_a_verdict_stays_the_first_runs_whatever_later_ones_say(sandboxes, tmp_path):
    done = graded(sandboxes, tmp_path, FAILS, PASSES, confirm=2)
    assert (done.grade.resolved, done.grade.reason) == (False, GradeReason.TESTS_FAILED)
    assert (done.grade.flaky, done.grade.confirmed) == ((FLAKY_A,), 1)
    assert runs_made(tmp_path) == 2  # once it has passed there is nothing more to find out
    (later,) = done.confirmations
    assert (later.grade.confirmation, later.grade.resolved) == (True, True)
    assert b"PASSED test_a" in later.log.whole()
    assert later.eval_script == done.eval_script


def test_what_fails_each_time_is_run_as_often_as_was_asked_and_is_not_flaky(sandboxes, tmp_path):
    done = graded(sandboxes, tmp_path, FAILS, confirm=3)
    assert (done.grade.flaky, done.grade.confirmed, runs_made(tmp_path)) == ((), 3, 4)


def test_a_test_that_passed_first_and_fails_later_is_flaky_too(sandboxes, tmp_path):
    done = graded(sandboxes, tmp_path, FAILS, BREAKS, confirm=1)
    assert [(each.name, each.outcomes) for each in done.grade.flaky] == [("test_b", (P, F))]


def test_a_confirmation_without_results_is_kept_and_says_nothing(sandboxes, tmp_path):
    done = graded(sandboxes, tmp_path, FAILS, NOTHING, FAILS, confirm=2)
    assert (done.grade.flaky, done.grade.confirmed) == ((), 2)
    assert [each.grade.reason for each in done.confirmations] == [
        GradeReason.NO_RESULTS,
        GradeReason.TESTS_FAILED,
    ]


@pytest.mark.parametrize("first", [PASSES, NOTHING])
def test_only_expected_tests_that_fail_are_confirmed(first, sandboxes, tmp_path):
    done = graded(sandboxes, tmp_path, first, PASSES, confirm=2)
    assert (done.grade.confirmed, done.confirmations) == (0, ())


def test_nothing_is_run_again_where_that_was_not_asked(sandboxes, tmp_path):
    done = graded(sandboxes, tmp_path, FAILS, PASSES, confirm=0)
    assert (done.grade.confirmed, done.grade.flaky, runs_made(tmp_path)) == (0, (), 1)


def test_a_sandbox_that_fails_while_confirming_takes_no_verdict_with_it(sandboxes, tmp_path):
    class OnlyOne:
        started = 0

        @contextmanager
        def start(self, task, *, role, attempt):
            self.started += 1
            if self.started > 1:
                raise SandboxError("gone")
            with sandboxes.start(task, role=role, attempt=attempt) as sandbox:
                yield sandbox

    done = graded(OnlyOne(), tmp_path, FAILS, confirm=2)
    assert (done.grade.reason, done.grade.confirmed) == (GradeReason.TESTS_FAILED, 0)


def test_a_flaky_run_is_forgotten_and_the_next_grade_gets_a_run_of_its_own(sandboxes, tmp_path):
    cache = RunCache(tmp_path / "grades")
    runs = (FAILS, PASSES, FAILS)
    kept = graded(sandboxes, tmp_path, *runs, confirm=0, cache=cache)
    found = graded(sandboxes, tmp_path, *runs, confirm=1, cache=cache)
    assert (kept.grade.cached, found.grade.cached, runs_made(tmp_path)) == (False, True, 2)
    assert found.grade.flaky == (FLAKY_A,)
    again = graded(sandboxes, tmp_path, *runs, confirm=0, cache=cache)
    assert (again.grade.cached, runs_made(tmp_path)) == (False, 3)


def test_a_confirmation_is_never_taken_from_the_cache(sandboxes, tmp_path):
    cache = RunCache(tmp_path / "grades")
    graded(sandboxes, tmp_path, FAILS, confirm=2, cache=cache)
    done = graded(sandboxes, tmp_path, FAILS, confirm=2, cache=cache)
    assert (done.grade.cached, runs_made(tmp_path)) == (True, 5)
    assert not any(each.grade.cached for each in done.confirmations)


def test_each_run_of_a_grading_says_in_which_image_it_was(sandboxes, tmp_path):
    done = graded(sandboxes, tmp_path, FAILS, confirm=2).on_image("registry/name@sha256:2")
    digests = [each.grade.image_digest for each in (done, *done.confirmations)]
    assert digests == ["registry/name@sha256:2"] * 3
