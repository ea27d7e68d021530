"""--protocol auto as a user has it: decided once, written down, and not asked again."""

from __future__ import annotations

import json

import pytest

from tests.models.endpoint import answering, completion
from tests.models.test_protocols import a_call

pytestmark = pytest.mark.docker
ONE = ("-i", "*polykit-9")
# what a server without a parser serves of a model that does nothing but submit
SUBMITTED = "<tool_call>\n<function=submit>\n</function>\n</tool_call>"


def record(swerun):
    (run,) = swerun.runs()
    return json.loads((run / "run.json").read_text())


def offering(server):
    return ["tools" in asked.body for asked in server.asked]


def test_auto_is_decided_once_and_written_down(swerun, base_image):
    with answering(completion({"content": SUBMITTED})) as server:
        command = ("--model", "m", "--base-url", server.url, "--protocol", "auto", *ONE)
        first = swerun(*command)
        assert first.returncode == 0, first.stderr
        assert offering(server)[0]
        assert not any(offering(server)[1:])
        so_far = len(server.asked)
        again = swerun(*command)
        assert again.returncode == 0, again.stderr
        assert not any(offering(server)[so_far:])
    run = record(swerun)
    assert run["question"]["scaffold"]["protocol"] == "qwen-xml"
    assert [session["note"] for session in run["sessions"]] == [
        "protocol qwen-xml, found by --protocol auto"
    ] * 2


def test_what_was_found_out_holds_for_a_run_that_the_server_has_changed_under(swerun, base_image):
    call = {"role": "assistant", "content": None, "tool_calls": [a_call("submit", "{}")]}
    command = ("--model", "m", "--protocol", "auto", "--run", "mine", *ONE)
    with answering(completion({"content": SUBMITTED})) as server:
        assert swerun(*command, "--base-url", server.url).returncode == 0
    with answering(completion(call)) as server:
        again = swerun(*command, "--base-url", server.url)
        assert again.returncode == 0, again.stderr
        assert not any(offering(server))
        fresh = swerun(*command, "--base-url", server.url, "--fresh")
        assert fresh.returncode == 0, fresh.stderr
        assert any(offering(server))
    questions = [json.loads((run / "run.json").read_text())["question"] for run in swerun.runs()]
    assert [q["scaffold"]["protocol"] for q in questions] == ["qwen-xml", "tools"]
