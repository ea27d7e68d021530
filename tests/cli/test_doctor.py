"""`swerun doctor` as a user has it."""

from __future__ import annotations

import json

import pytest

from tests.doctor.server import NAME, in_mood, vllm
from tests.models.test_tagged import XML

pytestmark = pytest.mark.docker


def test_without_a_model_it_is_about_this_machine(swerun):
    done = swerun("doctor")
    assert done.returncode == 0, done.stderr
    for part in ("this machine", "engine", "storage driver", "left behind", "base image"):
        assert part in done.stdout


def test_with_a_model_its_endpoint_is_examined_and_advice_is_given(swerun):
    with in_mood(vllm(calls=XML)) as server:
        done = swerun("doctor", "--model", NAME, "--base-url", server.url)
    assert done.returncode == 0, done.stderr
    for part in ("--tool-call-parser qwen3_coder", "65,536 tokens", "poor", NAME):
        assert part in done.stdout


def test_what_would_keep_a_run_from_its_work_is_an_exit_code_of_one(swerun):
    with in_mood(vllm(key="fits-well")) as server:
        command = ("doctor", "--model", NAME, "--base-url", server.url, "--json")
        wrong = swerun(*command, OPENAI_API_KEY="fits-not")
        right = swerun(*command, OPENAI_API_KEY="fits-well")
    assert (wrong.returncode, right.returncode) == (1, 0)
    findings = {f["name"]: f["state"] for f in json.loads(wrong.stdout) if f["about"] == NAME}
    assert findings == {"key": "bad", "answer": "bad"}
    assert "fits-not" not in wrong.stdout


def test_no_engine_is_a_finding_and_the_endpoint_is_examined_all_the_same(swerun):
    with in_mood(vllm()) as server:
        command = ("doctor", "--model", NAME, "--base-url", server.url, "--json")
        done = swerun(*command, DOCKER_HOST="unix:///nowhere.sock")
    assert done.returncode == 1
    findings = json.loads(done.stdout)
    assert [f["name"] for f in findings if f["state"] == "bad"] == ["engine"]
    assert "speed" in [f["name"] for f in findings]


def test_a_model_that_has_no_endpoint_is_a_mistake(swerun):
    done = swerun("doctor", "--model", "gold")
    assert done.returncode == 2
    assert "gold has no endpoint" in done.stderr


def test_a_limit_and_a_body_are_tried_as_a_run_would_send_them(swerun):
    with in_mood(vllm()) as server:
        done = swerun(
            *("doctor", "--model", NAME, "--base-url", server.url, "--json"),
            *("--max-tokens", "99999999", "--extra-body", '{"top_k": 20}'),
        )
    assert done.returncode == 1
    (bad,) = [f for f in json.loads(done.stdout) if f["state"] == "bad"]
    assert (bad["name"], bad["advice"]) == ("output", "Give a lower --max-tokens.")


def test_the_models_of_a_file_are_examined_each_at_its_own_endpoint(swerun):
    with in_mood(vllm()) as one, in_mood(vllm(calls="refused")) as other:
        rows = [
            {"name": f"m{i}", "model": NAME, "base_url": s.url} for i, s in enumerate([one, other])
        ]
        (swerun.folder / "models.yaml").write_text(json.dumps(rows))
        done = swerun("doctor", "--models", "models.yaml", "--json")
    assert done.returncode == 0, done.stderr
    calls = {f["about"]: f["state"] for f in json.loads(done.stdout) if f["name"] == "tool calls"}
    assert calls == {"m0": "good", "m1": "poor"}
