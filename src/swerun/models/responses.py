"""The Responses API on the wire: conversations to its items, and its replies to completions. Pure.

Nothing is kept at the endpoint (`store: false`): each request carries all items, the reasoning
among them as it was served.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from swerun.errors import EndpointBusyError
from swerun.models.completions import Completion, sampled, usage_of
from swerun.models.endpoints import Endpoint
from swerun.models.presets import Quirks
from swerun.models.protocols import Wire
from swerun.models.refusals import no_reply, refusal_inside

SEALED = "reasoning.encrypted_content"
OUTPUT = "output"  # of an assistant's message: the items that it was served as


def settings(endpoint: Endpoint, offered: Wire) -> Wire:
    """All of a request but its items: the sampling that was given, and nothing that was not."""
    given = sampled(endpoint)
    asked: Wire = {"model": endpoint.model, "store": False}
    if endpoint.quirks.encrypts_reasoning:
        asked["include"] = [SEALED]
    if offered.get("tools"):
        asked["tools"] = [_tool(tool["function"]) for tool in offered["tools"]]
    asked |= {name: given[name] for name in ("temperature", "top_p") if name in given}
    if "max_tokens" in given:
        asked["max_output_tokens"] = given["max_tokens"]
    if "reasoning_effort" in given:
        asked["reasoning"] = {"effort": given["reasoning_effort"]}
    return asked | ({"stream": True} if endpoint.streams else {})


def _tool(function: Mapping[str, Any]) -> Wire:
    # chat completions do not hold a model to the schema unless told to; here the default is that
    return {"type": "function", **function, "strict": False}


def items_of(wire: Wire, quirks: Quirks) -> list[Wire]:  # noqa: ARG001 -- as for the other API
    """A message of a conversation as items."""
    if wire["role"] == "tool":
        call_id, text = wire["tool_call_id"], wire["content"]
        return [{"type": "function_call_output", "call_id": call_id, "output": text}]
    if wire["role"] != "assistant":
        return [{"type": "message", "role": wire["role"], "content": wire["content"]}]
    if OUTPUT not in wire:
        return _items(wire)
    items = list(_said_again(wire))
    while items and items[-1].get("type") == "reasoning":
        items.pop()  # with nothing after it a reasoning item is refused
    return items


def _items(wire: Wire) -> list[Wire]:
    said = [_message(wire["content"])] if wire.get("content") else []
    return said + [_call(call) for call in wire.get("tool_calls") or []]


def _message(text: str) -> Wire:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "role": "assistant", "content": content}


def _call(call: Mapping[str, Any]) -> Wire:
    function = call["function"]
    return {
        "type": "function_call",
        "call_id": call["id"],
        "name": function["name"],
        "arguments": function["arguments"],
    }


def _said_again(wire: Wire) -> Iterable[Wire]:
    """The items as they were served, with the text and the calls that the protocol sends back."""
    calls, text = iter(wire.get("tool_calls") or []), wire.get("content") or ""
    for item in wire[OUTPUT]:
        kind = item.get("type")
        if kind == "message":
            if text:
                yield item if _text(item) == text else _message(text)
            text = ""
        elif kind == "function_call":
            call = next(calls, None)
            if call is not None:
                yield {**item, **_call(call)}
        elif kind == "reasoning":
            yield item
    if text:
        yield _message(text)
    yield from (_call(call) for call in calls)


def completion_of(endpoint: Endpoint, body: object) -> Completion:
    """Raises EndpointBusyError, with the endpoint's words, for what is no reply."""
    answered: Any = body
    try:
        if answered.get("error") or answered.get("status") == "failed":
            raise refusal_inside(endpoint, answered.get("error") or answered)
        output = [item for item in answered["output"] if isinstance(item, dict)]
        finish = _finish(answered, output)
    except (KeyError, TypeError, AttributeError) as error:
        raise no_reply(endpoint, body) from error
    if not finish:
        raise no_reply(endpoint, body)
    calls = [
        {"id": item.get("call_id"), "type": "function", "function": item}
        for item in output
        if item.get("type") == "function_call"
    ]
    said = "".join(_text(item) for item in output if item.get("type") == "message")
    thought = "\n\n".join(_text(item) for item in output if item.get("type") == "reasoning")
    message = {"role": "assistant", "content": said, "tool_calls": calls or None}
    return Completion(
        message=message,
        finish=finish,
        usage=usage_of(answered.get("usage")),
        model=str(answered.get("model") or ""),
        reasoning=thought,
        back={OUTPUT: output},
    )


def _finish(answered: Mapping[str, Any], output: Sequence[Mapping[str, Any]]) -> str:
    """How it ended, in the words of chat completions; "" for what has not."""
    if answered.get("status") == "incomplete":
        reason = (answered.get("incomplete_details") or {}).get("reason")
        return "length" if reason == "max_output_tokens" else str(reason or "incomplete")
    if answered.get("status", "completed") != "completed":
        return ""
    return "tool_calls" if any(i.get("type") == "function_call" for i in output) else "stop"


def _text(item: Mapping[str, Any]) -> str:
    """Of a message what it says; of reasoning the summary, or the text of those that show it."""
    parts = [*(item.get("summary") or []), *(item.get("content") or [])]
    texts = [p.get("text") or p.get("refusal") or "" for p in parts if isinstance(p, dict)]
    return "".join(str(text) for text in texts)


def joined(endpoint: Endpoint, events: Iterable[object]) -> object:
    """The response that a stream ends in. Some leave out of its end the items that came before.

    Raises EndpointBusyError for a stream that ends before the reply does.
    """
    items: list[object] = []
    for event in events:
        if not isinstance(event, dict):
            continue
        kind, response = event.get("type"), event.get("response")
        if kind is None and OUTPUT in event:  # not in parts at all
            return event
        if kind == "error":
            raise refusal_inside(endpoint, event.get("error") or event)
        if kind == "response.output_item.done":
            items.append(event.get("item"))
        if kind in ENDS and isinstance(response, dict):
            return response if response.get("output") else response | {"output": items}
    raise EndpointBusyError(f"{endpoint.where} ended its stream before the reply was whole")


ENDS = {"response.completed", "response.incomplete", "response.failed"}
