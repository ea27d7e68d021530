"""Wire formats of a conversation, pure: ours to the endpoint's, and its replies to calls."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from swerun.ports import Message, Tool
from swerun.records import Call

Wire = dict[str, Any]
# what an endpoint takes back of an assistant's message, beside its calls; strict ones refuse
# anything else, and some refuse the empty list of calls that others serve
SAID = ("role", "content", "reasoning_content", "reasoning")
FENCE = re.compile(r"[ \t]*```+[ \t]*([\w+-]*)[ \t]*")
SHAPE = "```bash\ncat FILE\n```"
SHELLS = {"bash", "sh", "shell"}
CUT = " It was cut off at the limit on the length of a reply: write less in one."


@dataclass(frozen=True, slots=True)
class Read:
    """An assistant's message understood: what goes back as it was said, and the calls in it.

    `problem` says why there is no call, in words for the model.
    """

    raw: Mapping[str, Any]
    calls: tuple[Call, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Protocol:
    """How tools are offered, how a conversation is sent, how a reply is read."""

    offer: Callable[[Sequence[Tool]], Wire]
    send: Callable[[Sequence[Message]], list[Wire]]
    read: Callable[[Mapping[str, Any], str, Sequence[Tool]], Read]


def _offer_tools(tools: Sequence[Tool]) -> Wire:
    functions = [
        {"name": t.name, "description": t.description, "parameters": dict(t.parameters)}
        for t in tools
    ]
    return {"tools": [{"type": "function", "function": f} for f in functions]}


def _send_tools(messages: Sequence[Message]) -> list[Wire]:
    return [_sent(message, tool_role=True) for message in messages]


def _send_text(messages: Sequence[Message]) -> list[Wire]:
    return [_sent(message, tool_role=False) for message in messages]


def _sent(message: Message, *, tool_role: bool) -> Wire:
    if message.reply is not None:
        return dict(message.reply.raw)
    if message.role != "tool":
        return {"role": message.role, "content": message.content}
    if tool_role and message.call_id:
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
    return {"role": "user", "content": message.content}


def _read_tools(message: Mapping[str, Any], finish: str, tools: Sequence[Tool]) -> Read:
    served = message.get("tool_calls")
    asked = served if isinstance(served, list) else []
    cut = CUT if finish == "length" else ""
    if not asked:
        names = " or ".join(f"`{tool.name}`" for tool in tools)
        problem = f"There is no tool call in your reply. Call {names}.{cut}"
        return Read(_said(message), problem=problem)
    functions = [_function(one) for one in asked]
    ids = _own_ids([str(one.get("id") or "") if isinstance(one, dict) else "" for one in asked])
    sent = [
        {"id": call_id, "type": "function", "function": _sendable(function)}
        for call_id, function in zip(ids, functions, strict=True)
    ]
    calls = [
        _call(call_id, function, cut, tools)
        for call_id, function in zip(ids, functions, strict=True)
    ]
    return Read(_said(message) | {"tool_calls": sent}, tuple(calls))


@dataclass(frozen=True, slots=True)
class Function:
    """A call as it was served: a name, and arguments that are JSON if all is well."""

    name: str
    text: str

    def arguments(self) -> Mapping[str, Any]:
        """Raises ValueError that says what is wrong with them."""
        try:
            arguments = json.loads(self.text)
            json.dumps(arguments, ensure_ascii=False).encode()  # halves of surrogate pairs fail
        except (ValueError, RecursionError) as error:
            raise ValueError(f"The arguments are not JSON: {error}.") from error
        if not isinstance(arguments, dict):
            raise ValueError("The arguments are not a JSON object.")  # noqa: TRY004
        return arguments


def _function(served: object) -> Function:
    inner = served.get("function") if isinstance(served, dict) else None
    given = inner if isinstance(inner, dict) else {}
    arguments = given.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return Function(str(given.get("name") or ""), text.strip() or "{}")


def _own_ids(given: Sequence[str]) -> list[str]:
    """The ids of a reply's calls, with a new one for each that is missing or not the first."""
    free = (f"call_{number}" for number in count(1) if f"call_{number}" not in given)
    return [one if one and one not in given[:i] else next(free) for i, one in enumerate(given)]


