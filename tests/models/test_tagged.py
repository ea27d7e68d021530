"""Calls in tags, Hermes' and Qwen3-Coder's: what is read, what is answered, in what time."""

from __future__ import annotations

import json
from threading import Event

import pytest

from swerun.agent.prompts import TRIAL, load_prompts
from swerun.agent.tools import TOOLS
from swerun.models.protocols import PROTOCOLS, protocol_of
from swerun.models.protocols.tagged import LONGEST, MOST_CALLS
from swerun.models.recording import recordings
from swerun.ports import Message, Tool
from swerun.records import Limits, Reply
from tests.models.endpoint import completion

LS = '{"name": "bash", "arguments": {"command": "ls"}}'
HERMES = f"<tool_call>\n{LS}\n</tool_call>"
XML = (
    "<tool_call>\n<function=bash>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>"
)
SUBMIT = '<tool_call>\n{"name": "submit", "arguments": {}}\n</tool_call>'
FORMS = ("hermes", "qwen-xml")


def said(content, protocol="hermes", finish="stop", tools=TOOLS):
    return PROTOCOLS[protocol].read({"role": "assistant", "content": content}, finish, tools)


def commands(read):
    return [call.arguments.get("command", call.tool) for call in read.calls if not call.problem]


def xml(value, ends="\n</parameter>\n</function>\n</tool_call>"):
    return f"<tool_call>\n<function=bash>\n<parameter=command>\n{value}{ends}"


GOOD = {
    "hermes": (HERMES, ["ls"]),
    "a sentence before": (f"I look around.\n\n{HERMES}", ["ls"]),
    "on one line": (f"<tool_call>{LS}</tool_call>", ["ls"]),
    "in a fence inside the tag": (f"<tool_call>\n```json\n{LS}\n```\n</tool_call>", ["ls"]),
    "no closing tag": (f"<tool_call>\n{LS}", ["ls"]),
    "a brace too many": (f"<tool_call>\n{LS}}}\n</tool_call>", ["ls"]),
    "parameters for arguments": (HERMES.replace("arguments", "parameters"), ["ls"]),
    "as OpenAI has it": (f'<tool_call>{{"type": "function", "function": {LS}}}', ["ls"]),
    "arguments as text": (
        '<tool_call>{"name": "bash", "arguments": "{\\"command\\": \\"ls\\"}"}',
        ["ls"],
    ),
    "a line end as it is": (HERMES.replace("ls", "cd src\nls"), ["cd src\nls"]),
    "the closing tag in the command": (
        HERMES.replace("ls", "echo '</tool_call>'"),
        ["echo '</tool_call>'"],
    ),
    "several": (f"{HERMES}\n{HERMES.replace('ls', 'pwd')}\n{SUBMIT}", ["ls", "pwd", "submit"]),
    "as Qwen2.5-Coder has it": (f"<tools>\n{LS}\n</tools>", ["ls"]),
    "a fence and no tag": (f"I look.\n```json\n{LS}\n```", ["ls"]),
    "JSON alone": (LS, ["ls"]),
    "no arguments": ('<tool_call>{"name": "submit"}</tool_call>', ["submit"]),
    "null for none": ('<tool_call>{"name": "submit", "arguments": null}</tool_call>', ["submit"]),
    "xml": (XML, ["ls"]),
    "xml with lines": (xml("cat > a <<E\n<b>1 & 2</b>\nE"), ["cat > a <<E\n<b>1 & 2</b>\nE"]),
    "xml on one line": (XML.replace("\n", ""), ["ls"]),
    "xml without an opening tag": (XML.removeprefix("<tool_call>\n"), ["ls"]),
    "xml without any tag around": (f"I look.\n\n{XML[12:-13]}", ["ls"]),
    "xml whose value has no end": (XML.replace("</parameter>\n", ""), ["ls"]),
    "xml that ends after its value": (xml("ls", "\n</parameter>\n"), ["ls"]),
    "xml with a value's end inside": (
        xml("printf '<parameter=a>b</parameter>x'"),
        ["printf '<parameter=a>b</parameter>x'"],
    ),
    "xml with quoted names": (
        XML.replace("=bash", '="bash"').replace("=command", "='command'"),
        ["ls"],
    ),
    "xml with names as attributes": (
        XML.replace("=bash", ' name="bash"').replace("=command", ' name="command"'),
        ["ls"],
    ),
    "xml with entities, which stay": (xml("a &amp;&amp; b"), ["a &amp;&amp; b"]),
    "xml in CDATA": (xml("<![CDATA[a && b]]>"), ["a && b"]),
    "xml with CDATA in a command": (xml("echo '<![CDATA[a]]>'"), ["echo '<![CDATA[a]]>'"]),
    "xml with indentation that matters": (xml("    x = 1"), ["    x = 1"]),
    "xml without parameters": ("<tool_call><function=submit></function></tool_call>", ["submit"]),
    "xml around JSON": ('<function=bash>{"command": "ls"}</function>', ["ls"]),
    "several xml": (f"{XML}\n{xml('pwd')}", ["ls", "pwd"]),
    "thoughts before": (f"<think>\nI could {SUBMIT}.\n</think>\n{HERMES}", ["ls"]),
    "thoughts whose opening the template wrote": (f"I see.\n</think>\n\n{XML}", ["ls"]),
    "the end of thoughts in a command": (xml("grep '</think>' a.py"), ["grep '</think>' a.py"]),
}


