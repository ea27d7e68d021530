"""Runs on disk as `list`, `show` and `report` tell them, from processes of their own."""

from __future__ import annotations

import json

import pytest

from swerun.records import (
    Call,
    ExpectedTest,
    Failure,
    Fault,
    Grade,
    GradeReason,
    Observation,
    Reply,
    Solved,
    Step,
    Stop,
)
from swerun.runs.store import Started, open_or_create
from tests.fakes import NOW, an_attempt
from tests.report.test_summary import a_run

EVIL = "\x1b[31mred\x1b]0;title\x07\x9b2J\x08"
SHOWN = r"\x1b[31mred\x1b]0;title\x07\x9b2J\x08"


@pytest.fixture
def evil(tmp_path):
    """A run in which everything that others can write is meant for the terminal."""
    store = open_or_create(tmp_path / "runs", a_run("a", "b"))
    call = Call(id="c", tool=f"bash{EVIL}", arguments={"command": f"ls {EVIL}"})
    reply = Reply(text=f"I think {EVIL}", calls=(call,))
    seen = Observation(call_id="c", text=f"file {EVIL}")
    expected = ExpectedTest(name=f"test{EVIL}", group="FAIL_TO_PASS", status=None, ok=False)
    grade = Grade(
        resolved=False, reason=GradeReason.TESTS_FAILED, tests=(expected,), detail=f"so {EVIL}"
    )
    failure = Failure(fault=Fault.ENDPOINT, error="E", message=f"it said {EVIL}", retry=False)
    with store.attempt("a", 1, Started()) as log:
        log.step(Step(index=0, at=NOW, reply=reply, observations=(seen,)))
        log.step(Step(index=1, at=NOW, reply=Reply(text=EVIL), observations=(seen,)))
        log.solved(
            Solved(instance_id="a", attempt=1, stop=Stop.SUBMITTED, started_at=NOW, seconds=1),
            f"+patched {EVIL}\n".encode(),
        )
        log.finished(an_attempt("a", outcome="unresolved", grade=grade, failure=failure))
    return store


def obeyed(text):
    return [c for c in text if (ord(c) < 32 and c not in "\n\t") or 126 < ord(c) < 160]


def test_what_a_model_or_a_program_wrote_is_shown_and_not_obeyed(swerun, evil):
    done = swerun("show", evil.name, "a")
    assert done.returncode == 0, done.stderr
    assert obeyed(done.stdout) == []
    words = ("I think", "ls", "file", "+patched", "so", "it said")
    assert [w for w in words if f"{w} {SHOWN}" not in done.stdout] == []
    assert f"test{SHOWN}" in done.stdout


def test_colours_of_swerun_itself_are_all_that_reaches_a_terminal(swerun, evil):
    done = swerun("show", evil.name, "a", FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b[" in done.stdout
    assert not set(obeyed(done.stdout)) - {"\x1b"}
    assert "\x1b]" not in done.stdout
    assert "\x1b[31mred" not in done.stdout


@pytest.mark.parametrize("command", [("show", "r", "a"), ("show", "r"), ("report", "r"), ("list",)])
def test_json_is_json_and_holds_nothing_that_is_obeyed(swerun, evil, command):
    done = swerun(*command, "--json")
    assert done.returncode == 0, done.stderr
    json.loads(done.stdout)
    assert obeyed(done.stdout) == []


def test_an_attempt_that_is_not_there_is_not_answered_with_another(swerun, evil):
    assert swerun("show", evil.name, "a", "--attempt", "1").returncode == 0
    for number in ("0", "2"):
        done = swerun("show", evil.name, "a", "--attempt", number)
        assert done.returncode == 2
        assert "There are: 1." in done.stderr


def test_a_report_of_a_run_with_failures_is_no_failure(swerun, evil):
    done = swerun("report", evil.name)
    assert done.returncode == 0, done.stderr
    assert "not done" in done.stdout
    assert evil.name in swerun("list").stdout


def test_an_empty_folder_is_said_to_have_no_runs(swerun):
    assert "There are no runs in runs." in swerun("list").stdout
