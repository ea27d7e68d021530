"""A model behind an endpoint: one request of a conversation, and the reply to it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING, Any

from swerun.models import completions, responses
from swerun.models.abandon import Pulse, abandonable
from swerun.models.completions import Completion
from swerun.models.endpoints import Endpoint
from swerun.models.exchange import Request, posted, streamed
from swerun.models.presets import Quirks
from swerun.models.protocols import PROTOCOLS, Wire
from swerun.models.refusals import whole
from swerun.ports import Message, Tool
from swerun.records import Reply

if TYPE_CHECKING:
    from openai import OpenAI


SLACK = 1.0  # seconds more than the client's own limit, whose words are better


@dataclass(frozen=True, slots=True)
class Api:
    """A way to carry a conversation: where it goes, what a request and a reply look like."""

    path: str
    messages: str  # what a request calls them
    written: Callable[[Wire, Quirks], list[Wire]]  # one message
    settings: Callable[[Endpoint, Wire], Wire]  # all else of a request
    joined: Callable[[Endpoint, Iterable[object]], object]  # a stream, as one body
    read: Callable[[Endpoint, object], Completion]


APIS: Mapping[str, Api] = {
    "chat": Api(
        "/chat/completions",
        "messages",
        completions.messages_of,
        completions.settings,
        completions.joined,
        completions.completion_of,
    ),
    "responses": Api(
        "/responses",
        "input",
        responses.items_of,
        responses.settings,
        responses.joined,
        responses.completion_of,
    ),
}


Turn = tuple[Message, ...]  # what is one turn: a message, or all results of one reply's calls


def turns_of(messages: Sequence[Message]) -> list[Turn]:
    """Results stay together, because some protocols send those of one reply in one message."""
    turns: list[Turn] = []
    for message in messages:
        if message.role == "tool" and turns and turns[-1][0].role == "tool":
            turns[-1] = (*turns[-1], message)
        else:
            turns.append((message,))
    return turns


@dataclass(slots=True)
class Spoken:
    """A conversation as JSON, as far as it has been sent: it grows at its end, and to write all of
    it anew costs more than all else of a late step (benchmarks/step.py)."""

    pieces: tuple[tuple[Turn, bytes], ...] = ()

    def written(self, messages: Sequence[Message], write: Callable[[Turn], bytes]) -> bytes:
        """`messages` as the elements of a JSON array. Several threads may ask at once: each of
        them gets its own, and what is kept is that of the last."""
        turns, kept, same = turns_of(messages), self.pieces, 0
        for (before, _), turn in zip(kept, turns, strict=False):
            if len(before) != len(turn) or any(
                b is not m for b, m in zip(before, turn, strict=False)
            ):
                break
            same += 1
        self.pieces = pieces = kept[:same] + tuple((t, write(t)) for t in turns[same:])
        return b",".join(piece for _, piece in pieces if piece)


@dataclass(frozen=True, slots=True)
class ChatModel:
    """One endpoint. `headers` go with each request of this conversation."""

    endpoint: Endpoint
    client: OpenAI
    tools: tuple[Tool, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    spoken: Spoken = field(default_factory=Spoken, compare=False, repr=False)

    def reply(self, messages: Sequence[Message], *, deadline: float | None, cancel: Event) -> Reply:
        began = time.monotonic()
        read = self.ask(messages, self.settings(), deadline=deadline, cancel=cancel)
        seconds = round(time.monotonic() - began, 3)
        said = PROTOCOLS[self.endpoint.protocol].read(read.message, read.finish, self.tools)
        return Reply(
            text=str(read.message.get("content") or ""),
            calls=said.calls,
            problem=said.problem,
            reasoning=read.reasoning,
            finish_reason=read.finish,
            usage=read.usage,
            raw=with_what_goes_back(said.raw, read.back),
            model=read.model,
            seconds=seconds,
            replay=read.replay,
        )

    def settings(self) -> Wire:
        """All that the requests of a run hold, but for their messages."""
        offered = PROTOCOLS[self.endpoint.protocol].offer(self.tools)
        asked = APIS[self.endpoint.api].settings(self.endpoint, offered)
        return asked | dict(self.endpoint.sampling.extra_body)

    def ask(
        self,
        messages: Sequence[Message],
        settings: Mapping[str, Any],
        *,
        deadline: float | None,
        cancel: Event,
        timeout: float | None = None,
    ) -> Completion:
        """One request with `settings`, and what came back. Raises what `reply` does, each from the
        client's own error where there is one. `timeout` is in seconds, the endpoint's by default.
        """
        endpoint, api = self.endpoint, APIS[self.endpoint.api]
        seconds = timeout or endpoint.request_timeout
        body = self.body(messages, settings)
        request = Request(api.path, body, dict(self.headers), seconds)
        pulse = Pulse(seconds + SLACK, endpoint.stall_timeout, endpoint.where)

        def exchange() -> object:
            if endpoint.streams:
                events = streamed(self.client, endpoint, request, pulse)
                return whole(endpoint, api.joined(endpoint, events))
            return posted(self.client, endpoint, request)

        answered = abandonable(exchange, deadline=deadline, cancel=cancel, pulse=pulse)
        return api.read(endpoint, answered)

    def body(self, messages: Sequence[Message], settings: Mapping[str, Any]) -> bytes:
        """A request, as it is sent."""
        protocol, api = PROTOCOLS[self.endpoint.protocol], APIS[self.endpoint.api]
        quirks = self.endpoint.quirks

        def write(turn: Turn) -> bytes:
            wires = protocol.send(turn)
            return b",".join(_json(w) for wire in wires for w in api.written(wire, quirks))

        said = self.spoken.written(messages, write)
        return _json(settings)[:-1] + b',"%s":[%s]}' % (api.messages.encode(), said)


def with_what_goes_back(raw: Mapping[str, Any], back: Mapping[str, Any]) -> Wire:
    """An assistant's message as the protocol sends it back, with what its endpoint wants beside."""
    beside = {name: value for name, value in back.items() if name != "tool_calls"}
    calls = [
        {**more, **call}
        for call, more in zip(raw.get("tool_calls", ()), back.get("tool_calls", ()), strict=False)
    ]
    return {**beside, **raw, **({"tool_calls": calls} if calls else {})}


CALL_FIELDS = ("id", "type", "function")


def for_another(reply: Reply) -> Reply:
    """The same, for a model that has not said it: what goes back is what was said and called, with
    no thoughts and nothing that only the endpoint which served it understands."""
    calls = [{name: call[name] for name in CALL_FIELDS} for call in reply.raw.get("tool_calls", ())]
    raw = {name: reply.raw[name] for name in ("role", "content") if name in reply.raw}
    return reply.model_copy(update={"raw": raw | ({"tool_calls": calls} if calls else {})})


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