@pytest.mark.parametrize("protocol", FORMS)
@pytest.mark.parametrize(("content", "expected"), GOOD.values(), ids=GOOD)
def test_what_is_clear_is_run(content, expected, protocol):
    read = said(content, protocol)
    assert read.problem is None
    assert commands(read) == expected
    assert len(read.calls) == len(expected)


@pytest.mark.parametrize("protocol", FORMS)
def test_a_word_about_calls_hides_no_call(protocol):
    text = f"Not <function=f>, not <tools>, not <tool_response>, not <tool_call>:\n{XML}"
    assert commands(said(text, protocol)) == ["ls"]


BAD = {
    "truncated JSON": ('<tool_call>\n{"name": "bash", "argum', "no end"),
    "truncated command": ('<tool_call>\n{"name": "bash", "arguments": {"command": "l', "no end"),
    "not JSON": ("<tool_call>\nls -a\n</tool_call>", "not JSON"),
    "python": ("<tool_call>{'name': 'bash'}</tool_call>", "not JSON"),
    "a quote too many": (HERMES.replace("ls", 'echo "a"'), "not JSON"),
    "nothing in it": ("<tool_call>\n</tool_call>", "not JSON"),
    "a list": (f"<tool_call>[{LS}]</tool_call>", "no `name`"),
    "no name": ('<tool_call>{"arguments": {"command": "ls"}}</tool_call>', "no `name`"),
    "an object for a name": (HERMES.replace('"bash"', '{"a": 1}'), "no `name`"),
    "another tool": (HERMES.replace("bash", "python"), "no tool 'python'; there are bash, submit"),
    "arguments that are not JSON": (
        '<tool_call>{"name": "bash", "arguments": "ls -a"}</tool_call>',
        "arguments are not JSON",
    ),
    "arguments in a list": (
        '<tool_call>{"name": "bash", "arguments": ["ls"]}</tool_call>',
        "not a JSON object",
    ),
    "an object for a string": (
        HERMES.replace('"ls"', '{"cmd": "ls"}'),
        "`command` has to be given, as a string",
    ),
    "a number for a string": (HERMES.replace('"ls"', "1"), "as a string"),
    "another argument": (HERMES.replace("command", "cmd"), "`command` has to be given"),
    "too deep": ("<tool_call>" + "[" * 100_000 + "</tool_call>", "nested too deep"),
    "xml truncated in a value": ("<tool_call>\n<function=bash>\n<parameter=command>\nl", "no end"),
    "xml truncated in a tag": ("<tool_call>\n<function=bash>\n<parameter=comm", "no end"),
    "xml truncated in its name": ("<tool_call>\n<function=ba", "no end"),
    "xml of another tool": (XML.replace("=bash", "=python"), "no tool 'python'"),
    "xml with another parameter": (XML.replace("=command", "=cmd"), "`command` has to be given"),
    "xml without its parameter": (
        "<tool_call><function=bash></function></tool_call>",
        "`command` has to be given",
    ),
    "xml with bare words": (
        "<tool_call><function=bash>\nls\n</function></tool_call>",
        "no <parameter=NAME>",
    ),
    "xml with a parameter twice": (
        XML.replace("</function>", "<parameter=command>\npwd\n</parameter>\n</function>"),
        "`command` is given twice",
    ),
    "a fence alone": ("```bash\nls\n```", "a fenced block is not run"),
    "a fence in a fence": ("````\n```json\nls\n```\n````", "a fenced block is not run"),
    "nothing": ("", "no call"),
    "words": ("I am done.", "no call"),
    "thoughts alone": ("<think>\nI could submit.", "only thoughts"),
    "a call in thoughts alone": (f"<think>\n{HERMES}\n</think>\nDone.", "no call"),
    "another tool without tags": ('{"name": "python", "arguments": {}}', "no call"),
}


@pytest.mark.parametrize("protocol", FORMS)
@pytest.mark.parametrize(("content", "problem"), BAD.values(), ids=BAD)
def test_what_is_malformed_is_answered_in_words_that_help(content, problem, protocol):
    read = said(content, protocol)
    told = read.problem or read.calls[0].problem
    assert problem in told
    assert commands(read) == []
    assert "cut off" not in told


