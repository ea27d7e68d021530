"""What an endpoint refuses of a request: pure, by its spec."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from tests.models.conformance.requests import ResponsesRequest, chat_request
from tests.models.conformance.spec import Error, Spec, openai_error

SEAL = "sealed thought {}"


def refused(spec: Spec, path: str, body: Mapping[str, Any]) -> Error | None:
    """The error that the endpoint answers, if it does: of a field that it does not know, too."""
    if spec.no_tools and "tools" in body:
        return spec.no_tools
    if spec.only_streams and not body.get("stream"):
        return spec.only_streams
    chat = path.endswith("/chat/completions")
    try:
        (chat_request(spec) if chat else ResponsesRequest).model_validate(body)
    except ValidationError as error:
        where = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        return filled(spec.refuses, where)
    if body["model"] != spec.model:
        return openai_error(404, f"The model {body['model']!r} does not exist")
    return _too_much(spec, body) or (_talk if chat else _items)(spec, body)


def filled(error: Error, n: object) -> Error:
    return Error(error.status, json.loads(json.dumps(error.body).replace("{n}", _inside(n))))


def _inside(n: object) -> str:
    return json.dumps(str(n))[1:-1]


def _too_much(spec: Spec, body: Mapping[str, Any]) -> Error | None:
    limits = ("max_tokens", "max_completion_tokens", "max_output_tokens")
    limit = next((body[name] for name in limits if name in body), 0)
    if spec.output_cap and limit > spec.output_cap:
        said = f"max_tokens is too large: {limit}. This model supports at most {spec.output_cap}"
        return openai_error(400, f"{said} completion tokens, whereas you provided {limit}.")
    tokens = len(json.dumps(body.get("messages") or body.get("input"))) // 4
    return filled(spec.too_long, tokens) if tokens > spec.context else None


def _talk(spec: Spec, body: Mapping[str, Any]) -> Error | None:
    """What is wrong with the messages of a conversation, one with another."""
    messages: Sequence[Mapping[str, Any]] = body["messages"]
    roles = [message["role"] for message in messages]
    if roles[0] != "system" or "system" in roles[1:]:
        return openai_error(400, "System message must be at the beginning.")
    if spec.alternates and any(a == b for a, b in pairwise(roles)):
        return openai_error(400, "Conversation roles must alternate user/assistant/user/assistant")
    asked: set[str] = set()
    for number, message in enumerate(m for m in messages if m["role"] in {"assistant", "tool"}):
        if message["role"] == "tool":
            if message["tool_call_id"] not in asked:
                return openai_error(400, "A tool message answers no call.")
            asked.discard(message["tool_call_id"])
            continue
        asked |= {call["id"] for call in message.get("tool_calls") or []}
        if error := _assistant(spec, message):
            return openai_error(error.status, f"{error.body} (message {number})")
    return openai_error(400, f"No tool messages answer {asked}.") if asked else None


def _assistant(spec: Spec, message: Mapping[str, Any]) -> Error | None:
    calls = message.get("tool_calls") or []
    thought = spec.reasoning in message
    if spec.reasoning_back == "must_with_calls" and bool(calls) != thought:
        return openai_error(400, "The reasoning_content in the thinking mode must be passed back")
    for name, value in spec.message_extra.items():
        if message.get(name) != value:
            return openai_error(400, f"{name} is not what was served: {message.get(name)}")
    for call in calls:
        json.loads(call["function"]["arguments"])
        if any(call.get(name) != value for name, value in spec.call_extra.items()):
            return openai_error(400, "Function call is missing a thought_signature.")
    return None


def _items(spec: Spec, body: Mapping[str, Any]) -> Error | None:
    """What is wrong with the items of a conversation, one with another."""
    if not spec.seals and body.get("include"):
        return openai_error(400, "Encrypted content is not supported with this model.")
    items: Sequence[Mapping[str, Any]] = body["input"]
    kinds = [item["type"] for item in items]
    for kind, after in zip(kinds, [*kinds[1:], ""], strict=True):
        if kind == "reasoning" and after not in {"message", "function_call"}:
            return openai_error(400, "A reasoning item without its required following item.")
    seals = [item.get("encrypted_content") for item in items if item["type"] == "reasoning"]
    if spec.seals and seals != [SEAL.format(number) for number in range(turns_in(body))]:
        return openai_error(400, f"The encrypted content could not be verified: {seals}")
    results = [item["call_id"] for item in items if item["type"] == "function_call_output"]
    calls = [item["call_id"] for item in items if item["type"] == "function_call"]
    return None if calls == results else openai_error(400, f"No tool output found for {calls}.")


def turns_in(body: Mapping[str, Any]) -> int:
    """How many replies a conversation has so far."""
    if "messages" in body:
        return sum(message["role"] == "assistant" for message in body["messages"])
    return sum(item.get("role") == "assistant" for item in body["input"])
