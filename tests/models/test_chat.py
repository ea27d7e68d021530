"""Chat completions over real HTTP: what is sent, what is read, and what each failure means."""

from __future__ import annotations

import re
import socket
import time
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event

import pytest

from swerun.errors import (
    CancelledError,
    ContextLengthError,
    EndpointBusyError,
    EndpointDownError,
    EndpointError,
    EndpointShutError,
    RateLimitError,
    SwerunError,
)
from swerun.models.abandon import abandonable
from swerun.models.endpoints import Endpoint
from swerun.models.exchange import connected
from swerun.models.refusals import refusal
from swerun.ports import Message
from swerun.records import Call, Sampling, Usage
from tests.models.endpoint import Dropped, Said, Silence, completion, refused, stopped_once_silent

ASKED = (Message("system", "You fix issues."), Message("user", "It is broken."))
SECRET = "sk-a1b2c3d4e5f6"
BASH_CALL = {
    "id": "call_7",
    "type": "function",
    "function": {"name": "bash", "arguments": '{"command": "ls -a"}'},
}


def reply(model, messages=ASKED, deadline=None, cancel=None):
    return model.reply(messages, deadline=deadline, cancel=cancel or Event())


def failure(model, **given):
    with pytest.raises(SwerunError) as caught:
        reply(model, **given)
    return caught.value


# what is read of a completion


def test_a_tool_call_is_read_and_the_conversation_goes_on_from_it(serve, ask):
    said = {"role": "assistant", "content": None, "tool_calls": [BASH_CALL]}
    server = serve(completion(said, finish="tool_calls"), completion())
    model = ask(server.url)
    first = reply(model)
    assert first.calls == (Call(id="call_7", tool="bash", arguments={"command": "ls -a"}),)
    assert (first.text, first.finish_reason, first.model) == ("", "tool_calls", "served-name")
    reply(
        model,
        (*ASKED, Message("assistant", "", reply=first), Message("tool", "a.py", call_id="call_7")),
    )
    assert server.asked[1].body["messages"][2:] == [
        {"role": "assistant", "content": "", "tool_calls": [BASH_CALL]},
        {"role": "tool", "tool_call_id": "call_7", "content": "a.py"},
    ]


def test_the_tools_are_offered_as_functions_with_their_schemas(serve, ask):
    server = serve(completion())
    reply(ask(server.url))
    offered = {one["function"]["name"]: one for one in server.asked[0].body["tools"]}
    assert sorted(offered) == ["bash", "submit"]
    assert offered["bash"]["type"] == "function"
    assert offered["bash"]["function"]["parameters"]["required"] == ["command"]


def test_the_text_protocol_offers_no_tools_and_shows_results_as_a_user(serve, ask):
    said = {"role": "assistant", "content": "I look.\n```bash\nls -a\n```"}
    server = serve(completion(said), completion())
    model = ask(server.url, protocol="text")
    first = reply(model)
    assert [call.arguments for call in first.calls] == [{"command": "ls -a"}]
    reply(
        model,
        (*ASKED, Message("assistant", "", reply=first), Message("tool", "a.py", call_id="block")),
    )
    assert "tools" not in server.asked[0].body
    assert server.asked[1].body["messages"][2:] == [said, {"role": "user", "content": "a.py"}]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_by_either_name_and_goes_back_by_the_same(name, serve, ask):
    server = serve(completion({"role": "assistant", "content": "Hm.", name: "Long thought."}))
    first = reply(ask(server.url))
    assert first.reasoning == "Long thought."
    assert first.raw[name] == "Long thought."


