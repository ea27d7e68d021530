"""Chat completions as they are on the wire: what a request holds, what a reply means. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from swerun.errors import EndpointBusyError
from swerun.models.endpoints import Endpoint
from swerun.models.presets import Quirks
from swerun.models.protocols import Wire
from swerun.models.refusals import no_reply, refusal_inside
from swerun.records import Usage

REASONING = ("reasoning_content", "reasoning")  # by either name, and back by the same
FRAGMENTS = {"text", "summary", "data"}  # what grows, of an element that comes in fragments
SETTINGS = ("temperature", "top_p", "max_tokens", "seed", "reasoning_effort")


@dataclass(frozen=True, slots=True)
class Completion:
    """What a reply holds, as a chat completion's message whatever served it.

    `back` is what goes back of it beside what all endpoints take; `replay` is the recorded
    endpoint's.
    """

    message: Mapping[str, Any]
    finish: str
    usage: Usage
    model: str
    reasoning: str = ""
    back: Mapping[str, Any] = field(default_factory=dict)
    replay: str | None = None


def settings(endpoint: Endpoint, offered: Wire) -> Wire:
    """All of a request but its messages: the sampling that was given, and nothing that was not."""
    quirks = endpoint.quirks
    named = {quirks.names.get(name, name): value for name, value in sampled(endpoint).items()}
    asked: Wire = {"model": endpoint.model, **offered, **named}
    if endpoint.streams:
        asked["stream"] = True
        if quirks.asks_usage:
            asked["stream_options"] = {"include_usage": True}
    return asked


def sampled(endpoint: Endpoint) -> Wire:
    given = {name: getattr(endpoint.sampling, name) for name in SETTINGS}
    return {name: value for name, value in given.items() if value is not None}


def messages_of(wire: Wire, quirks: Quirks) -> list[Wire]:
    """A message of a conversation, less the reasoning where the endpoint does not take it back."""
    back = quirks.reasoning_back
    if back == "always" or (back == "with_calls" and wire.get("tool_calls")):
        return [wire]
    return [{name: value for name, value in wire.items() if name not in REASONING}]


def completion_of(endpoint: Endpoint, body: object) -> Completion:
    """Raises EndpointBusyError, with the endpoint's words, for what is no completion."""
    answered: Any = body
    try:
        choice = answered["choices"][0]
        message = dict(choice["message"].items())
        finish = str(choice.get("finish_reason") or "")
        usage, model = usage_of(answered.get("usage")), str(answered.get("model") or "")
        replay = answered.get("swerun_replay")
        if choice.get("error") or finish == "error":  # OpenRouter, of what failed on its way
            raise refusal_inside(endpoint, choice.get("error") or "the reply failed")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise no_reply(endpoint, body) from error
    text, thought = spoken(message.get("content"))
    reasoning = next((message[name] for name in REASONING if message.get(name)), thought)
    return Completion(
        message=message | {"content": text},
        finish=finish,
        usage=usage,
        model=model,
        reasoning=str(reasoning),
        back=_back(endpoint.quirks, message),
        replay=replay,
    )


def spoken(content: object) -> tuple[str, str]:
    """What a message says, and what was thought before: most serve a text, some (Mistral) a list
    of parts."""
    if not isinstance(content, list):
        return str(content or ""), ""
    parts = [part for part in content if isinstance(part, dict)]
    said = "".join(str(part.get("text") or "") for part in parts)
    thoughts = [part["thinking"] for part in parts if part.get("thinking")]
    return said, "".join(spoken(each)[0] for each in thoughts)


def _back(quirks: Quirks, message: Mapping[str, Any]) -> Wire:
    back: Wire = {name: message[name] for name in quirks.message_fields if message.get(name)}
    calls = message.get("tool_calls")
    if quirks.call_fields and isinstance(calls, list):
        back["tool_calls"] = [
            {name: call[name] for name in quirks.call_fields if name in call}
            if isinstance(call, dict)
            else {}
            for call in calls
        ]
    return back


def usage_of(served: object) -> Usage:
    """An endpoint's `usage`, by the names of either API; one that does not say counts as one reply
    unreported."""
    given = served if isinstance(served, dict) else {}
    read = given.get("prompt_tokens", given.get("input_tokens"))
    if read is None:
        return Usage(unreported=1)
    reading = _details(given, "prompt_tokens_details", "input_tokens_details")
    writing = _details(given, "completion_tokens_details", "output_tokens_details")
    # DeepSeek has its own name for what came out of the cache
    cached = reading.get("cached_tokens") or given.get("prompt_cache_hit_tokens")
    try:
        return Usage(
            input_tokens=read,
            cached_tokens=cached or 0,
            output_tokens=given.get("completion_tokens", given.get("output_tokens")) or 0,
            reasoning_tokens=writing.get("reasoning_tokens") or 0,
        )
    except ValidationError:
        return Usage(unreported=1)


