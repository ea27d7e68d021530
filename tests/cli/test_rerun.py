"""Further attempts as a user has them: processes, containers, and an endpoint that is scripted."""

from __future__ import annotations

import json
import shutil
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from swerun.instances.subsets import load_instances
from swerun.runs.store import RunStore
from tests.cli.swerun_process import Swerun, containers_of
from tests.models.endpoint import Silence, answering, completion, refused
from tests.models.test_protocols import a_call

pytestmark = pytest.mark.docker
FIRST, SECOND = load_instances("sample")[:2]


def calling(tool, **arguments):
    call = a_call(tool, json.dumps(arguments))
    usage = {"prompt_tokens": 90, "completion_tokens": 10}
    message = {"role": "assistant", "content": "I see.", "tool_calls": [call]}
    return completion(message, usage=usage)


FIX = {
    each.id: calling("bash", command=f"git apply - <<'END'\n{each.answer.gold_patch}END")
    for each in (FIRST, SECOND)
}
SUBMIT = calling("submit")
REFUSED = refused(400, "There is no such model here any more.")
SPOIL = calling("bash", command="touch left.txt; echo \x1b[31mred; seq 100")


class Script:
    """What the endpoint answers: for each instance the replies in their order."""

    def __init__(self):
        self.replies = {}

    def __call__(self, asked):
        text = json.dumps(asked.body["messages"])
        said = sum(m["role"] == "assistant" for m in asked.body["messages"])
        for instance in (FIRST, SECOND):
            if json.dumps(instance.task.problem_statement)[1:60] in text:
                return self.replies[instance.id][said]
        return SUBMIT  # the small request before a run


@dataclass(frozen=True)
class Begun:
    """A run of two instances, of which one failed and one is not resolved, and its endpoint."""

    script: Script
    run: Path
    command: tuple[str, ...]


@pytest.fixture(scope="module")
def made(tmp_path_factory, base_image):
    script, swerun = Script(), Swerun(tmp_path_factory.mktemp("made"))
    with answering(script) as server:
        command = ("--model", "m", "--base-url", server.url, "-i", FIRST.id, "-i", SECOND.id)
        script.replies = {FIRST.id: [SPOIL, REFUSED], SECOND.id: [SPOIL, SUBMIT]}
        done = swerun(*command)
        assert done.returncode == 1, done.stderr
        yield Begun(script, swerun.runs()[0], command)


@pytest.fixture
def begun(made, swerun):
    """The same, for this test alone."""
    run = swerun.folder / "runs" / made.run.name
    shutil.copytree(made.run, run)
    made.script.replies = {FIRST.id: [SPOIL, REFUSED], SECOND.id: [SPOIL, SUBMIT]}
    return replace(made, run=run)


def score(run):
    report = json.loads((run / "report.json").read_text())
    return report["resolved"], report["graded"], report["replaced"]


def recorded(run, instance, number):
    folder = run / "attempts" / instance.id / str(number)
    return json.loads((folder / "attempt.json").read_text())


def test_a_failed_instance_counts_once_it_is_rerun_and_a_verdict_is_only_replaced_on_demand(
    swerun, engine, begun
):
    run = begun.run
    assert score(run) == (0, 1, 0)
    begun.script.replies = {each.id: [FIX[each.id], SUBMIT] for each in (FIRST, SECOND)}

    # with no flags: the address, the model and all else are the run's own
    done = swerun("rerun", run.name, "--outcome", "endpoint_failed", "--json")
    assert done.returncode == 0, done.stderr
    (attempt,) = json.loads(done.stdout)["attempts"]
    assert (attempt["instance_id"], attempt["attempt"]) == (FIRST.id, 2)
    assert (attempt["cause"], attempt["of"], attempt["changed"]) == ("rerun", 1, {})
    assert score(run) == (1, 2, 0)

    # what has a verdict keeps it
    done = swerun("rerun", run.name, "-i", SECOND.id)
    assert done.returncode == 0, done.stderr
    assert "It has a verdict, and it stays what counts (--replace: the new one)" in done.stderr
    assert "attempt 1 counts: unresolved" in done.stdout
    assert "first attempt with a verdict" in done.stdout
    assert recorded(run, SECOND, 2)["outcome"] == "resolved"
    assert score(run) == (1, 2, 0)

    # the newest of those that replace
    done = swerun("rerun", run.name, "--unresolved", "--replace")
    assert done.returncode == 0, done.stderr
    assert recorded(run, SECOND, 3)["replaces"] is True
    assert score(run) == (2, 2, 1)

    # and the run itself has nothing left to do
    assert swerun(*begun.command).returncode == 0
    assert len(list(run.glob("attempts/*/*"))) == 5
    assert containers_of(engine, RunStore(run).label()) == []


