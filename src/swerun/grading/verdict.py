"""From a log to a verdict, by the rules of SWE-bench 5.0.2. Touches nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from swerun.grading.parsers import Parser, parser_of
from swerun.grading.parsers.summaries import suite_ran
from swerun.records import (
    END,
    START,
    Answer,
    EvalType,
    ExpectedTest,
    Grade,
    GradeReason,
    Instance,
    TestStatus,
)

GRADER_VERSION = "3 (swebench 5.0.2)"

EXIT_CODE = ">>>>> Test Exit Code"
# an eval script prints these where it could not do its work
BROKEN = (
    ">>>>> Patch Apply Failed",
    ">>>>> Reset Failed",
    ">>>>> Tests Errored",
    ">>>>> Tests Timed Out",
)
FAIL_TO_PASS = "FAIL_TO_PASS"  # noqa: S105 -- SWE-bench's name, no password
PASS_TO_PASS = "PASS_TO_PASS"  # noqa: S105

# no longer than what int() reads: a test may print any
_EXIT_CODE = re.compile(rf"{EXIT_CODE}:\s*(-?\d{{1,20}})")
_FIXED = frozenset({TestStatus.PASSED, TestStatus.XFAIL})
# A skipped test is no regression. It is no fix either, and counts for PASS_TO_PASS only.
_KEPT = _FIXED | {TestStatus.SKIPPED}
_FAILURES = frozenset({TestStatus.FAILED, TestStatus.ERROR})

Statuses = Mapping[str, TestStatus]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a log says: the status of each test in it, or why there is no saying.

    `started` is whether tests ran at all, even where the log cannot be trusted (`problem`).
    """

    statuses: Statuses
    started: bool
    exit_code: int | None
    problem: str | None = None


def grade_log(
    instance: Instance, log: str | bytes, exit_code: int | None = None, *, timed_out: bool = False
) -> Grade:
    """The verdict on the run that `log` is of; `exit_code` is the test command's own.

    Where `exit_code` is None, the one that the log records counts, if it does. Raises
    InstanceError for a log parser that swerun does not know.
    """
    parse = parser_of(instance)
    if timed_out:
        return no_verdict(instance, GradeReason.TIMED_OUT, "the tests ran past their time limit")
    return grade_reading(instance, read_log(log, parse, exit_code))


def grade_reading(instance: Instance, reading: Reading) -> Grade:
    """The verdict on what a log says."""
    if reading.problem:
        grade = no_verdict(instance, GradeReason.NO_RESULTS, reading.problem)
        return grade.model_copy(update={"exit_code": reading.exit_code})
    tests = judged(instance.answer, reading.statuses)
    resolved = all(test.ok for test in tests)
    return Grade(
        resolved=resolved,
        reason=GradeReason.RESOLVED if resolved else GradeReason.TESTS_FAILED,
        tests=tests,
        detail=", ".join(_tally(tests, group) for group in (FAIL_TO_PASS, PASS_TO_PASS)),
        exit_code=reading.exit_code,
        grader_version=GRADER_VERSION,
    )


def no_verdict(instance: Instance, reason: GradeReason, detail: str) -> Grade:
    """Not resolved, and no expected test has a status."""
    named = _named(instance.answer)
    return Grade(
        resolved=False,
        reason=reason,
        tests=tuple(ExpectedTest(name=n, group=g, status=None, ok=False) for n, g in named),
        detail=detail,
        grader_version=GRADER_VERSION,
    )


def settled(grade: Grade) -> Grade:
    """Where a patch is flagged, it is resolved only if it is so by the strict rule as well."""
    if not (grade.official and grade.flags):
        return grade
    holds = grade.strict is not None and grade.strict.resolved
    reason = GradeReason.RESOLVED if holds else GradeReason.SUSPECT
    return grade.model_copy(update={"resolved": holds, "reason": reason})


def read_log(log: str | bytes, parse: Parser, exit_code: int | None) -> Reading:
    """The statuses between the markers, or in the whole log where none are between them."""
    text = log.decode(errors="replace") if isinstance(log, bytes) else log
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    code = _recorded(text) if exit_code is None else exit_code
    for marker in BROKEN:
        if marker in text:
            return Reading({}, started=False, exit_code=code, problem=f"the log says {marker!r}")
    for marker in (START, END):
        if marker not in text:
            return Reading({}, started=False, exit_code=code, problem=f"the log has no {marker!r}")
    # runners whose output comes in another order than the shell's leave it outside the markers
    statuses = parse(text.split(START)[1].split(END)[0]) or parse(text)
    if not statuses and not suite_ran(text):
        problem = "the log has no test's result in it"
        return Reading({}, started=False, exit_code=code, problem=problem)
    if code and statuses and not _FAILURES & set(statuses.values()):
        problem = f"the log has no failure in it, but the tests exited with {code}"
        return Reading(statuses, started=True, exit_code=code, problem=problem)
    return Reading(statuses, started=True, exit_code=code)


def judged(answer: Answer, statuses: Statuses) -> tuple[ExpectedTest, ...]:
    """Each expected test, FAIL_TO_PASS first, with its status and whether that is as it must be."""
    tests = []
    for name, group in _named(answer):
        if answer.eval_type is EvalType.FAIL_ONLY:  # such runners name only what failed
            status = statuses.get(name)
            ok = status is not TestStatus.FAILED
        else:
            status = _status(name, statuses)
            ok = status in (_FIXED if group == FAIL_TO_PASS else _KEPT)
        tests.append(ExpectedTest(name=name, group=group, status=status, ok=ok))
    return tuple(tests)


def _named(answer: Answer) -> list[tuple[str, str]]:
    fixed = [(name, FAIL_TO_PASS) for name in answer.fail_to_pass]
    return fixed + [(name, PASS_TO_PASS) for name in answer.pass_to_pass]


def _status(name: str, statuses: Statuses) -> TestStatus | None:
    """676 of Verified's expected names are cut off within their parameters, `test_x[log(photon`.

    Such a name stands for those that begin with it, if they all pass or all do not.
    """
    if name in statuses:
        return statuses[name]
    if name.count("[") <= name.count("]"):
        return None
    meant = [status for whole, status in statuses.items() if whole.startswith(name)]
    return meant[0] if len({status in _FIXED for status in meant}) == 1 else None


def _recorded(text: str) -> int | None:
    """The last one: the script writes it after the tests, which may print one too."""
    codes = _EXIT_CODE.findall(text)
    return int(codes[-1]) if codes else None


def _tally(tests: tuple[ExpectedTest, ...], group: str) -> str:
    oks = [test.ok for test in tests if test.group == group]
    return f"{group} {sum(oks)}/{len(oks)}"
