"""Wire formats of a conversation, pure: ours to the endpoint's, and its replies to calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swerun.models.protocols import fenced, native, tagged
from swerun.models.protocols.calls import Read, Wire
from swerun.ports import Message, Tool

__all__ = ["PROTOCOLS", "Protocol", "Read", "Wire", "protocol_of"]


@dataclass(frozen=True, slots=True)
class Protocol:
    """How tools are offered, how a conversation is sent, how a reply is read."""

    offer: Callable[[Sequence[Tool]], Wire]
    send: Callable[[Sequence[Message]], list[Wire]]
    read: Callable[[Mapping[str, Any], str, Sequence[Tool]], Read]


def _offer_nothing(tools: Sequence[Tool]) -> Wire:  # noqa: ARG001 -- the prompt says what there is
    return {}


PROTOCOLS: Mapping[str, Protocol] = {
    "tools": Protocol(native.offer, native.send, native.read),
    "text": Protocol(_offer_nothing, fenced.send, fenced.read),
    "hermes": Protocol(_offer_nothing, tagged.send, tagged.reading("hermes")),
    "qwen-xml": Protocol(_offer_nothing, tagged.send, tagged.reading("qwen-xml")),
}


def protocol_of(message: Mapping[str, Any]) -> str:
    """The protocol by which a message that was to be a call is one; `text` for mere words.

    Its call may have been cut off: how it begins is enough.
    """
    if native.served(message):
        return "tools"
    return tagged.form_of(str(message.get("content") or "")) or "text"
