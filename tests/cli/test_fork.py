"""An attempt that is forked: processes, containers, an endpoint that is scripted."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from swerun.instances.subsets import load_instances
from tests.cli.scripted import Script
from tests.cli.swerun_process import Swerun, containers_of
from tests.models.endpoint import Server, answering

pytestmark = pytest.mark.docker
ONE = load_instances("sample")[0]
FIX = f"git apply - <<'END'\n{ONE.answer.gold_patch}END"
PROMPT = "{{ task.problem_statement }} <issue> Be brief."


@dataclass(frozen=True)
class Recorded:
    """A run of one attempt, of four steps, and the endpoint that it asked."""

    swerun: Swerun
    script: Script
    server: Server
    run: Path

    def attempt(self, number):
        """As its two records have it, and its steps."""
        folder = self.run / "attempts" / ONE.id / str(number)
        attempt, started = (
            json.loads((folder / f"{name}.json").read_text()) for name in ("attempt", "started")
        )
        lines = (folder / "steps.jsonl").read_text().splitlines()
        return attempt, started, [json.loads(line) for line in lines]

    def report(self):
        return json.loads((self.run / "report.json").read_text())

    def numbers(self):
        return {path.name for path in (self.run / "attempts" / ONE.id).iterdir()}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, base_image):
    swerun = Swerun(tmp_path_factory.mktemp("forked"))
    script = Script(("mkdir made", "echo one >made/a.txt", "echo two >>made/a.txt"))
    with answering(script) as server:
        priced = ("--price-input", "1", "--price-output", "1", "--run", "forked")
        done = swerun("--model", "m", "--base-url", server.url, "-i", ONE.id, *priced)
        assert done.returncode == 0, done.stderr
        yield Recorded(swerun, script, server, swerun.folder / "runs" / "forked")


def test_where_no_fork_can_begin_is_said_and_nothing_is_written(recorded):
    for flags, said in (
        (("--at", "4"), "that is the submission"),
        (("--at", "9"), "has 4 steps"),
        (("--at", "2", "--protocol", "text"), "no request in text can carry them"),
        (("--at", "2", "--steps", "2"), "is the last that this allows"),
        (("--at", "1", "--attempt", "7"), "no such attempt"),
    ):
        refused = recorded.swerun("fork", "forked", ONE.id, *flags)
        assert (refused.returncode, said in refused.stderr) == (2, True), refused.stderr
    assert recorded.numbers() == {"1"}


def test_a_fork_goes_on_from_a_step_with_another_model_and_prompt_and_never_counts(
    recorded, engine
):
    before, script = recorded.report(), recorded.script
    (recorded.swerun.folder / "brief.md").write_text(PROMPT)
    script.commands, script.asked_for = ("mkdir made", "echo one >made/a.txt", FIX), []
    other = ("--model", "other", "--prompt", "brief.md", "--steps", "9")
    done = recorded.swerun("fork", "forked", ONE.id, "--at", "2", *other, "--json")
    assert done.returncode == 0, done.stderr
    assert "step 2" in done.stderr
    assert "again, from attempt 1" in done.stderr
    assert "never counts in the score" in done.stderr

    # asked was the other model, with the other prompt, and only for the rest
    assert script.asked_for == [2, 3]
    for asked in recorded.server.asked[-2:]:
        assert asked.body["model"] == "other"
        assert asked.body["messages"][1]["content"].endswith("Be brief.")

    attempt, started, steps = recorded.attempt(2)
    assert (attempt["cause"], attempt["of"], attempt["at"]) == ("forked", 1, 2)
    assert (attempt["outcome"], attempt["steps"]) == ("resolved", 4)
    assert set(attempt["changed"]) == {"model", "scaffold.prompt_hash", "limits.steps"}
    assert attempt["changed"]["model"] == ["m", "other"]
    assert started["changed"] == attempt["changed"]
    assert [step["reply"].get("replayed") for step in steps] == [1, 1, None, None]
    patch = (recorded.run / "attempts" / ONE.id / "2" / "patch.diff").read_text()
    assert "+one" in patch
    assert "+two" not in patch
    assert json.loads(done.stdout)["attempts"] == [attempt]

    after = recorded.report()
    counting = ("n", "graded", "resolved", "outcomes", "usage", "cost")
    assert {key: after[key] for key in counting} == {key: before[key] for key in counting}
    # two of the four replies of the fork were asked for
    assert after["usage_all"]["input_tokens"] == before["usage_all"]["input_tokens"] + 2 * 1000
    assert containers_of(engine, "forked") == []

    # and the run goes on as if there were no fork
    again = recorded.swerun(
        "--model", "m", "--base-url", recorded.server.url, "-i", ONE.id, "--run", "forked"
    )
    assert again.returncode == 0, again.stderr
    assert recorded.numbers() == {"1", "2"}


def test_a_fork_that_is_killed_while_it_is_graded_is_graded_by_the_same_command(recorded, engine):
    script, before = recorded.script, recorded.numbers()
    script.commands, script.asked_for = ("mkdir made", "echo one >made/a.txt", FIX), []
    command = ("fork", "forked", ONE.id, "--at", "2", "--steps", "8", "--no-cache")
    folder = recorded.run / "attempts" / ONE.id / str(len(before) + 1)
    killed = recorded.swerun.start(*command)
    while killed.poll() is None and not (folder / "solved.json").exists():
        time.sleep(0.01)
    killed.kill()
    killed.communicate()
    assert (folder / "solved.json").exists()
    assert not (folder / "attempt.json").exists()
    asked = len(script.asked_for)
    done = recorded.swerun(*command, "--json")
    assert done.returncode == 0, done.stderr
    assert len(script.asked_for) == asked
    (made,) = json.loads(done.stdout)["attempts"]
    assert (made["attempt"], made["cause"], made["outcome"]) == (3, "forked", "resolved")
    assert recorded.numbers() == {*before, folder.name}
    assert containers_of(engine, "forked") == []
