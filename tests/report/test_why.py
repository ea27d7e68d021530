"""Why a run came out as it did, by table."""

from __future__ import annotations

import pytest

from swerun.records import (
    Call,
    Conduct,
    ExpectedTest,
    Failure,
    Fault,
    Grade,
    GradeReason,
    Observation,
    Reply,
    Step,
    Stop,
    Usage,
)
from swerun.report.sheet import markdown
from swerun.report.why import cause, program, why
from swerun.report.why_sheets import sheets
from tests.fakes import NOW, an_attempt
from tests.report.test_summary import a_run


def a_grade(reason=GradeReason.TESTS_FAILED, *groups):
    tests = tuple(ExpectedTest(name="t", group=group, status=None, ok=False) for group in groups)
    return Grade(resolved=False, reason=reason, tests=tests)


FAULT = Failure(fault=Fault.ENDPOINT, error="RateLimitError", message="no", retry=True)


@pytest.mark.parametrize(
    ("outcome", "more", "said"),
    [
        ("resolved", {}, "resolved"),
        (
            "unresolved",
            {"grade": a_grade(GradeReason.TESTS_FAILED, "FAIL_TO_PASS")},
            "unresolved: not fixed",
        ),
        (
            "unresolved",
            {"grade": a_grade(GradeReason.TESTS_FAILED, "PASS_TO_PASS")},
            "unresolved: fixed, but something else broken",
        ),
        (
            "unresolved",
            {"grade": a_grade(GradeReason.TESTS_FAILED, "PASS_TO_PASS", "FAIL_TO_PASS")},
            "unresolved: not fixed, and something else broken",
        ),
        (
            "unresolved",
            {"grade": a_grade(GradeReason.NO_RESULTS)},
            "unresolved: no test started with the patch",
        ),
        ("no_patch", {"stop": Stop.STEPS}, "no patch: step limit"),
        ("endpoint_failed", {"failure": FAULT}, "endpoint failed: RateLimitError"),
        ("tests_timed_out", {}, "tests timed out"),
    ],
)
def test_a_cause_says_what_is_behind_an_outcome(outcome, more, said):
    assert cause(an_attempt(outcome=outcome, **more)) == said


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("ls -la", "ls"),
        ("cd /testbed && python -m pytest -q tests", "python -m pytest"),
        ("cd /testbed; PYTHONPATH=. python3 -c 'import x'", "python3 -c"),
        ("python reproduce.py", "python"),
        ("python - <<'E'\nprint(1)\nE", "python -"),
        ("git -C x apply p", "git"),
        ("git apply p", "git apply"),
        ("/usr/bin/grep -rn x . | head", "grep"),
        ("timeout 60s pytest", "pytest"),
        ("export A=1\nmake test", "make test"),
        ("# a comment\nsed -n 1,5p a", "sed"),
        ("cd /testbed", "cd"),
        ("sudo -n apt install x", "apt"),
        ("sudo crontab -l", "crontab"),
        ('cd x && python3 -c "import a; print(1)\nfail(2) && x" && ls', "python3 -c"),
        ("A='x; y' make -j2", "make"),
        ('sed "s/\\"a; b/c/" f && ls', "sed"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_command_is_named_by_what_it_is_there_to_run(command, name):
    assert program(command) == name


def a_step(command, exit_code=0, *, timed_out=False):
    call = Call(id="c", tool="bash", arguments={"command": command})
    seen = Observation(call_id="c", text="", exit_code=exit_code, timed_out=timed_out)
    return Step(index=0, at=NOW, reply=Reply(text="", calls=(call,)), observations=(seen,))


def test_failing_commands_are_counted_by_program_and_exit_code():
    steps = [
        ("a", a_step("grep x .", 1)),
        ("a", a_step("grep y .", 1)),
        ("b", a_step("cd /t && grep z .", 1)),
        ("b", a_step("grep z .", 2)),
        ("b", a_step("pytest", None, timed_out=True)),
        ("b", a_step("ls", 0)),
        ("b", a_step("submit", None)),
    ]
    found = why(a_run("a", "b"), [], steps).commands
    assert [(t.what, t.times, t.instances) for t in found] == [
        ("grep: exit code 1", 3, ("a", "b")),
        ("grep: exit code 2", 1, ("b",)),
        ("pytest: timed out", 1, ("b",)),
    ]


def test_only_the_attempt_that_counts_is_told_of():
    attempts = [
        an_attempt("a", 1, "endpoint_failed", failure=FAULT),
        an_attempt("a", 2, "resolved", stop=Stop.SUBMITTED, solve_seconds=50),
        an_attempt("b", 1, "no_patch", stop=Stop.STEPS, solve_seconds=90, grade_seconds=1),
    ]
    found = why(a_run("a", "b"), attempts, [])
    assert [(t.what, t.instances) for t in found.causes] == [
        ("no patch: step limit", ("b",)),
        ("resolved", ("a",)),
    ]
    assert [(t.what, t.times) for t in found.stops] == [("step limit", 1), ("submitted", 1)]
    assert [(e.instance_id, e.amount) for e in found.slowest] == [("b", 91), ("a", 50)]


def test_the_dearest_are_by_dollars_where_any_is_known_else_by_tokens():
    cheap = an_attempt("a", usage=Usage(input_tokens=10), cost=0.5)
    dear = an_attempt("b", usage=Usage(input_tokens=5), cost=2.0)
    found = why(a_run("a", "b"), [cheap, dear], [])
    assert ([e.instance_id for e in found.dearest], found.dearest_by) == (["b", "a"], "dollars")
    unpriced = [each.model_copy(update={"cost": None}) for each in (cheap, dear)]
    found = why(a_run("a", "b"), unpriced, [])
    assert ([e.instance_id for e in found.dearest], found.dearest_by) == (["a", "b"], "tokens")


def test_a_run_that_has_not_begun_is_told_of_too():
    text = markdown(sheets(why(a_run("a"), [], [])))
    assert "r: 0 samples" in text


def test_what_the_agents_did_is_listed_by_kind_with_its_steps_as_they_are_shown():
    def did(kind, *steps):
        return Conduct(kind=kind, steps=steps, example=f"an example of {kind}")

    attempts = [
        an_attempt("a", conduct=(did("history", *range(9)), did("tests"))),
        an_attempt("b", conduct=(did("history", 2),)),
        an_attempt("c", conduct=()),
    ]
    found = why(a_run("a", "b", "c"), attempts, ())
    assert [(d.instance_id, d.conduct.kind.value) for d in found.conduct] == [
        ("a", "history"), ("b", "history"), ("a", "tests"),
    ]  # fmt: skip
    page = markdown(sheets(found))
    assert "| searched history | a | 1 | 1, 2, 3, 4, 5, 6, 7, 8 and 1 more | an example of" in page
    assert "| searched history | b | 1 | 3 | an example of history |" in page
    assert "| changed tests | a | 1 | only in the patch | an example of tests |" in page
    assert "no verdict depends on it" in page
    assert "the agent" not in markdown(sheets(why(a_run("c"), [an_attempt("c", conduct=())], ())))
