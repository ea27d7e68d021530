"""Native tool calls: the server offers the tools to the model, and parses what it asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from swerun.models.protocols import tagged
from swerun.models.protocols.calls import CUT, Function, Read, Wire, call_of, own_ids, said, text_of
from swerun.ports import Message, Tool


def offer(tools: Sequence[Tool]) -> Wire:
    functions = [
        {"name": t.name, "description": t.description, "parameters": dict(t.parameters)}
        for t in tools
    ]
    return {"tools": [{"type": "function", "function": f} for f in functions]}


def send(messages: Sequence[Message]) -> list[Wire]:
    return [_sent(message) for message in messages]


def _sent(message: Message) -> Wire:
    if message.reply is not None:
        return dict(message.reply.raw)
    if message.role == "tool" and message.call_id:
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.content}
    role = "user" if message.role == "tool" else message.role
    return {"role": role, "content": message.content}


def served(message: Mapping[str, Any]) -> list[Any]:
    """The calls that the server found in a message, whatever they are."""
    calls = message.get("tool_calls")
    return calls if isinstance(calls, list) else []


def read(message: Mapping[str, Any], finish: str, tools: Sequence[Tool]) -> Read:
    asked = served(message)
    cut = CUT if finish == "length" else ""
    if not asked:
        return _overlooked(message, cut, tools)
    ids = own_ids(str(one.get("id") or "") if isinstance(one, dict) else "" for one in asked)
    return _called(said(message), ids, [_function(one) for one in asked], cut, tools)


def _called(
    back: Wire, ids: Sequence[str], functions: Sequence[Function], cut: str, tools: Sequence[Tool]
) -> Read:
    pairs = list(zip(ids, functions, strict=True))
    sent = [{"id": i, "type": "function", "function": each.sendable()} for i, each in pairs]
    calls = tuple(call_of(i, each, cut, tools) for i, each in pairs)
    return Read(back | {"tool_calls": sent}, calls)


def _overlooked(message: Mapping[str, Any], cut: str, tools: Sequence[Tool]) -> Read:
    """A reply in which the server found no call. The text may hold one all the same: where no
    parser is set, and where a model leaves out a tag that its parser waits for, as Qwen3-Coder
    does in one turn of five (github.com/ollama/ollama/pull/17742). It is run then, and goes back
    as what the server should have made of it.
    """
    text = text_of(message)
    found = tagged.parts_in(text, tools)
    functions = [part.function for part in found.parts if part.function]
    if functions:
        ids = own_ids("" for _ in functions)
        before = {"content": text[: found.parts[0].start].rstrip()}
        return _called(said(message) | before, ids, functions, cut, tools)
    names = " or ".join(f"`{tool.name}`" for tool in tools)
    why = f" {found.parts[0].problem}" if found.parts else ""
    problem = f"There is no tool call in your reply.{why} Call {names}.{cut}"
    return Read(said(message), problem=problem)


def _function(call: object) -> Function:
    inner = call.get("function") if isinstance(call, dict) else None
    given = inner if isinstance(inner, dict) else {}
    arguments = given.get("arguments")
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return Function(str(given.get("name") or ""), text.strip() or "{}")
