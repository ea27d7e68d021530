"""The small requests before a run: what counts as an endpoint that is there, and what does not."""

from __future__ import annotations

import socket
import time
from threading import Event

import pytest

from swerun.errors import CancelledError, EndpointError
from swerun.models.probe import probe
from swerun.ports import Message
from swerun.records import Sampling
from tests.models.endpoint import Dropped, Said, Silence, completion, refused, stopped_once_silent

SECRET = "sk-a1b2c3d4e5f6"


@pytest.fixture
def probed(ask):
    """probed(url, ...) makes the small request there."""

    def made(url, cancel=None, writing=5.0, **given):
        return probe(ask(url, **given), cancel or Event(), writing=writing)

    return made


@pytest.mark.parametrize(
    "answer",
    [
        completion(),
        refused(400, "max_tokens is not supported: use max_completion_tokens."),
        refused(400, "This model's maximum context length is 8 tokens."),
        refused(429, "Slow down."),
        refused(503, "The model is being loaded."),
    ],
    ids=lambda said: str(said.status),
)
def test_an_endpoint_that_is_there_passes(answer, serve, probed):
    server = serve(answer)
    probed(server.url)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_an_endpoint_that_refuses_does_not_pass_and_is_quoted(status, serve, probed):
    server = serve(refused(status, "Not like this."))
    with pytest.raises(EndpointError, match="Not like this") as caught:
        probed(server.url)
    assert server.url in str(caught.value)
    assert str(status) in str(caught.value)
    assert len(server.asked) == 1


def test_a_wrong_key_is_told_where_the_key_comes_from(serve, probed):
    with pytest.raises(EndpointError, match="--api-key-env"):
        probed(serve(refused(401, "Wrong key.")).url, api_key=SECRET)


def test_a_wrong_name_is_told_what_to_look_at(serve, probed):
    with pytest.raises(EndpointError, match="name right"):
        probed(serve(refused(404, "No such model.")).url)


def test_a_server_that_is_not_there_does_not_pass_and_is_named(probed):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: nobody else can be there
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(EndpointError, match="Is the server running") as caught:
            probed(url)
    assert url in str(caught.value)


def test_a_server_that_hangs_up_does_not_pass(serve, probed):
    with pytest.raises(EndpointError, match="does not answer"):
        probed(serve(Dropped()).url)


def test_the_request_is_small_and_carries_the_key_and_nothing_of_the_environment(
    serve, probed, monkeypatch
):
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-another-endpoint")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Other: of-another-endpoint")
    server = serve(completion())
    probed(server.url, api_key=SECRET)
    asked = server.asked[0]
    assert asked.body["model"] == "some-model"
    assert asked.body["max_tokens"] <= 16
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert "of-another-endpoint" not in str(asked.headers)


# what a run would be refused with


def sent(asked):
    return {key: value for key, value in asked.body.items() if key not in {"model", "messages"}}


def test_what_is_sent_is_what_a_run_sends_but_for_its_limit_on_tokens(serve, ask, probed):
    sampling = Sampling(temperature=0, top_p=0.5, seed=7, extra_body={"top_k": 20})
    server = serve(completion())
    probed(server.url, sampling=sampling)
    run = ask(server.url, sampling=sampling)
    run.reply([Message("user", "It is broken.")], deadline=None, cancel=Event())
    small, real = (sent(asked) for asked in server.asked)
    assert small == real | {"max_tokens": 16}
    assert [tool["function"]["name"] for tool in small["tools"]] == ["bash", "submit"]


def test_the_text_protocol_is_probed_without_tools(serve, probed):
    server = serve(completion())
    probed(server.url, protocol="text")
    assert sent(server.asked[0]) == {"max_tokens": 16}


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"max_tokens": 4096}, [{"max_tokens": 16}, {"max_tokens": 4096}]),
        ({"max_tokens": 9}, [{"max_tokens": 9}]),
        (
            {"extra_body": {"max_completion_tokens": 4096}},
            [{"max_completion_tokens": 16}, {"max_completion_tokens": 4096}],
        ),
        ({}, [{"max_tokens": 16}]),
    ],
)
def test_a_limit_on_tokens_is_tried_small_and_then_as_it_was_given(given, asked, serve, probed):
    server = serve(completion())
    probed(server.url, protocol="text", sampling=Sampling(**given))
    assert [sent(one) for one in server.asked] == asked


TOO_MANY = "This model's maximum context length is 8192 tokens. However, you requested 99999."


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, TOO_MANY),
        (400, "max_tokens is too large: 99999. This model supports at most 16384 tokens."),
        (400, "max_tokens is not supported: use max_completion_tokens."),
        (500, "Requested tokens (99999) exceed context window of 2048"),
    ],
)
def test_a_limit_that_every_request_would_be_refused_for_does_not_pass(
    status, words, serve, probed
):
    server = serve(completion(), refused(status, words))
    with pytest.raises(EndpointError, match=r"max_tokens 99999: see --max-tokens") as caught:
        probed(server.url, sampling=Sampling(max_tokens=99999))
    assert words in str(caught.value)
    assert len(server.asked) == 2


