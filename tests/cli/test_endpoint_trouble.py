"""An endpoint that goes away, or throws its users out, in the middle of a run."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter

import pytest

from swerun.instances.subsets import load_instances
from tests.models.endpoint import Server, answering, completion, refused
from tests.models.test_protocols import a_call

pytestmark = pytest.mark.docker
IDS = [instance.id for instance in load_instances("sample")]


def calling(name, arguments="{}"):
    message = {"role": "assistant", "content": None, "tool_calls": [a_call(name, arguments)]}
    return completion(message, finish="tool_calls")


def test_a_key_that_is_withdrawn_ends_the_run_at_once_and_keeps_what_was_done(swerun, base_image):
    command = ("--model", "m", "-j", "1", "--runs", "r")
    wrong = refused(401, "The key was withdrawn.")
    with answering(calling("submit"), calling("submit"), wrong) as server:
        done = swerun(*command, "--base-url", server.url)
        assert done.returncode == 1
        # the small request, the first instance, and the one that was refused
        assert len(server.asked) == 3
    outcomes = Counter(attempt["outcome"] for attempt in attempts(swerun))
    assert outcomes["no_patch"] == 1
    assert set(outcomes) == {"no_patch", "endpoint_failed"}
    assert sum(outcomes.values()) < len(IDS) + 2  # none was tried again
    assert "The key was withdrawn." in done.stderr
    assert "What was done is kept; the same command goes on from here." in done.stderr
    with answering(calling("submit")) as server:
        again = swerun(*command, "--base-url", server.url)
        assert again.returncode == 0, again.stderr
        assert len(server.asked) == 1 + len(IDS) - 1


def attempts(swerun):
    paths = sorted(swerun.folder.glob("r/*/attempts/*/*/attempt.json"))
    return [json.loads(path.read_text()) for path in paths]


def test_an_endpoint_that_restarts_costs_no_attempt_its_time(swerun, base_image):
    """Attempts may take six seconds, and the endpoint is away for longer."""
    first = Server((calling("bash", '{"command": "touch made"}'),))
    threading.Thread(target=first.serve_forever, args=(0.02,), daemon=True).start()
    process = swerun.start(
        *("--model", "m", "--base-url", first.url, "-i", IDS[0], "--runs", "r"),
        *("--attempt-timeout", "6", "--command-timeout", "5"),
    )
    while len(first.asked) < 4:
        time.sleep(0.01)
    first.shutdown()
    first.server_close()
    time.sleep(9)
    second = Server((calling("submit"),), first.server_port)
    threading.Thread(target=second.serve_forever, args=(0.02,), daemon=True).start()
    try:
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
        second.shutdown()
        second.server_close()
    assert process.returncode == 0, said
    (attempt,) = attempts(swerun)
    assert (attempt["stop"], attempt["outcome"]) == ("submitted", "unresolved")
    assert attempt["solve_seconds"] > 9
    assert "paused until it is back, for 1800 seconds at the most" in said
    assert "answers again" in said


def test_an_endpoint_that_stays_away_ends_the_run_and_no_attempt_counts_as_the_models(
    swerun, base_image
):
    command = ("--model", "m", "-i", IDS[0], "--runs", "r", "--endpoint-patience", "1")
    server = Server((calling("bash", '{"command": "touch made"}'),))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    process = swerun.start(*command, "--base-url", server.url)
    while len(server.asked) < 3:
        time.sleep(0.01)
    server.shutdown()
    server.server_close()
    try:
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 1
    (attempt,) = attempts(swerun)
    assert (attempt["outcome"], attempt["grade"]) == ("endpoint_failed", None)
    assert attempt["steps"] > 0, "what was paid for is counted"
    assert "Connection refused" in attempt["failure"]["message"]
    assert "longer than --endpoint-patience bears" in said
    with answering(calling("submit")) as again:
        done = swerun(*command, "--base-url", again.url)
    assert done.returncode == 0, done.stderr
    assert [a["outcome"] for a in attempts(swerun)] == ["endpoint_failed", "no_patch"]
