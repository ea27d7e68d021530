"""`swerun show`, from processes of its own: steps, the log's parts, the answer, the pager."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from swerun.instances.subsets import load_subset
from swerun.ports import Graded, Log
from swerun.records import ExpectedTest, Grade, GradeReason, Solved, Step, Stop, TestStatus
from swerun.runs.store import Started, open_or_create
from tests.fakes import NOW, a_reply, an_attempt
from tests.report.test_summary import a_run

ID = "swerun-sample__cronline-14"
NAME = "tests/test_x.py::test_it"
BAR = "=" * 30
LOG = f"{BAR} FAILURES {BAR}\n____ test_it ____\nE  assert 1 == 2\n{BAR} summary {BAR}\nFAILED\n"
PATCH = b"diff --git a/other.py b/other.py\n--- a/other.py\n+++ b/other.py\n@@ -1 +1 @@\n-a\n+b\n"


@pytest.fixture
def shown(tmp_path):
    """A run of an instance of the sample: an attempt that failed, and one whose patch is wrong."""
    store = open_or_create(tmp_path / "runs", a_run(ID))
    test = ExpectedTest(name=NAME, group="FAIL_TO_PASS", status=TestStatus.FAILED, ok=False)
    grade = Grade(resolved=False, reason=GradeReason.TESTS_FAILED, tests=(test,))
    with store.attempt(ID, 1, Started()) as log:
        log.finished(an_attempt(ID, outcome="endpoint_failed"))
    with store.attempt(ID, 2, Started(cause="retry", of=1)) as log:
        for index in range(3):
            log.step(Step(index=index, at=NOW, reply=a_reply(f"echo step {index}")))
        solved = Solved(
            instance_id=ID, attempt=2, stop=Stop.SUBMITTED, started_at=NOW, seconds=1, steps=3
        )
        log.solved(solved, PATCH)
        log.graded(Graded(grade, "eval", Log(LOG.encode())))
        log.finished(an_attempt(ID, 2, "unresolved", grade=grade, steps=3))
    return store


def test_a_failing_test_comes_with_its_part_of_the_log(swerun, shown):
    done = swerun("show", "r", ID)
    assert done.returncode == 0, done.stderr
    assert "unresolved: not fixed, 3 steps" in done.stdout
    assert "E  assert 1 == 2" in done.stdout
    assert BAR not in done.stdout
    whole = json.loads(swerun("show", "r", ID, "--json").stdout)
    assert whole["failing"] == {NAME: "____ test_it ____\nE  assert 1 == 2"}


def test_all_attempts_are_named_with_their_causes(swerun, shown):
    said = swerun("show", "r", ID).stdout
    assert "attempt 1, sample 1, first: endpoint_failed" in said
    assert "attempt 2, sample 1, retry of 1: unresolved  <- this one" in said


def test_one_step_is_shown_alone_and_one_that_is_not_there_is_not(swerun, shown):
    said = swerun("show", "r", ID, "--step", "2").stdout
    assert "echo step 1" in said
    assert "echo step 0" not in said
    assert "other.py" not in said
    assert json.loads(swerun("show", "r", ID, "--step", "3", "--json").stdout)["index"] == 2
    for wrong in ("0", "4"):
        done = swerun("show", "r", ID, "--step", wrong)
        assert (done.returncode, "has 3 steps" in done.stderr) == (2, True)


def test_the_answer_is_shown_only_where_it_is_asked_for(swerun, shown):
    gold = next(i for i in load_subset("sample").instances if i.id == ID).answer.gold_patch
    line = next(line for line in gold.splitlines() if line.startswith("+") and len(line) > 20)
    for without in ([], ["--json"]):
        assert line[1:].strip() not in swerun("show", "r", ID, *without).stdout
    said = swerun("show", "r", ID, "--diff-gold", COLUMNS="250").stdout
    assert line[1:].strip() in said
    assert "gold does not change: other.py" in said
    whole = json.loads(swerun("show", "r", ID, "--diff-gold", "--json").stdout)
    assert whole["gold_patch"] == gold


def test_what_a_run_asks_is_a_line_a_key_under_its_fingerprint(swerun, shown):
    lines = swerun("show", "r", "--fingerprint").stdout.splitlines()
    assert lines[0] == "fingerprint: f"
    assert "limits.steps: 250" in lines
    assert json.loads(swerun("show", "r").stdout)["fingerprint"] == "f"


def test_what_is_of_an_instance_needs_one(swerun, shown):
    for flag in (["--step", "1"], ["--diff-gold"], ["--attempt", "1"]):
        done = swerun("show", "r", *flag)
        assert (done.returncode, "name it" in done.stderr) == (2, True)


@pytest.mark.parametrize(("flags", "paged"), [([], True), (["--no-pager"], False)])
def test_on_a_terminal_it_goes_through_the_users_pager(tmp_path, shown, flags, paged):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "swerun", "show", "r", ID, *flags],
        cwd=tmp_path,
        env=os.environ | {"PAGER": "sed s/^/paged:/", "HOME": str(tmp_path), "TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    seen = b""
    with suppress(OSError):  # a terminal that nobody holds any more
        while data := os.read(master, 65536):
            seen += data
    os.close(master)
    assert process.wait(60) == 0
    assert b"echo step 0" in seen
    assert (b"paged:" in seen) == paged