def test_a_small_limit_that_is_refused_does_not_pass_where_it_is_the_runs_own(serve, probed):
    server = serve(refused(400, "max_tokens has to be 16 at the least."))
    with pytest.raises(EndpointError, match="max_tokens 8: see --max-tokens"):
        probed(server.url, sampling=Sampling(max_tokens=8))


def test_a_limit_that_only_a_lower_one_is_refused_for_passes(serve, probed):
    server = serve(refused(400, "max_tokens has to be greater than the budget."), completion())
    probed(server.url, sampling=Sampling(max_tokens=4096))
    assert len(server.asked) == 2


def test_an_endpoint_that_is_still_writing_has_taken_the_limit(serve, probed):
    server = serve(completion(), Silence())
    began = time.monotonic()
    probed(server.url, sampling=Sampling(max_tokens=4096), writing=0.2)
    assert time.monotonic() - began < 3
    assert len(server.asked) == 2


def test_an_endpoint_that_hangs_up_on_the_limit_as_given_does_not_pass(serve, probed):
    with pytest.raises(EndpointError, match="does not answer"):
        probed(serve(completion(), Dropped()).url, sampling=Sampling(max_tokens=4096))


NO_TOOLS = [
    (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set'),
    (400, "registry/some:1b does not support tools"),
    (404, "No endpoints found that support tool use."),
    (500, "tools param requires --jinja flag"),
]


@pytest.mark.parametrize(("status", "words"), NO_TOOLS)
def test_a_server_without_tool_calls_is_told_what_to_do(status, words, serve, probed):
    server = serve(refused(status, words))
    with pytest.raises(EndpointError, match="--protocol text") as caught:
        probed(server.url)
    for part in (words, "--enable-auto-tool-choice --tool-call-parser"):
        assert part in str(caught.value)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("content", "parser"),
    [
        ('<tool_call>\n{"name": "bash", "arg', "--tool-call-parser hermes"),
        ("<tool_call>\n<function=bash>\n<para", "--tool-call-parser qwen3_coder"),
    ],
)
def test_a_server_that_parses_no_calls_passes_and_its_flags_are_said(
    content, parser, serve, probed
):
    """Sixteen tokens show how a call begins, if the server leaves it in the text."""
    server = serve(completion({"role": "assistant", "content": content}, finish="length"))
    said = probed(server.url)
    for part in ("does not parse", "--enable-auto-tool-choice", parser, "--protocol "):
        assert part in said
    assert "bash" in server.asked[0].body["messages"][0]["content"]


@pytest.mark.parametrize("content", ["ok", "", None, "Let me think"])
def test_of_a_server_that_shows_no_call_nothing_is_said(content, serve, probed):
    answer = completion({"role": "assistant", "content": content})
    assert probed(serve(answer).url) == ""
    assert probed(serve(completion()).url, protocol="hermes") == ""


def test_who_offers_no_tools_is_not_told_of_them(serve, probed):
    with pytest.raises(EndpointError, match="tools") as caught:
        probed(serve(refused(400, "No tools here.")).url, protocol="text")
    assert "--protocol" not in str(caught.value)


def test_a_body_that_is_refused_is_answered_with_what_was_sent(serve, probed):
    sampling = Sampling(temperature=0.5, extra_body={"top_kk": 20})
    server = serve(refused(400, "Extra inputs are not permitted."))
    with pytest.raises(EndpointError, match=r"It was sent temperature, top_kk\.") as caught:
        probed(server.url, sampling=sampling)
    assert "Extra inputs" in str(caught.value)


def test_a_refusal_that_repeats_the_request_is_not_about_all_that_is_in_it(serve, probed):
    """vLLM's and FastAPI's: the word tools, and max_tokens, are only in what they were sent."""
    words = "{'loc': ('body', 'top_p'), 'msg': 'less than 1', 'input': {'max_tokens': 16, 'tools'"
    with pytest.raises(EndpointError, match="less than 1") as caught:
        probed(serve(refused(400, words)).url)
    assert "--protocol" not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "<html>A proxy's page.</html>",
        "",
        "[]",
        {"object": "list", "data": "A proxy's page."},
        {"choices": []},
        {"error": {"message": "A proxy's page."}},
    ],
    ids=str,
)
def test_an_answer_that_is_no_completion_does_not_pass(body, serve, probed):
    server = serve(Said(body))
    with pytest.raises(EndpointError, match="Does the URL end in /v1") as caught:
        probed(server.url)
    assert server.url in str(caught.value)
    assert "A proxy's page." in str(caught.value) or "A proxy's" not in str(body)


def test_the_key_is_in_no_error(serve, probed):
    def words(asked):
        return {"error": {"message": f"I do not like {asked.headers['authorization']}"}}

    with pytest.raises(EndpointError, match="I do not like") as caught:
        probed(serve(Said(words, 401)).url, api_key=SECRET)
    assert SECRET not in str(caught.value)


def test_a_server_that_never_answers_is_left_when_the_run_is_stopped(serve, probed):
    server, cancel = serve(Silence()), Event()
    stopped_at = stopped_once_silent(server, cancel)
    with pytest.raises(CancelledError):
        probed(server.url, cancel=cancel)
    assert time.monotonic() - stopped_at[0] < 1
