"""An attempt that is killed in the middle, and gone on with: processes, containers, an endpoint."""

from __future__ import annotations

import json
import signal

import pytest

from swerun.instances.subsets import load_instances
from tests.cli.scripted import USAGE, Script
from tests.cli.swerun_process import containers_of
from tests.models.endpoint import answering

pytestmark = pytest.mark.docker
ID = load_instances("sample")[0].id
COMMANDS = (
    "mkdir made && echo one >made/a.txt && ls made",
    "echo two >>made/a.txt && cat made/a.txt",
    "date +%s%N >/tmp/when && cat /tmp/when",
    "echo three >>made/a.txt",
    "sed -i s/two/2/ made/a.txt && cat made/a.txt",
)
REPLIES = len(COMMANDS) + 1


def folder(swerun, name, number):
    return swerun.folder / "runs" / name / "attempts" / ID / str(number)


def steps(path):
    return [json.loads(line) for line in (path / "steps.jsonl").read_text().splitlines()]


def ended(swerun, server, command, script, by):
    """A run that is ended while it waits for the reply at which the script is silent."""
    server.silent.clear()
    process = swerun.start(*command)
    try:
        assert server.silent.wait(60), "the agent never asked"
        process.send_signal(by)
        process.communicate(timeout=30)
    finally:
        process.kill()
    script.silent_at = None


def test_what_was_cut_off_goes_on_from_its_last_step_and_pays_no_reply_twice(
    swerun, engine, base_image
):
    script = Script(COMMANDS, silent_at=2)
    with answering(script) as server:
        one = ("--model", "m", "--base-url", server.url, "-i", ID, "--price-input", "1")
        one = (*one, "--price-output", "1", "--json", "--continue-attempts", "--run")
        ended(swerun, server, (*one, "cut"), script, signal.SIGKILL)
        with (folder(swerun, "cut", 1) / "steps.jsonl").open("a") as torn:
            torn.write('{"index":2,"at"')
        script.silent_at = 4
        ended(swerun, server, (*one, "cut"), script, signal.SIGINT)
        done = swerun(*one, "cut")
        assert done.returncode == 0, done.stderr
        assert script.asked_for == [0, 1, 2, 2, 3, 4, 4, 5]
        whole = swerun(*one, "whole")
        assert whole.returncode == 0, whole.stderr
    last = folder(swerun, "cut", 3)
    assert (last / "patch.diff").read_bytes() == (
        folder(swerun, "whole", 1) / "patch.diff"
    ).read_bytes()
    attempt = json.loads((last / "attempt.json").read_text())
    assert (attempt["cause"], attempt["of"], attempt["steps"]) == ("continued", 2, REPLIES)
    assert attempt["replayed"]["steps"] == 4
    assert attempt["replayed"]["differs"] == [2]  # what the time is
    assert [step["reply"].get("replayed") for step in steps(last)] == [1, 1, 2, 2, None, None]
    assert [step["reply"]["text"] for step in steps(last)] == [
        f"Reply {number}." for number in range(REPLIES)
    ]
    (cut,), (uncut,) = json.loads(done.stdout), json.loads(whole.stdout)
    assert cut["usage"] == cut["usage_all"] == uncut["usage"]
    assert cut["cost"] == cut["cost_all"] == REPLIES * sum(USAGE.values()) / 1e6
    run = json.loads((last.parents[2] / "run.json").read_text())
    assert [session["continue_attempts"] for session in run["sessions"]] == [True] * 3
    assert containers_of(engine, "cut") == []
    shown = swerun("show", "cut", ID).stdout
    assert "attempt 3, sample 1, continued of 2" in shown
    assert "again, from attempt 1" in shown


def test_a_command_in_the_container_cannot_be_gone_on_with_and_that_is_said_before(swerun):
    endpoint = ("--model", "m", "--base-url", "http://127.0.0.1:9/v1")
    done = swerun(*endpoint, "--agent", "command:true", "--continue-attempts", "-i", ID)
    assert done.returncode == 2
    assert "there is no step to go on from" in done.stderr