@pytest.mark.parametrize(
    ("served", "usage"),
    [
        (None, Usage(unreported=1)),
        ({}, Usage(unreported=1)),
        ([], Usage(unreported=1)),
        ({"prompt_tokens": None, "completion_tokens": 3}, Usage(unreported=1)),
        ({"prompt_tokens": "many"}, Usage(unreported=1)),
        ({"prompt_tokens": 9, "completion_tokens": 1.5}, Usage(unreported=1)),
        ({"prompt_tokens": 0, "completion_tokens": 3}, Usage(output_tokens=3)),
        ({"prompt_tokens": 90, "completion_tokens": 3}, Usage(input_tokens=90, output_tokens=3)),
        (
            {
                "prompt_tokens": 90,
                "completion_tokens": 30,
                "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(input_tokens=90, cached_tokens=64, output_tokens=30, reasoning_tokens=20),
        ),
        (
            {
                "prompt_tokens": 90,
                "completion_tokens": 30,
                "prompt_tokens_details": None,
                "completion_tokens_details": {"reasoning_tokens": None},
            },
            Usage(input_tokens=90, output_tokens=30),
        ),
    ],
)
def test_usage_is_what_the_endpoint_reports_and_silence_is_counted(served, usage, serve, ask):
    assert reply(ask(serve(completion(usage=served)).url)).usage == usage


def test_half_a_character_from_a_model_does_not_stop_the_attempt(serve, ask):
    """JSON can carry one half of a surrogate pair: no file and no request can be made of it."""
    arguments = '{"command": "echo \\ud83d"}'
    call = {"id": "a", "type": "function", "function": {"name": "bash", "arguments": arguments}}
    said = {"role": "assistant", "content": "Smile \ud83d", "tool_calls": [call]}
    server = serve(completion(said), completion())
    model = ask(server.url)
    first = reply(model)
    assert first.model_dump_json()
    assert first.text.startswith("Smile ")
    reply(model, (*ASKED, Message("assistant", "", reply=first)))
    assert len(server.asked) == 2


# what is sent


def test_with_no_sampling_given_none_is_sent(serve, ask):
    server = serve(completion())
    reply(ask(server.url))
    assert server.asked[0].path == "/v1/chat/completions"
    assert sorted(server.asked[0].body) == ["messages", "model", "tools"]
    assert server.asked[0].body["model"] == "some-model"
    assert server.asked[0].body["messages"] == [
        {"role": "system", "content": "You fix issues."},
        {"role": "user", "content": "It is broken."},
    ]


def test_sampling_is_sent_as_given_a_zero_too(serve, ask):
    server = serve(completion())
    extra = {"top_k": 20, "think": {"x": 1}}
    sampling = Sampling(temperature=0, top_p=0.9, max_tokens=512, seed=0, extra_body=extra)
    reply(ask(server.url, sampling=sampling))
    always = {"messages", "model", "tools"}
    sent = server.asked[0].body
    assert {name: sent[name] for name in sent if name not in always} == {
        "temperature": 0,
        "top_p": 0.9,
        "max_tokens": 512,
        "seed": 0,
        "top_k": 20,
        "think": {"x": 1},
    }


def test_the_headers_of_a_conversation_go_with_its_requests(serve, ask):
    server = serve(completion())
    reply(ask(server.url, headers=(("X-Swerun-Instance", "a__b-1"),)))
    assert server.asked[0].headers["x-swerun-instance"] == "a__b-1"


def test_the_query_of_a_url_goes_with_each_request(serve, ask):
    server = serve(completion())
    reply(ask(f"{server.url}?api-version=1&flag="))
    assert server.asked[0].path == "/v1/chat/completions?api-version=1&flag="


# proxies


@pytest.fixture
def proxy(serve, monkeypatch):
    """A server that is the proxy of the environment, and of nothing is said to need none."""
    server = serve(completion({"role": "assistant", "content": "Through the proxy."}))
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, server.url.removesuffix("/v1"))
    return server


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_endpoint_on_this_machine_is_not_asked_through_a_proxy(host, proxy, serve, ask):
    server = serve(completion())
    assert reply(ask(server.url.replace("127.0.0.1", host))).text == "Done."
    assert proxy.asked == []


def test_an_endpoint_elsewhere_is_asked_through_the_proxy_of_the_environment(proxy, ask):
    assert reply(ask("http://models.example/v1")).text == "Through the proxy."
    assert proxy.asked[0].path == "http://models.example/v1/chat/completions"


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "http://models.example/v1"])
def test_a_client_that_is_closed_has_closed_its_connections(url):
    client = connected(Endpoint("m", url))
    client.close()
    assert client.is_closed()


# the key


