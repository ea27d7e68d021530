"""Wire formats: what is made of a reply, and what of it goes back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swerun.agent.tools import TOOLS
from swerun.models.protocols import PROTOCOLS
from swerun.ports import Message
from swerun.records import Call, Reply

TEXT = PROTOCOLS["text"]
NATIVE = PROTOCOLS["tools"]


def a_call(name="bash", arguments='{"command": "ls"}', call_id="call_a"):
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }


def said(*calls, content=None, **more):
    return {"role": "assistant", "content": content, "tool_calls": list(calls)} | more


def native(message, finish="tool_calls"):
    return NATIVE.read(message, finish, TOOLS)


def text(content, finish="stop"):
    return TEXT.read({"role": "assistant", "content": content}, finish, TOOLS)


def block(command, label="bash"):
    return f"I run it.\n\n```{label}\n{command}\n```\n"


# native tool calls


def test_a_call_is_its_id_its_tool_and_its_arguments():
    assert native(said(a_call())).calls == (
        Call(id="call_a", tool="bash", arguments={"command": "ls"}),
    )
    assert native(said(a_call())).problem is None


@pytest.mark.parametrize("arguments", ["{}", "", " ", None, {}])
def test_a_tool_without_arguments_needs_none(arguments):
    assert native(said(a_call("submit", arguments))).calls == (Call(id="call_a", tool="submit"),)


def test_arguments_may_be_served_as_an_object():
    read = native(said(a_call(arguments={"command": "ls"})))
    assert read.calls[0].arguments == {"command": "ls"}
    assert read.raw["tool_calls"][0]["function"]["arguments"] == '{"command": "ls"}'


WRONG = {
    "not JSON": ("bash", "ls -a", "not JSON"),
    "unterminated": ("bash", '{"command": "ls', "not JSON"),
    "python": ("bash", "{'command': 'ls'}", "not JSON"),
    "half a character": ("bash", '{"command": "\\ud83d"}', "not JSON"),
    "too deep": ("bash", "[" * 100_000, "not JSON"),
    "a list": ("bash", '["ls"]', "not a JSON object"),
    "a string": ("bash", '"ls"', "not a JSON object"),
    "null": ("bash", "null", "not a JSON object"),
    "a list as served": ("bash", ["ls"], "not a JSON object"),
    "nothing": ("bash", "", "`command` has to be given"),
    "no command": ("bash", "{}", "`command` has to be given"),
    "another name": ("bash", '{"cmd": "ls"}', "`command` has to be given"),
    "a number": ("bash", '{"command": 1}', "`command` has to be given, as a string"),
    "a command in a list": ("bash", '{"command": ["ls"]}', "`command` has to be given, as a str"),
    "null command": ("bash", '{"command": null}', "`command` has to be given"),
    "unknown tool": ("python", '{"command": "ls"}', "no tool 'python'; there are bash, submit"),
    "no tool": ("", '{"command": "ls"}', "no tool ''; there are bash, submit"),
    "null tool": (None, '{"command": "ls"}', "no tool ''; there are bash, submit"),
}


@pytest.mark.parametrize(("name", "arguments", "problem"), WRONG.values(), ids=WRONG)
def test_a_call_that_cannot_be_run_says_why(name, arguments, problem):
    (call,) = native(said(a_call(name, arguments))).calls
    assert problem in call.problem
    assert call.arguments == {}


@pytest.mark.parametrize(("name", "arguments", "problem"), WRONG.values(), ids=WRONG)
def test_a_call_that_cannot_be_run_does_not_spoil_the_conversation(name, arguments, problem):
    """Servers that parse the arguments of each turn again refuse all the requests that follow."""
    (back,) = native(said(a_call(name, arguments))).raw["tool_calls"]
    sent = json.loads(back["function"]["arguments"])
    assert isinstance(sent, dict)
    json.dumps(sent, ensure_ascii=False).encode()


def test_what_was_malformed_is_kept():
    read = native(said(a_call(arguments="{ls -a")))
    assert json.loads(read.raw["tool_calls"][0]["function"]["arguments"]) == {"malformed": "{ls -a"}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "content": "I am done."},
        {"role": "assistant", "content": None},
        {"role": "assistant", "content": "I am done.", "tool_calls": None},
        {"role": "assistant", "content": "I am done.", "tool_calls": []},
        {"role": "assistant", "content": "I am done.", "tool_calls": "bash"},
        {"role": "assistant", "content": block("ls")},
        {},
    ],
)
def test_a_reply_without_a_call_says_so_and_goes_back_without_one(message):
    read = native(message, "stop")
    assert read.calls == ()
    assert "no tool call" in read.problem
    assert "`bash` or `submit`" in read.problem
    assert "cut off" not in read.problem
    assert "tool_calls" not in read.raw  # some endpoints serve an empty list, and some refuse one
    assert isinstance(read.raw["content"], str)


def test_a_reply_that_was_cut_off_before_its_call_says_so():
    assert "cut off" in native({"role": "assistant", "content": "Let me"}, "length").problem


def test_a_call_that_was_cut_off_says_so():
    half = said(a_call(arguments='{"command": "cat'))
    assert "cut off" in native(half, "length").calls[0].problem
    assert "cut off" not in native(half, "stop").calls[0].problem
    assert native(said(a_call()), "length").calls[0].problem is None


def test_several_calls_stay_in_order_and_a_wrong_one_spoils_no_other():
    calls = (a_call(call_id="a"), a_call("python", "{}", "b"), a_call("submit", "{}", "c"))
    read = native(said(*calls))
    assert [call.id for call in read.calls] == ["a", "b", "c"]
    assert [call.problem is None for call in read.calls] == [True, False, True]
    assert [one["id"] for one in read.raw["tool_calls"]] == ["a", "b", "c"]


@pytest.mark.parametrize(
    "ids",
    [
        ("", ""),
        (None, None),
        ("a", "a"),
        ("call_2", ""),
        ("", "call_1"),
        ("call_1", "call_1", "call_2", ""),
        (1, 1),
    ],
)
def test_every_call_of_a_reply_has_an_id_of_its_own(ids):
    read = native(said(*(a_call(call_id=one) for one in ids)))
    made = [call.id for call in read.calls]
    assert all(made)
    assert len(set(made)) == len(ids)
    assert [one["id"] for one in read.raw["tool_calls"]] == made


def test_ids_that_were_served_are_kept():
    read = native(said(a_call(call_id="x"), a_call(call_id=""), a_call(call_id="call_1")))
    assert [read.calls[0].id, read.calls[2].id] == ["x", "call_1"]


# text


def test_one_bash_block_is_a_command():
    (call,) = text(block("cd src\nls -a")).calls
    assert (call.tool, call.arguments, call.problem) == ("bash", {"command": "cd src\nls -a"}, None)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_of_several_blocks_the_first_is_run_and_goes_back_without_what_was_made_up_after_it(end):
    first = f"I look.{end}```bash{end}ls{end}```"
    read = text(first + end + "It printed a.py." + end + block("rm a.py") + block("submit"))
    assert [call.arguments for call in read.calls] == [{"command": "ls"}]
    assert read.raw["content"] == first


def test_a_block_that_is_alone_goes_back_with_all_that_was_said():
    said_so = block("ls") + "Then I go on."
    assert text(said_so).raw["content"] == said_so


def test_a_bash_block_that_is_the_name_of_a_tool_is_that_tool():
    assert [call.tool for call in text(block("submit")).calls] == ["submit"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("I am done.", "no command"),
        ("", "no command"),
        (None, "no command"),
        ("```bash\nls", "no end"),
    ],
)
def test_a_reply_that_is_not_one_command_is_none_and_says_why(content, problem):
    read = text(content)
    assert read.calls == ()
    assert problem in read.problem
    assert "cut off" not in read.problem


@pytest.mark.parametrize("content", ["Let me", "```bash\nls"])
def test_a_text_that_was_cut_off_says_so(content):
    assert "cut off" in text(content, "length").problem


def test_native_calls_are_no_part_of_the_text_protocol():
    read = TEXT.read(said(a_call(), content="Hm."), "tool_calls", TOOLS)
    assert read.calls == ()
    assert "tool_calls" not in read.raw


# what goes back

SERVED = {  # fields as vLLM, OpenAI, DeepSeek and OpenRouter add them
    "refusal": None,
    "annotations": [],
    "audio": None,
    "function_call": None,
    "reasoning": "Thought.",
    "reasoning_content": "Thought.",
    "reasoning_details": [{"type": "reasoning.text", "text": "Thought."}],
    "provider_specific_fields": {"x": 1},
    "index": 0,
}


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_what_goes_back_of_a_reply_is_what_endpoints_take(protocol):
    served = said(a_call() | {"index": 0, "extra": 1}, content=block("ls")) | SERVED
    read = protocol.read(served, "stop", TOOLS)
    (sent,) = protocol.send([Message("assistant", "", reply=Reply(text="", raw=read.raw))])
    assert set(sent) <= {"role", "content", "tool_calls", "reasoning", "reasoning_content"}
    assert (sent["role"], sent["content"]) == ("assistant", block("ls"))
    for call in sent.get("tool_calls", ()):
        assert set(call) == {"id", "type", "function"}
        assert set(call["function"]) == {"name", "arguments"}


def test_results_answer_their_calls_by_id_and_in_order():
    read = native(said(a_call(call_id="a"), a_call(call_id="a"), a_call("python", "x", "")))
    reply = Reply(text="", calls=read.calls, raw=read.raw)
    results = [Message("tool", f"of {call.id}", call_id=call.id) for call in reply.calls]
    assistant, *answers = NATIVE.send([Message("assistant", "", reply=reply), *results])
    assert [one["tool_call_id"] for one in answers] == [c["id"] for c in assistant["tool_calls"]]
    assert {one["role"] for one in answers} == {"tool"}


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_what_was_wrong_with_a_reply_without_a_call_comes_from_the_user(protocol):
    sent = protocol.send([Message("tool", "There is no command.", call_id="")])
    assert sent == [{"role": "user", "content": "There is no command."}]


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_a_reply_goes_back_the_same_after_it_was_stored(protocol):
    read = protocol.read(said(a_call(), content=block("ls \u2028 \u00e4")), "stop", TOOLS)
    reply = Reply(text="", calls=read.calls, problem=read.problem, raw=read.raw)
    stored = Reply.model_validate_json(reply.model_dump_json())
    sent = [protocol.send([Message("assistant", "", reply=one)]) for one in (reply, stored)]
    assert sent[0] == sent[1]


# anything at all

# what JSON can carry; halves of surrogate pairs are gone before a protocol sees a message
plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)
fences = st.lists(
    st.sampled_from(["```", "```bash", "bash", "submit", "ls", "\n", " ", "~~~", "````", "\r"])
).map("".join)
arguments = (
    st.sampled_from(['{"command": "ls"}', '{"command":', "{}", "[]", '{"command": "\\udc00"}'])
    | anything
    | anything.map(json.dumps)
)
functions = st.fixed_dictionaries(
    {}, optional={"name": st.sampled_from(["bash", "submit"]) | anything, "arguments": arguments}
)
calls = st.fixed_dictionaries({}, optional={"id": anything, "function": functions | anything})
messages = st.fixed_dictionaries(
    {},
    optional={
        "role": st.just("assistant") | anything,
        "content": fences | anything,
        "tool_calls": st.lists(calls | anything) | anything,
        "reasoning": anything,
    },
)


@settings(deadline=None)
@given(messages, st.sampled_from(["stop", "length", "tool_calls", ""]))
@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_any_message_is_read_stored_and_sent_back(protocol, message, finish):
    read = protocol.read(message, finish, TOOLS)
    assert bool(read.calls) != bool(read.problem)
    reply = Reply(text="", calls=read.calls, problem=read.problem, raw=read.raw)
    Reply.model_validate_json(reply.model_dump_json())
    (sent,) = protocol.send([Message("assistant", "", reply=reply)])
    json.dumps(sent, ensure_ascii=False).encode()
    assert len({call.id for call in reply.calls}) == len(reply.calls)
    for call in reply.calls:
        assert call.problem or call.tool == "submit" or isinstance(call.arguments["command"], str)
    for call in sent.get("tool_calls", ()):
        assert isinstance(json.loads(call["function"]["arguments"]), dict)
