"""From a log to a verdict, by tables."""

from __future__ import annotations

import pytest

from swerun.errors import InstanceError
from swerun.grading.parsers import PARSERS
from swerun.grading.parsers.summaries import suite_ran
from swerun.grading.verdict import (
    BROKEN,
    END,
    EXIT_CODE,
    GRADER_VERSION,
    START,
    grade_log,
    judged,
    no_verdict,
    read_log,
)
from swerun.records import EvalType, GradeReason, TestStatus
from tests.fakes import an_instance

PYTEST = PARSERS["parse_log_pytest"]
FIXED, KEPT = "a.py::fixed", "a.py::kept"
INSTANCE = an_instance(fail_to_pass=(FIXED,), pass_to_pass=(KEPT,))
BOTH_PASS = f"PASSED {FIXED}\nPASSED {KEPT}\n"


def log_of(results, before="", after=""):
    """As the trace of an eval script has it."""
    return f"+ cd /testbed\n{before}+ : '{START}'\n{results}+ : '{END}'\n{after}+ git checkout x\n"


def graded(results, code=0, *, instance=INSTANCE, **around):
    return grade_log(instance, log_of(results, **around), code)


def statuses(grade):
    return {test.name: test.status for test in grade.tests}


@pytest.mark.parametrize(
    ("fixed", "kept", "resolved"),
    [
        ("PASSED", "PASSED", True),
        ("XFAIL", "PASSED", True),
        ("PASSED", "XFAIL", True),
        ("PASSED", "SKIPPED", True),
        ("SKIPPED", "PASSED", False),
        ("FAILED", "PASSED", False),
        ("ERROR", "PASSED", False),
        ("PASSED", "FAILED", False),
        ("PASSED", "ERROR", False),
        ("XPASS", "PASSED", False),
        ("PASSED", "XPASS", False),
        ("passed", "PASSED", False),
        (None, "PASSED", False),
        ("PASSED", None, False),
    ],
)
def test_resolved_is_every_fix_passing_and_nothing_broken(fixed, kept, resolved):
    results = {FIXED: fixed, KEPT: kept}
    text = "".join(f"{status} {name}\n" for name, status in results.items() if status)
    grade = graded(text, code=1 if {"FAILED", "ERROR"} & {fixed, kept} else 0)
    assert grade.resolved is resolved
    assert grade.reason is (GradeReason.RESOLVED if resolved else GradeReason.TESTS_FAILED)
    known = {status.value for status in TestStatus}
    assert statuses(grade) == {n: s if s in known else None for n, s in results.items()}
    assert grade.grader_version == GRADER_VERSION


def test_the_detail_counts_each_group():
    grade = graded(f"FAILED {FIXED}\nPASSED {KEPT}\n", 1)
    assert grade.detail == "FAIL_TO_PASS 0/1, PASS_TO_PASS 1/1"
    assert [(t.name, t.group) for t in grade.failing] == [(FIXED, "FAIL_TO_PASS")]


@pytest.mark.parametrize(
    ("expected", "found", "ok"),
    [
        # cut off within its parameters: stands for what begins with it, if that agrees
        ("t[log(photon", {"t[log(photon / s)]": "PASSED"}, True),
        ("t[log(photon", {"t[log(photon)]": "PASSED", "t[log(photon / s)]": "XFAIL"}, True),
        ("t[log(photon", {"t[log(photon)]": "PASSED", "t[log(photon / s)]": "FAILED"}, False),
        ("t[log(photon", {"t[log(photon)]": "FAILED", "t[log(photon / s)]": "ERROR"}, False),
        ("t[log(photon", {"t[log": "PASSED"}, False),
        ("t[log(photon", {}, False),
        # there is one of just that name
        ("t[a", {"t[a": "PASSED", "t[a]": "FAILED"}, True),
        ("t[a", {"t[a": "FAILED", "t[a]": "PASSED"}, False),
        # whole names stand for themselves
        ("t[a]", {"t[a][b]": "PASSED"}, False),
        ("t", {"t[a]": "PASSED"}, False),
        ("test_a (x.T)", {"test_a (x.T) more": "PASSED"}, False),
        ("t[[a]", {"t[[a] b]": "PASSED"}, True),
    ],
)
def test_a_name_stands_for(expected, found, ok):
    answer = an_instance(fail_to_pass=(expected,)).answer
    (test,) = judged(answer, {name: TestStatus(status) for name, status in found.items()})
    assert test.ok is ok


