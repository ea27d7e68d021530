"""Eval scripts, run for real: what tells their exit code, and what is kept of their logs."""

from __future__ import annotations

import time

import pytest

from swerun.grading.evaluate import LEFT_OUT, Evaluator, fetched
from swerun.grading.grader import SandboxGrader
from swerun.grading.script import SHORT, Keeping, printed, running, telling
from swerun.grading.verdict import EXIT_CODE
from swerun.ports import Log
from swerun.records import END, START, GradeReason, Role
from swerun.sandbox.local import LocalSandboxes
from tests.fakes import an_instance

PATCH = b"--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n"
TOLD = "SWEBENCH_TEST_EXIT_CODE"


def script(tests):
    """An eval script in the form of SWE-bench's, that runs `tests`."""
    lines = ["#!/bin/bash", "set -uxo pipefail", f": '{START}'", tests, f": '{END}'", "true"]
    return "\n".join(lines)


@pytest.fixture(params=["python3", "sh"])
def sandboxes(request, tmp_path):
    """Both servers of a channel; `sh` is what images without Python have."""
    template = tmp_path / "template"
    template.mkdir()
    return LocalSandboxes(template, server=request.param)


def graded(sandboxes, tests, *, seconds=30.0, **keeping):
    instance = an_instance(eval_script=script(tests))
    grader = SandboxGrader(Evaluator(sandboxes, seconds, keeping=Keeping(**keeping)))
    return grader.grade(instance, PATCH, attempt=1)


def test_the_exit_code_is_taken_of_the_test_command_and_told_after_the_end():
    assert telling(script("pytest")).splitlines() == [
        "#!/bin/bash",
        "set -uxo pipefail",
        f": '{START}'",
        "pytest",
        f"{TOLD}=$?",
        f": '{END}'",
        f'echo "{EXIT_CODE}: ${TOLD}"',
        "true",
        f'exit "${TOLD}"',
    ]


def test_a_script_that_tells_it_already_tells_it_once():
    once = telling(script("pytest"))
    assert telling(once).count(f"{TOLD}=$?") == 1
    assert telling(once).count("set -uxo pipefail") == 1


def test_a_script_without_an_end_is_left_as_it_is():
    assert telling("pytest\ntrue") == "#!/bin/bash\nset -uxo pipefail\npytest\ntrue\n"


@pytest.mark.parametrize("code", [0, 1, 5, 139])
def test_the_exit_code_is_the_test_commands_and_no_later_one(sandboxes, code):
    done = graded(sandboxes, f"echo PASSED test_a; (exit {code})")
    assert done.grade.exit_code == code
    assert f"{EXIT_CODE}: {code}\n".encode() in done.log.whole()
    assert done.grade.resolved is (code == 0)


def test_an_exit_code_that_a_test_prints_is_not_believed(sandboxes):
    done = graded(sandboxes, f"echo PASSED test_a; echo '{EXIT_CODE}: 0'; (exit 1)")
    assert (done.grade.exit_code, done.grade.resolved) == (1, False)


def test_tests_that_end_the_whole_script_have_not_passed(sandboxes):
    for code in (0, 7):
        with LocalSandboxes(sandboxes.template, sandboxes.server).start(
            an_instance().task, role=Role.GRADING, attempt=1
        ) as sandbox:
            sandbox.write_file("run/eval.sh", telling(script(f"exit {code}")).encode())
            result = sandbox.exec(running("run", Keeping()), timeout=30)
        assert result.exit_code == code
        assert END.encode() not in printed(result.output)


def test_the_log_is_kept_when_the_time_is_up(sandboxes):
    began = time.monotonic()
    done = graded(sandboxes, "echo so far; sleep 60", seconds=1)
    assert time.monotonic() - began < 20
    assert done.grade.reason is GradeReason.TIMED_OUT
    assert done.grade.exit_code is None
    assert b"so far\n" in done.log.whole()
    assert 1 <= done.grade.eval_seconds < 10


def test_of_a_long_log_the_first_and_the_last_bytes_are_kept(sandboxes):
    tests = "echo PASSED test_a; seq -f 'line %09.0f' 300000"
    done = graded(sandboxes, tests, head=8192, tail=4096)
    head, tail = done.log.whole().split(LEFT_OUT)
    assert 8192 - 15 < len(head) <= 8192
    assert 4096 - 15 < len(tail) <= 4096
    assert head.endswith(b"\n")
    assert tail.startswith(b"line ")
    assert head.startswith(b"+ : ")
    assert b"line 000000300\n" in head
    assert b"line 000300000\n" in tail
    assert tail.endswith(f"{EXIT_CODE}: 0\n+ true\n+ exit 0\n".encode())
    assert done.grade.resolved


