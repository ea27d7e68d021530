"""The Responses API over real HTTP: what is sent, what is read, and what each failure means."""

from __future__ import annotations

from threading import Event

import pytest

from swerun.errors import ContextLengthError, EndpointBusyError, EndpointError
from swerun.models.presets import Quirks
from swerun.ports import Message
from swerun.records import Call, Sampling, Usage
from tests.models.endpoint import Said, parts

ASKED = (Message("system", "You fix issues."), Message("user", "It is broken."))
SEALED = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "I look."}],
    "encrypted_content": "sealed",
}
TEXT = {"type": "output_text", "text": "Let me see.", "annotations": []}
SAID = {"type": "message", "id": "msg_1", "role": "assistant", "content": [TEXT]}
CALLED = {
    "type": "function_call",
    "id": "fc_1",
    "call_id": "call_1",
    "name": "bash",
    "arguments": '{"command": "ls"}',
    "status": "completed",
}


def response(*output, status="completed", **more):
    used = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
    made = {"object": "response", "status": status, "model": "served-name", "output": [*output]}
    return Said(made | {"usage": used} | more)


def reply(model, messages=ASKED):
    return model.reply(messages, deadline=None, cancel=Event())


@pytest.fixture
def given(serve, ask):
    """given(*answers, ...) -> a server, and a model that asks it by the Responses API."""

    def made(*answers, **more):
        server = serve(*answers)
        return server, ask(server.url, api="responses", **more)

    return made


def test_a_conversation_is_sent_as_items_and_kept_nowhere(given):
    server, model = given(response(SAID))
    reply(model)
    assert server.asked[0].path == "/v1/responses"
    body = server.asked[0].body
    assert sorted(body) == ["input", "model", "store", "tools"]
    assert body["store"] is False
    assert body["input"] == [
        {"type": "message", "role": "system", "content": "You fix issues."},
        {"type": "message", "role": "user", "content": "It is broken."},
    ]
    assert body["tools"][0]["name"] == "bash"
    assert body["tools"][0]["strict"] is False


def test_the_sampling_goes_by_the_names_of_this_api(given):
    server, model = given(
        response(SAID),
        sampling=Sampling(
            temperature=0, top_p=0.5, max_tokens=99, reasoning_effort="low", extra_body={"x": 1}
        ),
    )
    reply(model)
    body = server.asked[0].body
    assert (body["temperature"], body["top_p"], body["x"]) == (0, 0.5, 1)
    assert (body["max_output_tokens"], body["reasoning"]) == (99, {"effort": "low"})
    assert "max_tokens" not in body


def test_sealed_reasoning_is_asked_for_where_there_is_some(given):
    server, model = given(response(SAID), quirks=Quirks(encrypts_reasoning=True))
    reply(model)
    assert server.asked[0].body["include"] == ["reasoning.encrypted_content"]


def test_a_call_is_read_and_the_items_go_back_as_they_were_served(given):
    server, model = given(response(SEALED, SAID, CALLED), response(SAID))
    first = reply(model)
    assert first.calls == (Call(id="call_1", tool="bash", arguments={"command": "ls"}),)
    assert (first.text, first.reasoning) == ("Let me see.", "I look.")
    assert (first.finish_reason, first.model) == ("tool_calls", "served-name")
    assert first.usage == Usage(input_tokens=9, output_tokens=3)
    said = Message("assistant", first.text, reply=first)
    reply(model, (*ASKED, said, Message("tool", "a.py", call_id="call_1")))
    assert server.asked[1].body["input"][2:] == [
        SEALED,
        SAID,
        CALLED,
        {"type": "function_call_output", "call_id": "call_1", "output": "a.py"},
    ]


def test_arguments_that_are_no_json_go_back_as_what_they_are(given):
    broken = CALLED | {"arguments": '{"command": '}
    server, model = given(response(broken), response(SAID))
    first = reply(model)
    assert "not JSON" in first.calls[0].problem
    reply(model, (*ASKED, Message("assistant", "", reply=first)))
    assert server.asked[1].body["input"][2]["arguments"] == '{"malformed": "{\\"command\\":"}'