def _details(served: Wire, *names: str) -> Wire:
    return next((served[name] for name in names if isinstance(served.get(name), dict)), {})


def joined(endpoint: Endpoint, chunks: Iterable[object]) -> object:
    """The completion whose stream `chunks` are, as it would have been served in one piece.

    Raises EndpointBusyError for a stream that ends before the reply does. One that fails after it
    is a reply, whose usage may be missing: to ask again would be to pay twice.
    """
    message = _Message()
    try:
        for chunk in chunks:
            if isinstance(chunk, dict) and chunk.get("error"):
                raise refusal_inside(endpoint, chunk["error"])
            message.add(chunk)
    except EndpointBusyError:
        if not message.finish:
            raise
    if not message.finish:
        raise EndpointBusyError(f"{endpoint.where} ended its stream before the reply was whole")
    choice = {"message": message.made(), "finish_reason": message.finish}
    return {"model": message.model, "usage": message.usage, "choices": [choice]}


@dataclass(slots=True)
class _Message:
    """An assistant's message on its way, and what came with it."""

    finish: str = ""
    model: str = ""
    usage: object = None
    texts: dict[str, list[str]] = field(default_factory=dict)
    lists: dict[str, list[object]] = field(default_factory=dict)
    calls: list[Wire] = field(default_factory=list)
    by_index: dict[int | None, int] = field(default_factory=dict)

    def add(self, chunk: object) -> None:
        if not isinstance(chunk, dict):
            return
        self.model = self.model or chunk.get("model") or ""
        self.usage = chunk.get("usage") or self.usage  # some count up with each part
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if isinstance(choice, dict):
            self.usage = choice.get("usage") or self.usage
            self.finish = choice.get("finish_reason") or self.finish
            self._add_delta(choice.get("delta") or choice.get("message"))

    def _add_delta(self, delta: object) -> None:
        if not isinstance(delta, dict):
            return
        for name, value in delta.items():
            if name == "tool_calls" and isinstance(value, list):
                for part in value:
                    self._add_call(part)
            elif name == "content" and isinstance(value, list):
                said, thought = spoken(value)
                self.texts.setdefault("content", []).append(said)
                self.texts.setdefault(REASONING[0], []).append(thought)
            elif name in {"content", *REASONING} and isinstance(value, str):
                self.texts.setdefault(name, []).append(value)
            elif isinstance(value, list):
                self.lists.setdefault(name, []).extend(value)

    def _add_call(self, part: object) -> None:
        """Fragments of one call share an index; some servers give none, or the same to all, and
        tell calls apart by their ids."""
        if not isinstance(part, dict):
            return
        index = part["index"] if isinstance(part.get("index"), int) else None
        given = part.get("id")
        at = self.by_index.get(index)
        if at is None or (given and self.calls[at]["id"] not in {"", given}):
            at = self.by_index[index] = len(self.calls)
            kept = {k: v for k, v in part.items() if k not in {"index", "id", "function"}}
            function: Wire = {"name": "", "arguments": ""}
            self.calls.append(kept | {"id": "", "type": "function", "function": function})
        call, inner = self.calls[at], part.get("function")
        call["id"] = call["id"] or given or ""
        if isinstance(inner, dict):
            call["function"]["name"] = call["function"]["name"] or inner.get("name") or ""
            call["function"]["arguments"] += _as_text(inner.get("arguments"))

    def made(self) -> Wire:
        texts = {name: "".join(parts) for name, parts in self.texts.items() if any(parts)}
        calls = {"tool_calls": self.calls} if self.calls else {}
        lists = {name: _put_together(parts) for name, parts in self.lists.items()}
        return {"role": "assistant", "content": "", **lists, **texts, **calls}


def _put_together(parts: Sequence[object]) -> list[object]:
    """A list whose elements come in fragments (OpenRouter's `reasoning_details`): those with one
    type and one index are one."""
    made: list[object] = []
    at: dict[tuple[str, int], Wire] = {}
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("index"), int):
            made.append(part)
            continue
        key = (str(part.get("type")), part["index"])
        if key not in at:
            at[key] = dict(part)
            made.append(at[key])
            continue
        for name, value in part.items():
            before = at[key].get(name)
            grows = name in FRAGMENTS and isinstance(before, str) and isinstance(value, str)
            at[key][name] = before + value if grows else value if value is not None else before
    return made


def _as_text(arguments: object) -> str:
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return json.dumps(arguments, ensure_ascii=False)
