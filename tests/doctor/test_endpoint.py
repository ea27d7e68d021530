"""What is found out about endpoints in many moods, each over real HTTP."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from threading import Event

import pytest

from swerun.doctor.endpoint import examined
from swerun.errors import CancelledError
from swerun.models.decide import ROOM
from swerun.records import Sampling
from tests.doctor.server import (
    NAME,
    Mood,
    in_mood,
    listing,
    llamacpp,
    ollama,
    openai,
    vllm,
)
from tests.models.test_tagged import HERMES, XML


@pytest.fixture
def found(clients, ask):
    """found(mood, ...) -> the findings by name; the rest is an Endpoint's, or --deep."""
    with ExitStack() as servers:

        def made(mood, is_deep=False, **given):
            server = servers.enter_context(in_mood(mood))
            model = ask(server.url, **given)
            each = list(examined(NAME, model, Event(), mark="m1", is_deep=is_deep))
            made.asked = server.asked
            assert {finding.about for finding in each} == {NAME}
            return {finding.name: finding for finding in each}

        yield made


def prompts(asked):
    bodies = [one.body for one in asked if one.body and "messages" in one.body]
    return [body["messages"][0]["content"] for body in bodies]


def states(findings):
    return {name: finding.state.value for name, finding in findings.items()}


def test_of_a_server_that_is_as_it_should_be_all_is_good(found):
    findings = found(vllm())
    assert [f.name for f in findings.values() if f.state != "good"] == ["output"]
    assert findings["output"].said.startswith("no limit of its own")
    assert findings["context"].said == "65,536 tokens, by /v1/models"
    assert "tokens came out of it" in findings["prefix cache"].said
    assert "calls itself served-name" in findings["answer"].said
    assert not any(finding.advice for finding in findings.values())


def test_no_prompt_is_long_unless_that_is_asked_for(found):
    found(Mood())
    assert max(map(len, prompts(found.asked))) < 10_000
    found(Mood(), is_deep=True)
    assert max(map(len, prompts(found.asked))) > 100_000


# reached, authorised, there


def test_nobody_there_is_bad_and_the_end_of_it(clients, ask):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        findings = list(examined(NAME, ask(url), Event(), mark="m"))
    assert findings[-1].state == "bad"
    assert "Is the server running" in findings[-1].said


def test_a_wrong_key_is_bad_and_the_end_of_it(found):
    findings = found(vllm(key="right"), api_key="wrong-and-secret")
    assert states(findings) == {"key": "bad", "answer": "bad"}
    assert "--api-key-env" in findings["key"].said
    assert "wrong-and-secret" not in str(findings)
    assert set(states(found(vllm(key="right-one"), api_key="right-one")).values()) <= {
        "good",
        "unknown",
    }


@pytest.mark.parametrize(
    ("ids", "state", "said"),
    [
        ([NAME, "other"], "good", "in the list of 2"),
        ([f"{NAME}:latest"], "good", f"as {NAME}:latest"),
        ([f"models/{NAME}"], "good", f"as models/{NAME}"),
        (["some-modal", "other"], "poor", "not in the list of 2"),
        ([], "poor", "not in the list of 0"),
    ],
)
def test_a_model_is_looked_for_in_the_list(ids, state, said, found):
    finding = found(Mood(pages={"/v1/models": listing(*ids)}))["model"]
    assert (finding.state, said in finding.said) == (state, True)
    assert "some-modal" in finding.advice or "some-modal" not in ids


@pytest.mark.parametrize("pages", [{}, {"/v1/models": "<html>"}, {"/v1/models": ["x"]}])
def test_a_server_without_a_list_is_examined_all_the_same(pages, found):
    findings = found(Mood(pages=pages))
    assert findings["answer"].state == "good"
    assert findings["tool calls"].state == "good"


# tool calls


@pytest.mark.parametrize(
    ("calls", "state", "advice"),
    [
        ("native", "good", ""),
        (HERMES, "poor", "--tool-call-parser hermes"),
        (XML, "poor", "--enable-auto-tool-choice --tool-call-parser qwen3_coder"),
        ("refused", "poor", "--protocol text"),
        ("I cannot.", "poor", "--protocol text"),
    ],
)
def test_tool_calls_are_parsed_by_the_server_or_it_is_said_what_to_change(
    calls, state, advice, found
):
    finding = found(vllm(calls=calls))["tool calls"]
    assert finding.state == state
    assert advice in finding.advice


# context and output


