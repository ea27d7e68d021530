"""What is graded twice, and what comes of it: with eval scripts that only print."""

from __future__ import annotations

import pytest

from swerun.grading.cache import RunCache
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import Probe, SandboxGrader
from swerun.records import Flag, GradeReason, Means
from swerun.runs.grades import newest, stored_grades, write_graded
from tests.fakes import an_instance
from tests.grading.integrity.diffs import adding
from tests.grading.test_cached_grades import DIGEST, Counted
from tests.grading.test_script import script

CONFTEST = adding("conftest.py", "x = 1").encode()
CODE = adding("a.py", "import os").encode()
PASSES, FAILS = "echo PASSED test_a", "{ echo FAILED test_a; false; }"


@pytest.fixture
def sandboxes(tmp_path):
    (tmp_path / "template").mkdir()
    return Counted(tmp_path / "template")


@pytest.fixture
def grade(tmp_path, sandboxes):
    def graded(tests, patch, *, seconds=30.0, cached=False, **answer):
        instance = an_instance(eval_script=script(tests), **answer).on_image(DIGEST)
        cache = RunCache(tmp_path / "grades") if cached else None
        grader = SandboxGrader(Evaluator(sandboxes, seconds), cache=cache)
        return grader.grade(instance, patch, attempt=1)

    return graded


def test_an_honest_patch_is_graded_once(grade, sandboxes):
    done = grade(PASSES, adding("a.py", "x = 1").encode())
    assert (done.grade.resolved, done.grade.flags, done.grade.strict) == (True, (), None)
    assert (done.trials, sandboxes.started) == ((), 1)


def test_what_is_not_resolved_anyway_is_flagged_and_graded_once(grade, sandboxes):
    done = grade(FAILS, CONFTEST)
    assert done.grade.reason is GradeReason.TESTS_FAILED
    assert done.grade.flags == (Flag(rule="conftest", path="conftest.py"),)
    assert (done.grade.strict, done.trials, sandboxes.started) == (None, (), 1)


def test_what_passes_without_its_flagged_files_is_resolved(grade):
    done = grade(f"ls a.* && {PASSES}", adding("a.py", "x = 1").encode() + CONFTEST)
    assert (done.grade.resolved, done.grade.official) == (True, True)
    assert done.grade.strict.means == (Means.NEUTRALISED,)
    assert done.grade.strict.left_out == ("conftest.py",)


def test_what_passes_only_by_its_flagged_files_is_suspect(grade):
    done = grade(f"ls conf* && {PASSES} || {FAILS}", CONFTEST)
    assert (done.grade.resolved, done.grade.official) == (False, True)
    assert done.grade.reason is GradeReason.SUSPECT
    assert done.grade.strict.reasons == ("without conftest.py: FAIL_TO_PASS 0/1, PASS_TO_PASS 0/0",)
    assert {test.ok for test in done.grade.tests} == {True}  # as the official rule has it
    assert [trial.grade.reason for trial in done.trials] == [GradeReason.TESTS_FAILED] * 2


def test_what_the_gold_patch_changes_stays(grade):
    tests = f"ls conf* && {PASSES} || {FAILS}"
    done = grade(tests, CONFTEST, gold_patch=adding("conftest.py", "y = 1"))
    assert (done.grade.resolved, done.grade.strict.means) == (True, ())
    assert done.grade.flags


def test_a_flaky_test_makes_nothing_suspect(grade, tmp_path):
    again = tmp_path / "again"
    tests = f"if ls conf* || ! mkdir {again} 2>/dev/null; then {PASSES}; else {FAILS}; fi"
    done = grade(tests, CONFTEST)
    assert again.is_dir()
    assert done.grade.resolved
    assert [trial.grade.resolved for trial in done.trials] == [False, True]


@pytest.mark.parametrize("tests", ["sleep 60", "true", "kill -9 $$"])
def test_what_has_no_results_without_its_flagged_files_is_suspect(grade, tests):
    done = grade(f"ls conf* && {PASSES} || {tests}", CONFTEST, seconds=2.0)
    assert done.grade.reason is GradeReason.SUSPECT
    assert done.grade.strict.reasons[0].startswith("without conftest.py: the ")


def test_where_nothing_can_be_done_otherwise_the_grade_says_so(grade, sandboxes):
    done = grade(PASSES, CODE)
    assert (done.grade.resolved, sandboxes.started) == (True, 1)
    assert (done.grade.strict.resolved, done.grade.strict.means) == (True, ())


FORGED = "echo FAILED test_a; echo FAILED test_b; echo PASSED test_a; false"


def test_a_log_that_reads_in_two_ways_is_suspect_though_nothing_in_the_patch_is_flagged(grade):
    plain = adding("a.py", "x = 1").encode()
    done = grade(f"if ls a.*; then {FORGED}; else {FAILS}; fi", plain)
    assert [flag.rule for flag in done.grade.flags] == ["log"]
    assert done.grade.reason is GradeReason.SUSPECT
    assert done.grade.strict.means == (Means.LOG,)
    assert done.grade.strict.reasons == ("the log has FAILED and PASSED of test_a",)


def test_what_the_instance_does_itself_is_no_reason(grade):
    done = grade(FORGED, adding("a.py", "x = 1").encode())
    assert (done.grade.resolved, done.grade.strict.means) == (True, (Means.LOG,))


BLIND = "pytest() { if ls a.*; then echo PASSED test_a; else echo FAILED test_a; false; fi; }"


def test_a_witness_that_never_sees_a_test_is_none(grade):
    done = grade(f"{BLIND}\npytest", CODE)
    assert (done.grade.resolved, done.grade.strict.means) == (True, ())
    assert [trial.grade.trial for trial in done.trials] == ["witness", "witness"]


def test_a_second_grading_is_made_once(grade, sandboxes):
    tests = f"ls conf* && {PASSES} || {FAILS}"
    first = grade(tests, CONFTEST, cached=True)
    started = sandboxes.started
    again = grade(tests, CONFTEST, cached=True)
    assert started == 3
    assert sandboxes.started == started + 1  # the flaky test's second chance
    assert again.grade.strict.reasons == first.grade.strict.reasons
    resolved = grade(PASSES, CONFTEST, cached=True).grade
    started = sandboxes.started
    again = grade(PASSES, CONFTEST, cached=True).grade
    assert sandboxes.started == started
    assert (again.strict.means, again.flags) == (resolved.strict.means, resolved.flags)


def test_the_gold_patch_of_a_validation_is_measured_and_not_judged(sandboxes):
    grader = Probe(SandboxGrader(Evaluator(sandboxes, 30.0)))
    instance = an_instance(eval_script=script(PASSES))
    done = grader.grade(instance, CONFTEST, attempt=1)
    assert (done.grade.resolved, done.grade.flags, sandboxes.started) == (True, (), 1)


def test_each_run_is_kept_on_disk_and_the_verdict_counts(grade, tmp_path):
    done = grade(f"ls conf* && {PASSES} || {FAILS}", CONFTEST)
    write_graded(tmp_path / "kept", done)
    there = stored_grades(tmp_path / "kept")
    assert [each.grade.trial for each in there] == ["", "witness", "witness"]
    assert newest(there).number == 1
    assert b"FAILED test_a" in there[1].log()