class Files:
    """A sandbox of which only files are read."""

    def __init__(self, **files):
        self.files = files

    def read_file(self, path, *, limit=None):
        try:
            return self.files[path.removeprefix("run/")][:limit]
        except KeyError as error:
            raise FileNotFoundError(path) from error


@pytest.mark.parametrize(
    ("head", "tail", "log"),
    [
        (b"one\n", b"", b"one\n"),
        (b"one\nno end", b"", b"one\nno end"),
        # `not PASSED a` and `PASSED abc`, of which the parts would be results
        (b"one\ntwo\nPASSED a", b"PASSED a\nend\n", b"one\ntwo\n" + LEFT_OUT + b"end\n"),
        (b"a line of no end", b" that goes on so", LEFT_OUT),
        (b"one\ntwo\nthree\n89", b"", b"one\ntwo\nthree\n" + LEFT_OUT),  # stopped before its tail
    ],
)
def test_of_a_long_log_whole_lines_are_kept_and_no_others(head, tail, log):
    keeping = Keeping(head=16, tail=16)
    assert fetched(Files(head=head, tail=tail), "run", keeping) == Log(log)


def test_however_long_the_file_of_a_log_is_no_more_is_read_than_is_kept():
    asked = []

    class Endless(Files):
        def read_file(self, path, *, limit=None):
            asked.append(limit)
            return b"\n" * limit

    fetched(Endless(), "run", Keeping(head=8, tail=4))
    assert asked == [8, 4]


def test_without_a_file_there_is_no_log():
    assert fetched(Files(), "run", Keeping()) == Log()


def test_a_log_that_is_cut_by_the_time_limit_says_so(sandboxes):
    done = graded(sandboxes, "yes no", seconds=1, head=8192, tail=4096)
    assert done.log.whole().startswith(b"+ : ")
    assert done.log.whole().endswith(LEFT_OUT)
    assert 8192 - 3 < len(done.log.whole()) - len(LEFT_OUT) <= 8192


@pytest.mark.parametrize("size", [0, 100, SHORT - 600, SHORT + 1, 3 * SHORT])
def test_a_log_is_kept_whole_whatever_its_length(sandboxes, size):
    tests = f"echo PASSED test_a; head -c {size} /dev/zero | tr '\\0' x; echo"
    done = graded(sandboxes, tests)
    whole = b"x" * size in done.log.whole() and done.log.whole().endswith(b"+ exit 0\n")
    assert (done.grade.resolved, whole) == (True, True)


def test_bytes_of_a_log_are_kept_as_they_are(sandboxes):
    done = graded(sandboxes, r"printf 'PASSED test_a\r\n\377\0\n'")
    assert b"PASSED test_a\r\n\xff\x00\n" in done.log.whole()
    assert done.grade.resolved


def test_what_the_tests_left_running_is_not_waited_for(sandboxes):
    began = time.monotonic()
    tests = "(while :; do echo still here; sleep 0.1; done) & echo PASSED test_a"
    done = graded(sandboxes, tests, patience=1)
    assert time.monotonic() - began < 15
    assert done.grade.resolved
    assert EXIT_CODE.encode() in done.log.whole()


def test_what_prints_from_the_background_for_a_moment_is_in_the_log(sandboxes):
    tests = "(sleep 0.5; echo the last word) & echo PASSED test_a"
    assert b"the last word\n" in graded(sandboxes, tests).log.whole()


def test_a_test_that_opens_its_output_anew_does_not_empty_the_log(sandboxes):
    done = graded(sandboxes, "echo first; echo PASSED test_a >/dev/stdout; echo last >/dev/stderr")
    for said in (b"first\n", b"PASSED test_a\n", b"last\n"):
        assert said in done.log.whole()


def test_the_script_that_was_run_is_part_of_the_evidence(sandboxes):
    assert graded(sandboxes, "true; echo PASSED test_a").eval_script == telling(
        script("true; echo PASSED test_a")
    )


def test_what_is_no_log_is_not_taken_for_one():
    assert printed("no base64 at all") is None
    assert printed("") is None
    assert printed("YWJj\nZA==\n") == b"abcd"


def test_a_script_cannot_run_where_there_is_no_folder_for_it(sandboxes):
    with sandboxes.start(an_instance().task, role=Role.GRADING, attempt=1) as sandbox:
        result = sandbox.exec(running("nowhere", Keeping()), timeout=30)
    assert result.exit_code == 126