def test_a_cut_name_of_a_skipped_test_is_kept_but_is_no_fix():
    found = {"t[a b]": TestStatus.SKIPPED}
    answer = an_instance(fail_to_pass=("t[a",), pass_to_pass=("t[a",)).answer
    assert [test.ok for test in judged(answer, found)] == [False, True]


@pytest.mark.parametrize(
    ("status", "ok"),
    [(None, True), ("PASSED", True), ("SKIPPED", True), ("ERROR", True), ("FAILED", False)],
)
def test_where_only_failures_are_named_whatever_is_not_one_has_passed(status, ok):
    answer = an_instance(
        eval_type=EvalType.FAIL_ONLY, fail_to_pass=("t",), pass_to_pass=("t",)
    ).answer
    found = {"t": TestStatus(status)} if status else {}
    assert {test.ok for test in judged(answer, found)} == {ok}


def test_a_suite_that_names_no_test_has_passed_only_if_it_ran():
    instance = an_instance(eval_type=EvalType.FAIL_ONLY, fail_to_pass=("t",))
    assert graded("Executed 12 of 12 SUCCESS\n", instance=instance).resolved
    for never in ("", "Executed 0 of 0\n", "cannot open display\n"):
        grade = graded(never, 1, instance=instance)
        assert (grade.resolved, grade.reason) == (False, GradeReason.NO_RESULTS)


@pytest.mark.parametrize(
    ("line", "ran"),
    [
        ("Executed 3 of 5 (1 FAILED)", True),
        ("Executed 0 of 0", False),
        ("TOTAL: 7 SUCCESS", True),
        ("TOTAL: 0 SUCCESS", False),
        ("  12 passing (3s)", True),
        ("  0 passing (3s)", False),
        ("Tests:       1 failed, 3 passed, 4 total", True),
        ("Tests:       0 total", False),
        ("Test Suites: 1 failed, 3 total", True),
        ("Test Suites: 0 total", False),
        ("# tests 4", True),
        ("# tests 0", False),
        ("says # tests 4", False),
        ("5 specs, 0 failures", True),
        ("0 specs, 0 failures", False),
        ("case 'layers/a': ok", True),
        ("case 'layers/a': ok and more", False),
    ],
)
def test_a_suite_ran_where_a_runner_counts_more_than_nothing(line, ran):
    assert suite_ran(f"+ npm test\n{line}\n+ end\n") is ran


@pytest.mark.parametrize(
    ("log", "problem"),
    [
        ("", f"the log has no {START!r}"),
        (BOTH_PASS, f"the log has no {START!r}"),
        (f"{BOTH_PASS}{END}\n", f"the log has no {START!r}"),
        (f"{START}\n{BOTH_PASS}", f"the log has no {END!r}"),
        (f"{START}\n{BOTH_PASS}{EXIT_CODE}: 0\n", f"the log has no {END!r}"),
        (log_of(""), "the log has no test's result in it"),
        (log_of("bash: python3: command not found\n"), "the log has no test's result in it"),
    ],
)
def test_a_log_that_is_not_whole_is_no_result_whatever_it_says(log, problem):
    grade = grade_log(INSTANCE, log, 0)
    assert (grade.resolved, grade.reason, grade.detail) == (False, GradeReason.NO_RESULTS, problem)
    assert statuses(grade) == {FIXED: None, KEPT: None}
    assert not read_log(log, PYTEST, 0).started


@pytest.mark.parametrize("marker", BROKEN)
def test_a_script_that_says_it_could_not_do_its_work_gives_no_result(marker):
    for around in ({"before": f"{marker}\n"}, {"after": f"{marker}: x\n"}):
        grade = graded(BOTH_PASS, **around)
        assert (grade.resolved, grade.reason) == (False, GradeReason.NO_RESULTS)
        assert marker in grade.detail


def test_results_outside_the_markers_count_where_none_are_inside():
    assert graded("", after=BOTH_PASS).resolved
    assert graded("", before=BOTH_PASS).resolved


def test_results_outside_the_markers_are_nothing_beside_those_inside():
    assert not graded(f"PASSED {FIXED}\n", after=f"PASSED {KEPT}\n").resolved
    assert not graded(f"FAILED {FIXED}\nPASSED {KEPT}\n", 1, before=f"PASSED {FIXED}\n").resolved