def test_the_key_is_sent_as_a_bearer_token(serve, ask):
    server = serve(completion())
    reply(ask(server.url, api_key=SECRET))
    assert server.asked[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_server_that_needs_no_key_gets_nothing_out_of_the_environment(serve, ask, monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"X-Other: {SECRET}")
    server = serve(completion())
    assert reply(ask(server.url)).text == "Done."
    assert SECRET not in str(server.asked[0].headers)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 422, 429, 500, 503])
def test_the_key_is_in_no_error_even_where_the_endpoint_repeats_it(status, serve, ask):
    def words(asked):
        return {"error": {"message": f"I do not like {asked.headers['authorization']} at all"}}

    model = ask(serve(Said(words, status)).url, api_key=SECRET)
    error = failure(model)
    assert "I do not like" in str(error)
    assert SECRET not in str(error)


def test_the_key_is_in_no_error_where_it_is_repeated_in_a_body_that_is_not_json(serve, ask):
    model = ask(serve(Said(lambda asked: str(asked.headers))).url, api_key=SECRET)
    assert SECRET not in str(failure(model))


def test_the_key_is_not_in_the_endpoint_as_it_prints():
    assert SECRET not in repr(Endpoint("m", "http://localhost/v1", api_key=SECRET))


LOGIN = "http://user:s3%40cret@"


def test_the_password_of_a_url_is_sent_and_not_shown(serve, ask):
    server = serve(completion(), refused(400, "No."))
    model = ask(server.url.replace("http://", LOGIN))
    reply(model)
    sent = b64decode(server.asked[0].headers["authorization"].removeprefix("Basic "))
    assert sent == b"user:s3@cret"
    assert server.url in str(failure(model))
    assert "user" not in str(failure(model))


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_the_password_is_in_no_error_even_where_the_endpoint_repeats_it(status, serve, ask):
    def words(asked):
        repeated = [asked.headers["authorization"], "s3@cret", "s3%40cret", asked.path]
        return {"error": {"message": f"I do not like {repeated} at all"}}

    url = serve(Said(words, status)).url.replace("http://", LOGIN)
    error = str(failure(ask(f"{url}?key=a1b2c3d4e5")))
    assert "I do not like" in error
    for secret in ("cret", "a1b2c3d4e5", b64encode(b"user:s3@cret").decode()):
        assert secret not in error


def test_a_password_that_is_not_ascii_is_in_no_error_either(serve, ask):
    url = serve(Said({"error": "not s\u00e4cret"})).url.replace("http://", "http://u:s%C3%A4cret@")
    assert "cret" not in str(failure(ask(url)))


# failures for good


@pytest.mark.parametrize(
    ("status", "kind"),
    [(s, EndpointError) for s in (400, 404, 405, 422)]
    + [(s, EndpointShutError) for s in (401, 402, 403)],
)
def test_a_refusal_ends_at_once_with_the_words_of_the_endpoint(status, kind, serve, ask):
    server = serve(refused(status, "You may not pass."))
    error = failure(ask(server.url))
    assert type(error) is kind
    assert not error.retry
    for part in ("You may not pass.", str(status), "some-model", server.url):
        assert part in str(error)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "No such thing."}},
        {"error": "No such thing."},
        {"message": "No such thing."},
        {"detail": "No such thing."},
        {"detail": [{"loc": ["body"], "msg": "No such thing."}]},
        {"object": "error", "message": "No such thing.", "code": 404},
        {"error": None, "reason": "No such thing."},
        ["No such thing."],
        "<html>No such thing.</html>",
    ],
)
def test_the_words_of_an_endpoint_are_found_however_they_are_wrapped(body, serve, ask):
    assert "No such thing." in str(failure(ask(serve(Said(body, 404)).url)))


def test_a_refusal_is_not_as_long_as_the_page_it_came_on(serve, ask):
    assert len(str(failure(ask(serve(Said("x" * 100_000, 404)).url)))) < 2000