@pytest.mark.parametrize("protocol", FORMS)
@pytest.mark.parametrize("case", [case for case in BAD if "truncated" in case or "alone" in case])
def test_what_was_cut_off_is_told_so(case, protocol):
    read = said(BAD[case][0], protocol, "length")
    assert "cut off" in (read.problem or read.calls[0].problem)


@pytest.mark.parametrize("protocol", FORMS)
def test_the_answer_to_what_is_no_call_shows_one_in_the_format_of_the_protocol(protocol):
    for read in (said("Done.", protocol), said("<tool_call>ls</tool_call>", protocol)):
        shape = (read.problem or read.calls[0].problem).partition("\n\n")[2]
        assert commands(said(shape, protocol)) == ["ls"]
        assert protocol_of({"content": shape}) == protocol


@pytest.mark.parametrize(("protocol", "run"), [("hermes", "ls"), ("qwen-xml", "pwd")])
def test_of_two_formats_at_once_the_protocols_own_is_run_and_the_other_is_told_why(protocol, run):
    read = said(f"{HERMES}\n{xml('pwd')}\n```bash\nrm -r .\n```", protocol)
    assert commands(read) == [run]
    (other,) = [call for call in read.calls if call.problem]
    assert "one format" in other.problem


def test_a_wrong_call_spoils_no_other():
    read = said(f"<tool_call>\nls\n</tool_call>\n{HERMES}")
    assert [call.problem is None for call in read.calls] == [False, True]
    assert len({call.id for call in read.calls}) == 2


@pytest.mark.parametrize("protocol", FORMS)
def test_what_was_made_up_after_a_call_is_neither_run_nor_sent_back(protocol):
    first = f"I look.\n{HERMES}"
    made_up = f"\n<tool_response>\na.py\n</tool_response>\n{SUBMIT}"
    read = said(first + made_up, protocol)
    assert commands(read) == ["ls"]
    assert read.raw["content"] == first


def test_no_more_calls_are_taken_from_a_reply_than_anybody_needs():
    read = said(HERMES * (MOST_CALLS + 3))
    assert len(read.calls) == MOST_CALLS
    assert read.raw["content"] == HERMES * MOST_CALLS


HOSTILE = {
    "openings": "<tool_call>",
    "json openings": '<tool_call>{"name": "',
    "openings and quotes": '<tool_call>"',
    "functions": "<function=f>",
    "known functions": "<function=bash>",
    "parameters": "<function=bash><parameter=command>",
    "ends of values": "<function=bash><parameter=command></parameter>x",
    "responses": "<tool_response>",
    "lists": "<tools>{",
    "fences": "```json\n{",
    "thoughts": "<think></think>",
    "spaces": "<tool_call>" + " " * 500,
    "angles": "<function=" + "a" * 63,
    "braces": '{"a":',
}