def test_what_flags_change_is_recorded_and_has_no_part_in_the_score(swerun, begun):
    run, flags = begun.run, ("-i", FIRST.id, "--steps", "1", "--temperature", "0.5")
    begun.script.replies[FIRST.id] = [FIX[FIRST.id], SUBMIT]
    done = swerun("rerun", run.name, *flags, "--replace")
    assert done.returncode == 2
    assert "it is another question now" in done.stderr
    assert not (run / "attempts" / FIRST.id / "2").exists()
    done = swerun("rerun", run.name, *flags)
    assert done.returncode == 0, done.stderr
    assert "(limits.steps: 250 -> 1; sampling.temperature: None -> 0.5)" in done.stderr
    attempt = recorded(run, FIRST, 2)
    assert (attempt["outcome"], attempt["stop"]) == ("resolved", "step_limit")
    changed = {"sampling.temperature": [None, 0.5], "limits.steps": [250, 1]}
    started = json.loads((run / "attempts" / FIRST.id / "2" / "started.json").read_text())
    sessions = json.loads((run / "run.json").read_text())["sessions"]
    assert attempt["changed"] == started["changed"] == sessions[-1]["changed"] == changed
    assert score(run) == (0, 1, 0)
    # for the run it is as if it had not been: a further attempt is made, with its own limits
    done = swerun(*begun.command)
    assert done.returncode == 0, done.stderr
    assert recorded(run, FIRST, 3)["changed"] == {}
    assert score(run) == (1, 2, 0)


def test_every_step_is_shown_as_it_happens_and_what_is_long_is_cut(swerun, begun):
    done = swerun("rerun", begun.run.name, "--failed")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert any(line.startswith(f"{FIRST.id}, attempt 2 ==") for line in lines)
    (step,) = (n for n, line in enumerate(lines) if "step 1" in line)
    assert "100 tokens, commands" in lines[step]
    assert lines[step + 1] == "I see."
    assert lines[step + 2].startswith(r"bash touch left.txt; echo \x1b[31mred; seq 100")
    assert "[... 78 lines that are not shown here ...]" in lines
    assert "There is no such model here any more." in done.stderr
    assert "\x1b" not in done.stderr
    shown = swerun("show", begun.run.name, FIRST.id).stdout
    assert "attempt 2, sample 1, rerun of 1: endpoint_failed  <- this one" in shown


def test_what_cannot_be_rerun_is_refused_before_anything_begins(swerun, begun):
    for flags, said in {
        (): "which ones? Name them with -i",
        ("--outcome", "lost"): "--outcome lost: there is no such thing. There are resolved,",
        ("--failed", "--prompt", "gone.md"): "gone.md cannot be read",
    }.items():
        done = swerun("rerun", begun.run.name, *flags)
        assert done.returncode == 2, done.stderr
        assert said in done.stderr
    assert len(list(begun.run.glob("attempts/*/*"))) == 2


def test_a_rerun_that_is_stopped_loses_nothing(swerun, engine, begun):
    run = begun.run
    begun.script.replies[SECOND.id] = [SPOIL, Silence()]
    process = swerun.start("rerun", run.name, "-i", SECOND.id, "--replace")
    steps = run / "attempts" / SECOND.id / "2" / "steps.jsonl"
    while not (steps.exists() and steps.read_text()):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Stopped. What was done is kept." in err
    assert recorded(run, SECOND, 2)["outcome"] == "cancelled"
    assert len(steps.read_text().splitlines()) == 1
    assert score(run) == (0, 1, 0)
    assert containers_of(engine, RunStore(run).label()) == []