TOO_LONG = {
    "OpenAI": (400, {"error": {
        "message": "This model's maximum context length is 8192 tokens. However, your messages"
        " resulted in 9001 tokens. Please reduce the length of the messages.",
        "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}}),
    "OpenAI by its code alone": (400, {"error": {
        "message": "Please reduce the length of the messages or completion.",
        "type": "invalid_request_error", "code": "context_length_exceeded"}}),
    "vLLM": (400, {"object": "error", "type": "BadRequestError", "param": None, "code": 400,
        "message": "This model's maximum context length is 4096 tokens. However, you requested 5000"
        " tokens in the messages, Please reduce the length of the messages."}),
    "vLLM by its engine": (400, {"error": {"type": "BadRequestError", "code": 400,
        "message": "The decoder prompt (length 9001) is longer than the maximum model length of"
        " 8192. Make sure that `max_model_len` is no smaller than the number of text tokens."}}),
    "llama.cpp": (400, {"error": {"code": 400, "type": "exceed_context_size_error",
        "message": "the request exceeds the available context size, try increasing it",
        "n_prompt_tokens": 14429, "n_ctx": 8192}}),
    "llama.cpp with numbers": (400, {"error": {"code": 400, "type": "exceed_context_size_error",
        "message": "request (4390 tokens) exceeds the available context size (4096 tokens), try"
        " increasing it"}}),
    "llama.cpp in the middle of a reply": (500, {"error": {
        "code": 500, "message": "Context size has been exceeded.", "type": "server_error"}}),
    "llama-cpp-python": (500, {"error": {
        "message": "Requested tokens (2285) exceed context window of 2048", "code": None}}),
    "SGLang": (400, {"object": "error", "message": "The input (9001 tokens) is longer than the"
        " model's context length (8192 tokens)."}),
    "DashScope": (400, {"error": {"code": "invalid_parameter_error", "message": "<400>"
        " InternalError.Algo.InvalidParameter: Range of input length should be [1, 98304]"}}),
    "DeepSeek": (400, {"error": {"message": "This model's maximum context length is 131072 tokens."
        " However, you requested 140000 tokens.", "code": "invalid_request_error"}}),
    "Anthropic": (400, {"error": {"type": "invalid_request_error",
        "message": "prompt is too long: 200001 tokens > 200000 maximum"}}),
}  # fmt: skip


@pytest.mark.parametrize(("status", "body"), TOO_LONG.values(), ids=TOO_LONG)
def test_a_conversation_that_is_too_long_is_told_from_other_failures(status, body, serve, ask):
    server = serve(Said(body, status))
    error = failure(ask(server.url))
    assert type(error) is ContextLengthError
    assert not error.retry
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "max_tokens is too large: 99999. This model supports at most 16384 tokens."),
        (400, "'temperature' must be in [0, 2]"),
        (400, "Range of max_tokens should be [1, 8192]"),
        (429, "You sent too much. The maximum context length has nothing to do with it."),
        (401, "You may not use a context window."),
    ],
)
def test_other_failures_are_not_a_conversation_that_is_too_long(status, words, serve, ask):
    assert not isinstance(failure(ask(serve(refused(status, words)).url)), ContextLengthError)


# failures that pass


@pytest.mark.parametrize(
    ("status", "kind"),
    [(s, EndpointBusyError) for s in (408, 409, 425, 500, 504)]
    + [(s, EndpointDownError) for s in (502, 503, 529)]
    + [(429, RateLimitError)],
)
def test_a_server_in_trouble_may_be_asked_again_later(status, kind, serve, ask):
    server = serve(refused(status, "Later."))
    error = failure(ask(server.url))
    assert type(error) is kind
    assert error.retry
    assert error.wait is None
    assert "Later." in str(error)
    assert len(server.asked) == 1  # the client does not try again by itself


@pytest.mark.parametrize(
    ("header", "wait"),
    [("7", 7.0), ("0.5", 0.5), ("0", 0.0), ("-3", 0.0), ("soon", None), ("", None), ("nan", None)],
)
def test_the_wait_is_what_retry_after_says(header, wait, serve, ask):
    error = failure(ask(serve(refused(429, "Slow.", Retry_After=header)).url))
    assert (type(error), error.wait) == (RateLimitError, wait)


