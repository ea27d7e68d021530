"""--protocol auto: what is asked, what each answer means, and what says nothing."""

from __future__ import annotations

import time
from threading import Event

import pytest

from swerun.errors import CancelledError, EndpointError
from swerun.models.decide import ROOM, decided
from swerun.records import Sampling
from tests.models.endpoint import Dropped, completion, refused, stopped_once_silent
from tests.models.test_protocols import a_call
from tests.models.test_tagged import HERMES, XML


def completion_of(content, finish="stop"):
    return completion({"role": "assistant", "content": content}, finish=finish)


def native_call():
    message = {"role": "assistant", "content": None, "tool_calls": [a_call()]}
    return completion(message, finish="tool_calls")


@pytest.mark.parametrize(
    ("answer", "protocol"),
    [
        (native_call(), "tools"),
        (completion_of(f"I do.\n{HERMES}"), "hermes"),
        (completion_of(XML), "qwen-xml"),
        (completion_of(XML.removeprefix("<tool_call>\n")), "qwen-xml"),
        (completion_of("```bash\ntrue\n```"), "text"),
        (completion_of("I cannot do that."), "text"),
        (completion_of(HERMES[:20], "length"), "hermes"),
        (refused(400, '"auto" tool choice requires --enable-auto-tool-choice'), "text"),
        (refused(400, "registry/some:1b does not support tools"), "text"),
        (refused(404, "No endpoints found that support tool use."), "text"),
        (refused(500, "tools param requires --jinja flag"), "text"),
    ],
    ids=str,
)
def test_one_request_decides(answer, protocol, serve, ask):
    server = serve(answer)
    assert decided(ask(server.url), Event()) == protocol
    (asked,) = server.asked
    assert [tool["function"]["name"] for tool in asked.body["tools"]] == ["bash", "submit"]
    assert "tool_choice" not in asked.body  # some refuse to be told that there has to be a call


def test_what_is_asked_is_what_a_run_asks_with_room_to_think(serve, ask):
    server = serve(native_call())
    decided(ask(server.url, sampling=Sampling(temperature=0.5)), Event())
    assert server.asked[0].body["temperature"] == 0.5
    assert server.asked[0].body["max_tokens"] == ROOM


def test_a_limit_that_was_given_is_the_limit(serve, ask):
    server = serve(native_call())
    decided(ask(server.url, sampling=Sampling(max_tokens=4096)), Event())
    assert server.asked[0].body["max_tokens"] == 4096


def test_an_endpoint_that_wants_no_limit_of_ours_is_asked_without(serve, ask):
    words = "max_tokens is not supported: use max_completion_tokens."
    server = serve(refused(400, words), native_call())
    assert decided(ask(server.url), Event()) == "tools"
    assert "max_tokens" not in server.asked[1].body


def test_a_busy_endpoint_is_asked_again(serve, ask):
    server = serve(refused(429, "Slow.", Retry_After="0"), refused(503, "No."), native_call())
    assert decided(ask(server.url), Event()) == "tools"
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_of_something_else_decides_nothing_and_is_quoted(status, serve, ask):
    with pytest.raises(EndpointError, match="Not like this"):
        decided(ask(serve(refused(status, "Not like this.")).url), Event())


def test_an_endpoint_that_is_not_there_decides_nothing(serve, ask):
    with pytest.raises(EndpointError, match="Is the server running"):
        decided(ask(serve(Dropped()).url), Event())


@pytest.mark.parametrize("answer", [completion_of("", "length"), completion_of("Hm", "length")])
def test_a_reply_that_was_cut_off_before_anything_showed_decides_nothing(answer, serve, ask):
    with pytest.raises(EndpointError, match="Say --protocol tools, text, hermes or qwen-xml"):
        decided(ask(serve(answer).url), Event())


def test_a_busy_endpoint_that_stays_busy_decides_nothing(serve, ask):
    server = serve(refused(429, "Slow.", Retry_After="0"))
    with pytest.raises(EndpointError, match="Say --protocol"):
        decided(ask(server.url), Event())


def test_a_wait_ends_when_the_run_is_stopped(serve, ask):
    server, cancel = serve(refused(429, "Slow.", Retry_After="50")), Event()
    server.silent.set()
    stopped_at = stopped_once_silent(server, cancel)
    with pytest.raises(CancelledError):
        decided(ask(server.url), cancel)
    assert time.monotonic() - stopped_at[0] < 5
