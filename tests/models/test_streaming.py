"""Replies that come in parts, over real HTTP: how they are put together, and how they fail."""

from __future__ import annotations

import json
from threading import Event

import pytest

from swerun.errors import CancelledError, ContextLengthError, EndpointBusyError, EndpointError
from swerun.models.presets import Quirks
from swerun.ports import Message
from swerun.records import Call, Usage
from tests.models.endpoint import (
    Silence,
    chunk,
    completion,
    parts,
    refused,
    stopped_once_silent,
)

ASKED = (Message("system", "You fix issues."), Message("user", "It is broken."))
USED = {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}
LS = {"command": "ls"}


@pytest.fixture
def stream(serve, ask):
    """stream(*chunks, **of_the_answer) -> the reply to a request that such a stream answers."""

    def asked(*chunks, **more):
        model = ask(serve(parts(*chunks, **more)).url, stream=True)
        return model.reply(ASKED, deadline=None, cancel=Event())

    return asked


def fragment(arguments, index=0, **more):
    named = {name: more.pop(name) for name in ("name",) if name in more}
    return chunk(
        tool_calls=[{"index": index, **more, "function": {**named, "arguments": arguments}}]
    )


def test_a_stream_is_asked_for_with_its_usage(serve, ask):
    server = serve(parts(chunk(content="Done."), chunk("stop")))
    ask(server.url, stream=True).reply(ASKED, deadline=None, cancel=Event())
    assert server.asked[0].body["stream"] is True
    assert server.asked[0].body["stream_options"] == {"include_usage": True}


def test_an_endpoint_that_refuses_to_be_asked_for_usage_is_not_asked(serve, ask):
    server = serve(parts(chunk(content="Done."), chunk("stop")))
    model = ask(server.url, stream=True, quirks=Quirks(asks_usage=False))
    model.reply(ASKED, deadline=None, cancel=Event())
    assert "stream_options" not in server.asked[0].body


def test_a_text_and_its_usage_are_put_together(stream):
    reply = stream(chunk(content="Do"), chunk(content="ne."), chunk("stop"), USED)
    assert (reply.text, reply.finish_reason, reply.model) == ("Done.", "stop", "served-name")
    assert reply.usage == Usage(input_tokens=9, output_tokens=3)
    assert reply.raw == {"role": "assistant", "content": "Done."}


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_reasoning_is_put_together_by_either_name(name, stream):
    reply = stream(chunk(**{name: "Long "}), chunk(**{name: "thought."}), chunk("stop"))
    assert reply.reasoning == "Long thought."
    assert reply.raw[name] == "Long thought."


FRAGMENTS = {
    "OpenAI's: the id and the name first": [
        fragment("", id="a", type="function", name="bash"),
        fragment('{"comm'),
        fragment('and": "ls"}'),
    ],
    "DashScope's: an empty id and no name after that": [
        fragment('{"comm', id="a", name="bash"),
        fragment('and": "ls"}', id="", name=None),
    ],
    "with the id and the name in each": [
        fragment('{"comm', id="a", name="bash"),
        fragment('and": "ls"}', id="a", name="bash"),
    ],
    "in one piece and with no index": [
        chunk(tool_calls=[{"id": "a", "function": {"name": "bash", "arguments": json.dumps(LS)}}])
    ],
    "arguments that are an object": [fragment(LS, id="a", name="bash")],
    "at the end, as a message": [
        {
            "choices": [
                {
                    "message": {
                        "tool_calls": [
                            {"id": "a", "function": {"name": "bash", "arguments": json.dumps(LS)}}
                        ]
                    }
                }
            ]
        }
    ],
}


@pytest.mark.parametrize("fragments", FRAGMENTS.values(), ids=FRAGMENTS)
def test_a_call_is_put_together_out_of_its_fragments(fragments, stream):
    reply = stream(*fragments, chunk("tool_calls"))
    assert reply.calls == (Call(id="a", tool="bash", arguments=LS),)


@pytest.mark.parametrize("indices", [(0, 1), (0, 0), (None, None)])
def test_calls_are_told_apart_by_index_or_by_id(indices, stream):
    """Gemini gives each of several calls index 0."""
    first, second = indices
    reply = stream(
        fragment(json.dumps(LS), index=first, id="a", name="bash"),
        fragment("{}", index=second, id="b", name="submit"),
        chunk("tool_calls"),
    )
    assert [(call.id, call.tool) for call in reply.calls] == [("a", "bash"), ("b", "submit")]


def test_fragments_of_two_calls_may_come_in_turn(stream):
    reply = stream(
        fragment('{"command"', index=0, id="a", name="bash"),
        fragment('{"command"', index=1, id="b", name="bash"),
        fragment(': "ls"}', index=0),
        fragment(': "id"}', index=1),
        chunk("tool_calls"),
    )
    assert [call.arguments["command"] for call in reply.calls] == ["ls", "id"]


def test_what_is_no_part_of_a_completion_is_passed_over(stream):
    odd = (": a comment\n\n", {"choices": []}, {"choices": [None]}, {"choices": [{"delta": None}]})
    more = (
        {"choices": [{"delta": {"content": None, "tool_calls": None}}]},
        [],
        None,
        "data: 1\n\n",
    )
    assert stream(*odd, *more, chunk(content="Done."), chunk("stop")).text == "Done."