@pytest.mark.parametrize(("ahead", "least", "most"), [(30, 25, 31), (-30, 0, 0)])
def test_retry_after_may_be_a_date(ahead, least, most, serve, ask):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=ahead), usegmt=True)
    error = failure(ask(serve(refused(503, "Slow.", Retry_After=date)).url))
    assert least <= error.wait <= most


def test_a_clock_that_is_wrong_or_was_set_makes_no_wait_longer_than_the_server_means():
    asked = refusal(
        Endpoint("m", "http://127.0.0.1:1/v1"),
        503,
        "Slow.",
        {"retry-after": "Tue, 01 Jan 2002 00:00:07 GMT", "date": "Tue, 01 Jan 2002 00:00:00 GMT"},
    )
    assert asked.wait == 7


@pytest.mark.parametrize("midway", [False, True])
def test_a_dropped_connection_may_be_tried_again(midway, serve, ask):
    server = serve(Dropped(midway=midway))
    error = failure(ask(server.url))
    assert type(error) is EndpointBusyError
    assert server.url in str(error)
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_may_be_tried_again(ask):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening: nobody else can be there
        error = failure(ask(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
    assert type(error) is EndpointDownError
    assert "refused" in str(error)


def test_a_request_that_takes_too_long_may_be_tried_again(serve, ask):
    server = serve(Silence())
    began = time.monotonic()
    error = failure(ask(server.url, request_timeout=0.2))
    assert type(error) is EndpointBusyError
    assert "Timeout" in str(error)
    assert time.monotonic() - began < 2
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>A proxy's page.</html>",
        '{"choices": [',
        "[]",
        "null",
        '"text"',
        "[" * 100_000,
        {},
        {"choices": []},
        {"choices": None},
        {"choices": {}},
        {"choices": [None]},
        {"choices": [{}]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": "text"}]},
        {"choices": [{"message": []}]},
        {"error": {"message": "Upstream is down.", "code": 502}},
    ],
    ids=lambda body: str(body)[:40],
)
def test_an_answer_that_is_no_completion_may_be_tried_again(body, serve, ask):
    error = failure(ask(serve(Said(body)).url))
    assert type(error) is EndpointBusyError
    assert len(str(error)) < 1000


def test_what_came_in_place_of_a_completion_is_in_the_error(serve, ask):
    assert "A proxy's page." in str(failure(ask(serve(Said("<p>A proxy's page.</p>")).url)))
    down = Said({"error": {"message": "Upstream is down."}})
    assert "Upstream is down." in str(failure(ask(serve(down).url)))


@pytest.mark.parametrize(
    ("error", "retry"), [({"code": 502, "message": "It failed."}, True), (None, True),
                         ({"code": 400, "message": "It failed."}, False)]
)  # fmt: skip
def test_a_reply_that_failed_on_its_way_is_none(error, retry, serve, ask):
    """openrouter.ai/docs/api-reference/errors"""
    choice = {"message": {"content": "Do"}, "finish_reason": "error", "error": error}
    server = serve(Said({"choices": [choice]}))
    assert failure(ask(server.url)).retry is retry


# being stopped


def test_a_request_that_is_never_answered_ends_when_the_run_is_stopped(serve, ask):
    server, cancel = serve(Silence()), Event()
    stopped_at = stopped_once_silent(server, cancel)
    error = failure(ask(server.url), cancel=cancel)
    assert type(error) is CancelledError
    assert time.monotonic() - stopped_at[0] < 1


def test_a_run_that_was_stopped_sends_nothing_more(serve, ask):
    server, cancel = serve(completion()), Event()
    cancel.set()
    assert type(failure(ask(server.url), cancel=cancel)) is CancelledError
    assert server.asked == []


def test_a_request_ends_at_the_deadline(serve, ask):
    server = serve(Silence())
    began = time.monotonic()
    error = failure(ask(server.url), deadline=began + 0.3)
    assert type(error) is EndpointBusyError
    assert 0.3 <= time.monotonic() - began < 1.3


def test_an_error_of_the_call_itself_is_raised_as_it_is():
    def call():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match=re.escape("its own")):
        abandonable(call, deadline=None, cancel=Event())