@pytest.mark.parametrize(
    ("mood", "state", "said"),
    [
        (vllm(), "good", "65,536 tokens, by /v1/models"),
        (llamacpp(4096), "poor", "4,096 tokens, by /props"),  # and not the 131,072 it could
        (llamacpp(40_960), "good", "40,960 tokens, by /props"),
        (ollama(4096), "poor", "4,096 tokens, by /api/ps"),
        (ollama(None, num_ctx=65_536), "good", "65,536 tokens, by /api/show"),
        (ollama(None), "unknown", "does not say"),
        (openai(), "unknown", "does not say"),
        (
            Mood(pages={"/api/v0/models": listing(NAME, loaded_context_length=8192)}),
            "poor",
            "8,192 tokens, by /api/v0/models",
        ),
        (Mood(context=16_384), "poor", "16,384 tokens, by its refusal of more"),
        (Mood(pages={"/v1/models": listing(NAME, context_window=131_072)}), "good", "131,072"),
        (Mood(pages={"/v1/models": listing(NAME, max_model_len="?")}), "unknown", "does not say"),
    ],
    ids=str,
)
def test_the_context_is_that_which_is_served(mood, state, said, found):
    finding = found(mood)["context"]
    assert (finding.state, said in finding.said) == (state, True)
    assert ("OLLAMA_CONTEXT_LENGTH" in finding.advice) is (state == "poor")
    assert ("--deep" in finding.advice) is (state == "unknown")


@pytest.mark.parametrize(
    ("mood", "state", "said"),
    [
        (Mood(), "good", "is taken"),
        (Mood(truncates=8192), "poor", "it read 8,192, without a word"),
        (openai(truncates=40_000), "poor", "it read 40,000, without a word"),
    ],
    ids=str,
)
def test_a_context_of_which_nobody_tells_is_plumbed_where_that_is_asked_for(
    mood, state, said, found
):
    finding = found(mood, is_deep=True)["context"]
    assert (finding.state, said in finding.said) == (state, True)


@pytest.mark.parametrize(
    ("mood", "state", "said"),
    [
        (openai(), "good", "up to 4,096 tokens"),
        (vllm(), "unknown", "no limit of its own"),
        (
            Mood(pages={"/v1/models": listing(NAME, top_provider={"max_completion_tokens": 777})}),
            "good",
            "up to 777 tokens",
        ),
    ],
    ids=str,
)
def test_the_longest_reply_is_what_the_endpoint_says_when_it_is_asked_for_more(
    mood, state, said, found
):
    finding = found(mood)["output"]
    assert (finding.state, said in finding.said) == (state, True)


def test_a_limit_that_was_given_is_tried_as_it_is(found):
    assert found(openai(), sampling=Sampling(max_tokens=4096))["output"].state == "good"
    finding = found(openai(), sampling=Sampling(max_tokens=4097))["output"]
    assert finding.state == "bad"
    assert "max_tokens 4097" in finding.said
    assert "4096" in finding.said


# all else


def test_a_server_that_does_not_stream_is_told_to_be_asked_in_one_piece(found):
    finding = found(vllm(streams=False))["stream"]
    assert (finding.state, finding.advice) == ("poor", "Do without --stream.")


def test_a_server_that_does_not_count_is_said_to(found):
    findings = found(vllm(counts=False))
    assert (findings["usage"].state, findings["speed"].state) == ("poor", "unknown")
    assert "without usage" in findings["stream"].said


def test_a_server_without_a_cache_is_told_how_to_have_one(found):
    finding = found(vllm(caches=False))["prefix cache"]
    assert finding.state == "unknown"
    assert "--enable-prefix-caching" in finding.advice


def test_the_prompt_for_the_cache_is_new_to_it_and_long_enough(found):
    found(vllm())
    sent = prompts(found.asked)
    (twice,) = {p for p in sent if sent.count(p) == 2 and len(p) > 100}
    assert twice.startswith("m1")
    assert len(twice) > 4 * 1024


def test_what_is_asked_is_what_a_run_asks(found):
    sampling = Sampling(temperature=0.5, extra_body={"top_k": 20})
    found(vllm(), sampling=sampling)
    bodies = [a.body for a in found.asked if a.body and "messages" in a.body]
    assert {(b["temperature"], b["top_k"], b["model"]) for b in bodies} == {(0.5, 20, NAME)}
    assert max(b["max_tokens"] for b in bodies if "tools" in b) == ROOM


def test_it_ends_when_it_is_stopped(clients, ask):
    cancel = Event()
    with in_mood(Mood()) as server:
        server.answers = (lambda asked: time.sleep(3) or Mood().answer(asked),)
        threading.Timer(0.3, cancel.set).start()
        began = time.monotonic()
        with pytest.raises(CancelledError):
            list(examined(NAME, ask(server.url), cancel, mark="m"))
        assert time.monotonic() - began < 2
