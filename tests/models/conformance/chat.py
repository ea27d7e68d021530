"""A scripted turn as a chat completion, in one piece and in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.models.conformance.script import WRITTEN, Turn, usage
from tests.models.conformance.spec import Spec

Wire = dict[str, Any]


def reply(spec: Spec, turn: Turn, number: int, protocol: str, *, sealed: bool) -> Wire:
    calls = protocol == "tools"
    said = turn.text if calls else WRITTEN[protocol](turn)
    message: Wire = {"role": "assistant", "content": said}
    if spec.reasoning == "thinking part":
        thought = {"type": "thinking", "thinking": [{"type": "text", "text": turn.thought}]}
        message["content"] = [thought, {"type": "text", "text": said}]
    elif spec.reasoning:
        message[spec.reasoning] = turn.thought
    message |= spec.message_extra
    if calls:
        function = {"name": turn.tool, "arguments": turn.json}
        call = {"id": f"call-{number}", "type": "function", "function": function}
        message["tool_calls"] = [call | spec.call_extra]
    finish = "tool_calls" if calls else "stop"
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "model": spec.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": usage(number),
    }


def parts(spec: Spec, completion: Mapping[str, Any], *, asked: bool) -> Iterator[str]:
    """The same as server-sent events: text in halves, calls as the endpoint breaks them up."""
    choice = completion["choices"][0]
    message = choice["message"]
    yield ": a comment, as some send to keep the connection\n\n"
    yield _event(completion, {"role": "assistant", "content": ""})
    for name in {spec.reasoning, *spec.message_extra} & set(message):
        yield from (_event(completion, {name: half}) for half in _halves(message[name]))
    yield from (_event(completion, {"content": half}) for half in _halves(message["content"]))
    for index, call in enumerate(message.get("tool_calls", ())):
        fragments = FRAGMENTS[spec.fragments](index, call)
        yield from (_event(completion, {"tool_calls": [fragment]}) for fragment in fragments)
    used = {"usage": completion["usage"]}
    always = spec.usage_in_stream == "always"
    yield _event(completion, {}, choice["finish_reason"], **(used if always else {}))
    if asked and not always:
        yield f"data: {json.dumps({'object': 'chunk', 'choices': [], **used})}\n\n"
    yield "data: [DONE]\n\n"


def _halves(whole: Any) -> list[Any]:
    if isinstance(whole, str):
        return [whole[: len(whole) // 2], whole[len(whole) // 2 :]]
    if len(whole) == 1 and "text" in whole[0]:  # one of a list, in fragments of one index
        return [[whole[0] | {"text": half}] for half in _halves(whole[0]["text"])]
    return [[part] for part in whole]


def _openai(index: int, call: Wire) -> list[Wire]:
    """platform.openai.com/docs/guides/function-calling#streaming"""
    head, tail = _halves(call["function"]["arguments"])
    named = call | {"index": index, "function": call["function"] | {"arguments": ""}}
    return [named, *({"index": index, "function": {"arguments": a}} for a in (head, tail))]


def _dashscope(index: int, call: Wire) -> list[Wire]:
    """alibabacloud.com/help/en/model-studio/qwen-function-calling: an empty id, and a name that
    is null or empty, in all fragments but the first."""
    head, tail = _halves(call["function"]["arguments"])
    first = call | {"index": index, "function": call["function"] | {"arguments": head}}
    function = {"name": None, "arguments": tail}
    return [first, {"index": index, "id": "", "type": "function", "function": function}]


def _whole(index: int, call: Wire) -> list[Wire]:
    """Gemini: a call in one piece, and index 0 for each of several."""
    return [call | {"index": 0}]


FRAGMENTS = {"openai": _openai, "dashscope": _dashscope, "whole": _whole}


def _event(
    completion: Mapping[str, Any], delta: Wire, finish: str | None = None, **more: Any
) -> str:
    chunk = {
        "id": completion["id"],
        "object": "chat.completion.chunk",
        "model": completion["model"],
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        "usage": None,
    }
    return f"data: {json.dumps(chunk | more)}\n\n"