def _sendable(function: Function) -> Wire:
    """Every later request has it: servers that parse the arguments again (vLLM, llama.cpp) refuse
    them all where that gives no object."""
    try:
        function.arguments()
    except ValueError:
        return {"name": function.name, "arguments": json.dumps({"malformed": function.text})}
    return {"name": function.name, "arguments": function.text}


def _call(call_id: str, function: Function, cut: str, tools: Sequence[Tool]) -> Call:
    """A call whose arguments are what the tool asks for, or that says what is wrong with it."""
    name = function.name
    tool = next((t for t in tools if t.name == name), None)
    if tool is None:
        names = ", ".join(t.name for t in tools)
        return Call(id=call_id, tool=name, problem=f"There is no tool {name!r}; there are {names}.")
    try:
        arguments = function.arguments()
    except ValueError as error:
        return Call(id=call_id, tool=name, problem=f"{error}{cut}")
    for key in tool.parameters.get("required", ()):
        if not isinstance(arguments.get(key), str):
            problem = f"`{key}` has to be given, as a string.{cut}"
            return Call(id=call_id, tool=name, problem=problem)
    return Call(id=call_id, tool=name, arguments=arguments)


def _offer_text(tools: Sequence[Tool]) -> Wire:  # noqa: ARG001 -- the prompt says what there is
    return {}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced part of a text: its label, its lines, and where it ends, if its end is there."""

    label: str
    text: str
    end: int | None  # characters of the text up to its end


def fenced(text: str) -> list[Block]:
    """The fenced blocks of a text, in order; a bare fence ends the one that is open."""
    found, label, lines, at = list[Block](), None, list[str](), 0
    for line in text.splitlines(keepends=True):
        at += len(line)
        fence = FENCE.fullmatch(line.rstrip("\r\n"))
        if label is None and fence:
            label, lines = fence[1].lower(), []
        elif label is not None and fence and not fence[1]:
            found.append(Block(label, "".join(lines), end=at))
            label = None
        elif label is not None:
            lines.append(line)
    return found if label is None else [*found, Block(label, "".join(lines), end=None)]


def _read_text(message: Mapping[str, Any], finish: str, tools: Sequence[Tool]) -> Read:
    """The first bash block of a reply, or its first block without any label, is a call of `bash`;
    one that holds only the name of a tool without arguments is a call of that, fenced or not.

    What comes after it, written before anybody knew what it prints, is not sent back: small models
    write whole conversations at once, made-up outputs among them, and would go on from those.
    """
    raw = _said(message)
    text = str(message.get("content") or "")
    blocks = fenced(text)
    if not blocks and text.strip() in plain(tools):
        return Read(raw, (_block_call(text, tools),))
    meant = [b for b in blocks if b.label in SHELLS] or [b for b in blocks if not b.label]
    if meant and meant[0].end is not None:
        kept = text[: meant[0].end].rstrip() if len(meant) > 1 else text
        return Read(raw | {"content": kept}, (_block_call(meant[0].text.strip("\r\n"), tools),))
    if meant:
        problem = "The bash block in your reply has no end: close it with ``` on a line of its own."
    else:
        problem = f"Nothing was run: there is no command. Give exactly one, as in\n\n{SHAPE}"
    return Read(raw, problem=problem + (CUT if finish == "length" else ""))


def plain(tools: Sequence[Tool]) -> set[str]:
    """The tools that need nothing but their name."""
    return {tool.name for tool in tools if not tool.parameters.get("required")}


def _block_call(text: str, tools: Sequence[Tool]) -> Call:
    if text.strip() in plain(tools):
        return Call(id="block", tool=text.strip())
    return Call(id="block", tool="bash", arguments={"command": text})


def _said(message: Mapping[str, Any]) -> Wire:
    kept = {key: message[key] for key in SAID if message.get(key) is not None}
    return {"role": "assistant", "content": ""} | kept


PROTOCOLS: Mapping[str, Protocol] = {
    "tools": Protocol(_offer_tools, _send_tools, _read_tools),
    "text": Protocol(_offer_text, _send_text, _read_text),
}