@pytest.mark.parametrize(
    ("results", "code", "reason"),
    [
        (BOTH_PASS, 0, GradeReason.RESOLVED),
        (BOTH_PASS, 1, GradeReason.NO_RESULTS),
        (BOTH_PASS, -9, GradeReason.NO_RESULTS),
        (BOTH_PASS, 137, GradeReason.NO_RESULTS),
        # something else failed, which explains the code
        (f"{BOTH_PASS}FAILED a.py::other\n", 1, GradeReason.RESOLVED),
        (f"{BOTH_PASS}ERROR a.py::other\n", 1, GradeReason.RESOLVED),
        (f"{BOTH_PASS}SKIPPED a.py::other\n", 1, GradeReason.NO_RESULTS),
        # a runner that always exits with 0
        (f"FAILED {FIXED}\nPASSED {KEPT}\n", 0, GradeReason.TESTS_FAILED),
    ],
)
def test_a_log_without_a_failure_is_not_believed_against_the_exit_code(results, code, reason):
    grade = graded(results, code)
    assert (grade.reason, grade.exit_code) == (reason, code)


def test_a_log_that_contradicts_its_exit_code_is_of_tests_that_started():
    reading = read_log(log_of(BOTH_PASS), PYTEST, 3)
    assert reading.started
    assert reading.problem == "the log has no failure in it, but the tests exited with 3"


def test_the_exit_code_that_a_log_records_counts_where_none_is_given():
    bad, good = f"{EXIT_CODE}: 2\n", f"{EXIT_CODE}: 0\n"
    assert graded(BOTH_PASS, None, after=bad).reason is GradeReason.NO_RESULTS
    assert graded(BOTH_PASS, None, after=good).exit_code == 0
    assert graded(BOTH_PASS, None).resolved


def test_an_exit_code_that_is_given_beats_the_recorded_one():
    assert graded(BOTH_PASS, 1, after=f"{EXIT_CODE}: 0\n").reason is GradeReason.NO_RESULTS
    assert graded(BOTH_PASS, 0, after=f"{EXIT_CODE}: 1\n").resolved


def test_an_exit_code_that_no_process_has_is_read_too():
    assert graded(BOTH_PASS, None, after=f"{EXIT_CODE}: {'9' * 5000}\n").reason is (
        GradeReason.NO_RESULTS
    )


def test_of_recorded_exit_codes_the_last_counts_which_no_test_can_print():
    fake = f"{EXIT_CODE}: 0\n"
    grade = graded(f"{fake}{BOTH_PASS}{fake}", None, after=f"{EXIT_CODE}: 1\n")
    assert (grade.reason, grade.exit_code) == (GradeReason.NO_RESULTS, 1)


def test_a_test_that_prints_the_end_marker_does_not_hide_that_tests_failed():
    said = f"{BOTH_PASS}{END}\nFAILED {FIXED} - AssertionError\n"
    assert graded(said, 1).reason is GradeReason.NO_RESULTS


def test_a_test_that_prints_the_start_marker_again_is_read_up_to_there_only():
    said = f"FAILED {FIXED}\n{START}\n{BOTH_PASS}"
    grade = graded(said, 1)
    assert (grade.resolved, statuses(grade)[FIXED]) == (False, TestStatus.FAILED)


def test_a_timeout_is_no_verdict_of_the_log():
    grade = grade_log(INSTANCE, log_of(BOTH_PASS), 0, timed_out=True)
    assert (grade.resolved, grade.reason) == (False, GradeReason.TIMED_OUT)


def test_bytes_that_are_not_text_do_not_matter():
    log = log_of(f"\udcff\udc80 said a test\n{BOTH_PASS}").encode(errors="surrogateescape")
    assert grade_log(INSTANCE, log, 0).resolved


def test_a_parser_that_is_unknown_is_the_instances_fault():
    with pytest.raises(InstanceError, match="log_parser: there is no parser 'parse_log_cobol'"):
        grade_log(an_instance(log_parser="parse_log_cobol"), log_of(BOTH_PASS), 0)


def test_a_grade_without_a_verdict_names_every_expected_test():
    grade = no_verdict(INSTANCE, GradeReason.NO_PATCH, "the patch is empty")
    assert [(t.name, t.group, t.status, t.ok) for t in grade.tests] == [
        (FIXED, "FAIL_TO_PASS", None, False),
        (KEPT, "PASS_TO_PASS", None, False),
    ]