def test_usage_is_that_of_the_last_part_that_has_one(stream):
    """Some count up with each part."""
    counted = [chunk(content=".") | {"usage": {"prompt_tokens": 9, "completion_tokens": n}}
               for n in (1, 2, 3)]  # fmt: skip
    assert stream(*counted, chunk("stop")).usage.output_tokens == 3


@pytest.mark.parametrize("close", [False, True])
def test_a_stream_that_ends_after_the_reply_and_before_its_usage_is_a_reply(close, stream):
    """To ask again would be to pay twice."""
    reply = stream(chunk(content="Done."), chunk("stop"), done=False, close=close)
    assert (reply.text, reply.usage) == ("Done.", Usage(unreported=1))


def test_a_line_separator_of_unicode_is_no_end_of_a_line(stream):
    text = "a\u2028b\x85c"
    raw = json.dumps(chunk(content=text), ensure_ascii=False)
    assert stream(f"data: {raw}\n\n", chunk("stop")).text == text


def test_a_server_that_knows_no_streams_may_answer_in_one_piece(serve, ask):
    server = serve(completion({"role": "assistant", "content": "Done."}))
    server.answers[0].headers["Content-Type"] = "application/json"
    reply = ask(server.url, stream=True).reply(ASKED, deadline=None, cancel=Event())
    assert reply.text == "Done."


def test_a_reply_that_was_cut_at_the_limit_on_its_length_is_told_so(stream):
    reply = stream(fragment('{"command": "cat <<E', id="a", name="bash"), chunk("length"))
    assert reply.finish_reason == "length"
    assert "cut off at the limit" in reply.calls[0].problem


# failures


@pytest.mark.parametrize("close", [False, True])
def test_a_stream_that_ends_before_the_reply_may_be_asked_for_again(close, stream):
    with pytest.raises(EndpointBusyError):
        stream(chunk(content="Do"), done=False, close=close)


def test_a_stream_that_is_over_without_an_end_of_the_reply_is_no_reply(stream):
    with pytest.raises(EndpointBusyError, match="ended its stream before the reply was whole"):
        stream(chunk(content="Do"))


@pytest.mark.parametrize("part", ['data: {"choices": [\n\n', "data: " + "[" * 100_000 + "\n\n"])
def test_a_part_that_is_no_json_may_be_asked_for_again(part, stream):
    with pytest.raises(EndpointBusyError, match="no JSON"):
        stream(chunk(content="Do"), part)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"message": "Upstream is down."}, EndpointBusyError),
        ({"message": "Upstream is down.", "code": 502}, EndpointBusyError),
        ({"message": "Upstream is down.", "code": "server_error"}, EndpointBusyError),
        ("Upstream is down.", EndpointBusyError),
        ({"message": "Upstream is down. No credit.", "code": 402}, EndpointError),
        (
            {"message": "Upstream is down: maximum context length is 8 tokens.", "code": 400},
            ContextLengthError,
        ),
    ],
)
def test_an_error_in_the_middle_of_a_stream_is_told_by_its_code(error, kind, stream):
    with pytest.raises(EndpointError, match="Upstream is down") as caught:
        stream(chunk(content="Do"), {"error": error})
    assert isinstance(caught.value, kind)
    assert caught.value.retry is (kind is EndpointBusyError)


def test_a_stream_that_is_refused_is_refused_as_any_request(serve, ask):
    server = serve(refused(429, "Slow.", Retry_After="7"))
    with pytest.raises(EndpointBusyError, match=r"Slow\.") as caught:
        ask(server.url, stream=True).reply(ASKED, deadline=None, cancel=Event())
    assert caught.value.wait == 7


def test_a_refusal_whose_words_are_cut_off_may_be_asked_again(serve, ask):
    answer = refused(400, "No.", Content_Length="1000")
    with pytest.raises(EndpointBusyError):
        ask(serve(answer).url, stream=True).reply(ASKED, deadline=None, cancel=Event())


BEGUN = f"data: {json.dumps(chunk(content='Do'))}\n\n"


def test_a_stalled_stream_is_noticed_and_hung_up(serve, ask):
    server = serve(Silence(first=BEGUN))
    model = ask(server.url, stream=True, stall_timeout=0.2)
    with pytest.raises(EndpointBusyError, match=r"nothing for 0\.2 seconds in the middle"):
        model.reply(ASKED, deadline=None, cancel=Event())
    assert server.left.wait(5)


def test_a_model_that_takes_long_to_begin_has_not_stalled(serve, ask):
    """It may have a long conversation to read: only the limit of the whole request counts."""
    model = ask(serve(Silence()).url, stream=True, stall_timeout=0.05, request_timeout=0.4)
    with pytest.raises(EndpointBusyError, match="Timeout"):
        model.reply(ASKED, deadline=None, cancel=Event())


def test_a_run_that_is_stopped_in_the_middle_of_a_stream_hangs_up(serve, ask):
    server, cancel = serve(Silence(first=BEGUN)), Event()
    stopped_once_silent(server, cancel)
    with pytest.raises(CancelledError):
        ask(server.url, stream=True).reply(ASKED, deadline=None, cancel=cancel)
    assert server.left.wait(5)


def test_a_stream_that_goes_on_for_longer_than_a_request_may_is_ended(serve, ask):
    server = serve(Silence(first=BEGUN, again=BEGUN))
    with pytest.raises(EndpointBusyError, match=r"more than 1\.1 seconds"):
        ask(server.url, stream=True, request_timeout=0.1).reply(
            ASKED, deadline=None, cancel=Event()
        )
    assert server.left.wait(5)