def test_of_a_text_reply_goes_back_what_was_meant(given):
    text = "I look.\n```bash\nls\n```\nIt prints a.py.\n```bash\ncat a.py\n```"
    item = SAID | {"content": [TEXT | {"text": text}]}
    server, model = given(response(SEALED, item), response(SAID), protocol="text")
    first = reply(model)
    assert [call.arguments for call in first.calls] == [{"command": "ls"}]
    said = Message("assistant", first.text, reply=first)
    reply(model, (*ASKED, said, Message("tool", "a.py", call_id="block")))
    sealed, back, shown = server.asked[1].body["input"][2:]
    assert sealed == SEALED
    assert back["content"][0]["text"] == "I look.\n```bash\nls\n```"
    assert shown == {"type": "message", "role": "user", "content": "a.py"}


def test_reasoning_after_which_nothing_came_does_not_go_back(given):
    cut = response(SEALED, status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    server, model = given(cut, response(SAID))
    first = reply(model)
    assert first.finish_reason == "length"
    assert "cut off at the limit" in first.problem
    wrong = Message("tool", first.problem, call_id="")
    reply(model, (*ASKED, Message("assistant", "", reply=first), wrong))
    assert [item["role"] for item in server.asked[1].body["input"]] == ["system", "user", "user"]


def test_reasoning_that_is_shown_is_read_from_its_content(given):
    shown = {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "Hm."}]}
    _, model = given(response(shown, SAID))
    assert reply(model).reasoning == "Hm."


def test_a_refusal_of_the_model_is_what_it_says(given):
    refused = SAID | {"content": [{"type": "refusal", "refusal": "I will not."}]}
    _, model = given(response(refused))
    assert reply(model).text == "I will not."


def test_a_filter_is_the_reason_that_is_told(given):
    _, model = given(
        response(SAID, status="incomplete", incomplete_details={"reason": "content_filter"})
    )
    assert reply(model).finish_reason == "content_filter"


@pytest.mark.parametrize(
    "body",
    [{}, [], {"output": None}, {"output": [], "status": "in_progress"}, {"status": "completed"}],
)
def test_an_answer_that_is_no_reply_may_be_asked_for_again(body, given):
    _, model = given(Said(body))
    with pytest.raises(EndpointBusyError):
        reply(model)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "server_error", "message": "It failed."}, EndpointBusyError),
        ({"code": "context_length_exceeded", "message": "It failed."}, ContextLengthError),
        (None, EndpointBusyError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_response_that_failed_is_told_by_its_code(stream, error, kind, given):
    failed = response(status="failed", error=error).body
    answer = parts({"type": "response.failed", "response": failed}) if stream else Said(failed)
    _, model = given(answer, stream=stream)
    with pytest.raises(EndpointError) as caught:
        reply(model)
    assert isinstance(caught.value, kind)
    assert caught.value.retry is (kind is EndpointBusyError)


# streams


def test_a_stream_is_read_by_the_response_that_it_ends_in(given):
    begun = {"type": "response.created", "response": response(status="in_progress").body}
    ended = {"type": "response.completed", "response": response(SAID, CALLED).body}
    server, model = given(parts(begun, ended, done=False), stream=True)
    assert [call.tool for call in reply(model).calls] == ["bash"]
    assert server.asked[0].body["stream"] is True
    assert "stream_options" not in server.asked[0].body


def test_items_that_an_end_leaves_out_are_those_that_came_before(given):
    item = {"type": "response.output_item.done", "item": CALLED}
    ended = {"type": "response.completed", "response": response().body}
    _, model = given(parts(item, ended), stream=True)
    assert [call.tool for call in reply(model).calls] == ["bash"]


def test_a_server_that_knows_no_streams_may_answer_in_one_piece(given):
    whole = Said(response(SAID).body, headers={"Content-Type": "application/json"})
    _, model = given(whole, stream=True)
    assert reply(model).text == "Let me see."


def test_a_stream_without_an_end_may_be_asked_for_again(given):
    _, model = given(parts({"type": "response.output_item.done", "item": SAID}), stream=True)
    with pytest.raises(EndpointBusyError, match="before the reply was whole"):
        reply(model)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "server_error", "message": "It failed."},
        {"type": "error", "error": {"code": "server_error", "message": "It failed."}},
    ],
)
def test_an_error_in_the_middle_may_be_asked_again(event, given):
    _, model = given(parts(event), stream=True)
    with pytest.raises(EndpointBusyError, match="It failed"):
        reply(model)
