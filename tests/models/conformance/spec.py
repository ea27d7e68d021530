"""What an endpoint is documented to do, as data; `server.py` does it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from swerun.records import Sampling

MODEL_ONLY = frozenset({"model", "messages", "stream"})
USUAL = MODEL_ONLY | {"tools", "temperature", "top_p", "max_tokens", "seed", "stream_options"}
ALL = Sampling(temperature=0.2, top_p=0.9, max_tokens=512, seed=7)


@dataclass(frozen=True, slots=True)
class Error:
    """An answer that is none. `{n}` in it is the number of tokens that were too many."""

    status: int
    body: Any


def openai_error(status: int, message: str, code: str | None = None) -> Error:
    kind = "invalid_request_error" if status < 500 else "server_error"
    return Error(status, {"error": {"message": message, "type": kind, "code": code}})


def vllm_error(status: int, message: str) -> Error:
    kind = "BadRequestError" if status < 500 else "InternalServerError"
    return Error(status, {"object": "error", "message": message, "type": kind, "code": status})


@dataclass(frozen=True, slots=True)
class Spec:
    """One model at one endpoint. `source` is where it is documented.

    `takes` are the fields of a request that it knows and `assistant_takes` those of an assistant's
    message beside role, content and tool_calls; any other is refused as `refuses` says. `tools` is
    how a call comes back: parsed, as text of its own (`hermes`, `qwen3_coder`), or not at all, and
    then `no_tools` is how they are refused.
    """

    name: str
    prefix: str
    model: str
    source: str
    takes: frozenset[str] = USUAL
    assistant_takes: frozenset[str] = frozenset()
    refuses: Error = field(default_factory=lambda: openai_error(400, "Unrecognized argument: {n}"))
    sampling: Sampling = ALL
    tools: Literal["parsed", "hermes", "qwen3_coder", "none"] = "parsed"
    no_tools: Error | None = None
    fragments: Literal["openai", "dashscope", "whole"] = "openai"  # of a call in a stream
    usage_in_stream: Literal["asked", "always"] = "asked"
    only_streams: Error | None = None
    context: int = 100_000  # tokens
    too_long: Error = field(
        default_factory=lambda: openai_error(
            400,
            "This model's maximum context length is 8192 tokens. However, your messages resulted in"
            " {n} tokens. Please reduce the length of the messages.",
            "context_length_exceeded",
        )
    )
    output_cap: int | None = None
    reasoning: str = ""  # the field it serves its reasoning in
    reasoning_back: Literal["may", "must_with_calls", "must_not"] = "may"
    call_extra: Mapping[str, Any] = field(default_factory=dict)  # must come back with its call
    message_extra: Mapping[str, Any] = field(default_factory=dict)  # must come back, too
    responses: bool = False
    seals: bool = False  # Responses: its reasoning is sealed, and asking others for that is refused
    alternates: bool = False  # its chat template wants user and assistant in turn
    busy: Error = field(default_factory=lambda: openai_error(429, "Rate limit reached."))

    def __str__(self) -> str:
        return self.name
