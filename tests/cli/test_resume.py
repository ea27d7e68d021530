"""The same command again, from processes: which run it finds, which it is refused, who may."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from swerun.errors import InputError
from swerun.instances.subsets import load_instances
from swerun.runs.store import RunStore, open_or_create
from tests.fakes import files_below
from tests.models.endpoint import Silence, answering, completion
from tests.report.test_summary import a_run

IDS = [instance.id for instance in load_instances("sample")]
# holds a run's lock, and waits for a process that it started
HOLDER = """
import sys
from pathlib import Path
from swerun.runs.store import RunStore
from swerun.sandbox.process import run

with RunStore(Path(sys.argv[1])).locked():
    run(["sh", "-c", f"echo $$ >{sys.argv[2]}; exec sleep 300"], timeout=300)
"""


def contents(folder):
    return {name: (folder / name).read_bytes() for name in files_below(folder)}


@pytest.mark.docker
def test_another_question_under_a_runs_name_is_refused_with_the_difference_and_nothing_else(
    swerun, base_image
):
    one = ("--model", "empty", "-i", IDS[0], "--run", "q")
    assert swerun(*one).returncode == 0
    before = contents(swerun.folder / "runs")
    other = swerun(*one, "--eval-timeout", "7")
    assert other.returncode == 2
    assert "the run q in runs asks another question" in other.stderr
    assert "(--eval-timeout (limits.eval_seconds): 1800.0 -> 7.0)" in other.stderr
    assert contents(swerun.folder / "runs") == before
    again = swerun(*one, "--eval-timeout", "7", "--fresh", "--json")
    assert again.returncode == 0, again.stderr
    assert [report["run"] for report in json.loads(again.stdout)] == ["q-2"]
    after = contents(swerun.folder / "runs")
    assert {name: after[name] for name in before} == before


def silent_to_agents(asked):
    """An agent's conversation begins with two messages, the small request at the start is one."""
    return Silence() if len(asked.body["messages"]) > 1 else completion()


@pytest.mark.docker
def test_while_a_process_works_on_a_run_a_second_one_is_refused_and_after_its_end_none(
    swerun, base_image
):
    with answering(silent_to_agents) as server:
        command = ("--model", "m", "--base-url", server.url, "-i", IDS[0], "--run", "one")
        first = swerun.start(*command)
        try:
            assert server.silent.wait(60), "it never asked"
            second = swerun(*command)
        finally:
            first.kill()
            first.communicate()
        assert second.returncode == 2
        assert "another process works on the run one already" in second.stderr
        assert list(RunStore(swerun.folder / "runs" / "one").attempts()) == []
    submit = {"name": "submit", "arguments": "{}"}
    call = {"id": "1", "type": "function", "function": submit}
    submitting = completion({"role": "assistant", "tool_calls": [call]}, finish="tool_calls")
    with answering(submitting) as server:
        third = swerun(*command, "--base-url", server.url)
    assert third.returncode == 0, third.stderr


def test_the_lock_of_a_killed_process_is_free_though_what_it_started_lives_on(tmp_path):
    store = open_or_create(tmp_path, a_run("a"))
    said = tmp_path / "child"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(store.folder), str(said)])
    try:
        while not (said.exists() and said.read_text().strip()):
            assert holder.poll() is None
            time.sleep(0.01)
        with pytest.raises(InputError, match="another process works on the run"), store.locked():
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    child = int(said.read_text())
    try:
        os.kill(child, 0)  # it lives
        with store.locked():
            pass
    finally:
        os.kill(child, signal.SIGKILL)