@pytest.mark.parametrize("protocol", ["tools", *PROTOCOLS])
@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_reply_of_any_kind_is_read_in_bounded_work(piece, protocol):
    """No stopwatch: work that grows with the square of a megabyte would not end in an hour."""
    content = piece * (LONGEST // len(piece) + 1)
    assert not commands(said(content, protocol))


def test_values_of_other_types_are_read_as_what_the_tool_says():
    typed = {"type": "object", "properties": {"lines": {"type": "array"}, "n": {"type": "integer"}}}
    tools = (Tool("view", "", typed | {"required": ["lines"]}),)

    def given(lines, n):
        text = f"<parameter=lines>{lines}</parameter><parameter=n>{n}</parameter>"
        return said(f"<function=view>{text}</function>", "qwen-xml", tools=tools).calls[0]

    assert given("[1, 2]", "3").arguments == {"lines": [1, 2], "n": 3}
    assert "`lines` has to be given, as a list" in given("1, 2", "3").problem
    assert "`n` has to be given, as a whole number" in given("[]", "true").problem
    assert given("[]", "null").problem is None


# what goes back


def answered(protocol, *contents):
    reply = Reply(text="", raw=said(HERMES * 2, protocol).raw)
    answers = [Message("tool", text, call_id=f"call_{i}") for i, text in enumerate(contents)]
    asked = [Message("system", "S"), Message("user", "U"), Message("assistant", "", reply=reply)]
    return PROTOCOLS[protocol].send([*asked, *answers, Message("assistant", "", reply=reply)])


@pytest.mark.parametrize("protocol", FORMS)
def test_results_go_back_in_tags_those_of_one_reply_in_one_message(protocol):
    sent = answered(protocol, "a.py", "b.py")
    assert [one["role"] for one in sent] == ["system", "user", "assistant", "user", "assistant"]
    tagged = "<tool_response>\n{}\n</tool_response>"
    assert sent[3]["content"] == f"{tagged.format('a.py')}\n{tagged.format('b.py')}"
    assert sent[2]["content"] == HERMES * 2


@pytest.mark.parametrize("protocol", FORMS)
def test_over_http_too_no_two_messages_of_a_role_follow_each_other(protocol, serve, ask):
    """Templates of Mistral, Gemma and others refuse that."""
    server = serve(completion({"role": "assistant", "content": HERMES * 2}))
    model, asked = ask(server.url, protocol=protocol), [Message("user", "It is broken.")]
    for _ in range(3):
        reply = model.reply(asked, deadline=None, cancel=Event())
        asked.append(Message("assistant", reply.text, reply=reply))
        asked += [Message("tool", "a.py", call_id=call.id) for call in reply.calls]
    sent = [one["role"] for one in server.asked[2].body["messages"]]
    assert sent == ["user", "assistant", "user", "assistant", "user"]
    before, after = (one.body["messages"] for one in server.asked[1:])
    assert after[: len(before)] == before  # a server's cache of what it has read stays good


@pytest.mark.parametrize("protocol", FORMS)
def test_tools_are_offered_by_the_prompt_alone_and_the_prompt_shows_a_call(protocol):
    assert PROTOCOLS[protocol].offer(TOOLS) == {}
    system, _ = load_prompts(protocol).opening(TRIAL, Limits())
    for tool in TOOLS:
        assert json.dumps(dict(tool.parameters)) in system.content
    shown = system.content.partition("</tools>")[2]
    assert protocol_of({"content": shown}) == protocol
    assert commands(said(shown, protocol))


def test_new_protocols_leave_the_prompts_of_the_old_ones_alone():
    """The recordings were made with these, and say so by their hash."""
    for info in recordings().values():
        assert load_prompts(info.protocol).scaffold().prompt_hash == info.prompt_hash


# calls that a server left in the text of a reply


@pytest.mark.parametrize("content", [HERMES, XML, XML.removeprefix("<tool_call>\n")])
def test_a_call_that_the_server_overlooked_is_run_and_goes_back_as_one(content):
    read = said(f"I look.\n\n{content}", "tools")
    assert commands(read) == ["ls"]
    assert read.raw["content"] == "I look."
    (call,) = read.raw["tool_calls"]
    assert call["id"] == read.calls[0].id
    assert json.loads(call["function"]["arguments"]) == {"command": "ls"}


def test_where_the_server_found_a_call_the_text_holds_none():
    call = {"id": "a", "type": "function", "function": {"name": "submit", "arguments": "{}"}}
    message = {"role": "assistant", "content": f"Not {HERMES}", "tool_calls": [call]}
    read = PROTOCOLS["tools"].read(message, "tool_calls", TOOLS)
    assert [c.tool for c in read.calls] == ["submit"]
    assert read.raw["content"] == f"Not {HERMES}"


def test_a_call_that_the_server_overlooked_and_that_is_malformed_is_told_both():
    read = said('<tool_call>{"name": "bash"', "tools", "length")
    assert read.calls == ()
    for part in ("no tool call", "no end", "cut off"):
        assert part in read.problem


def test_a_call_in_tags_is_no_command_of_the_text_protocol_and_is_told_so():
    assert "a <tool_call> is not read here" in said(XML, "text").problem


def test_a_block_in_thoughts_is_not_run():
    read = said("<think>\n```bash\nrm -r .\n```\n</think>\n```bash\nls\n```", "text")
    assert commands(read) == ["ls"]


# which protocol a message is of


@pytest.mark.parametrize(
    ("message", "protocol"),
    [
        ({"content": HERMES}, "hermes"),
        ({"content": XML}, "qwen-xml"),
        ({"content": "<tool_call>\n<function"}, "qwen-xml"),  # all that sixteen tokens may show
        ({"content": "<tool_call>\n<function=ba"}, "qwen-xml"),
        ({"content": "<tool_call>"}, "hermes"),
        ({"content": LS}, "hermes"),
        ({"content": f"```json\n{LS}\n```"}, "hermes"),
        ({"content": "```bash\nls\n```"}, "text"),
        ({"content": "ok"}, "text"),
        ({"content": None}, "text"),
        ({"content": f"<think>{HERMES}</think>ok"}, "text"),
        ({"content": XML, "tool_calls": [{"id": "a"}]}, "tools"),
        ({"content": XML, "tool_calls": []}, "qwen-xml"),
        ({}, "text"),
    ],
)
def test_a_message_tells_its_protocol(message, protocol):
    assert protocol_of(message) == protocol
