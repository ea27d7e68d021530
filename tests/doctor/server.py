"""A server of models in one of many moods: what it lists and tells of itself, how it replies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.models.endpoint import (
    Asked,
    Handler,
    Said,
    Server,
    chunk,
    completion,
    parts,
    refused,
    running,
)
from tests.models.test_protocols import a_call

NAME = "some-model"


@dataclass
class Mood:
    """`pages` are what GET and POST find beside completions; the rest is how it completes."""

    pages: Mapping[str, object] = field(default_factory=dict)
    calls: str = "native"  # or a text; or "refused"
    context: int | None = None  # tokens, beyond which it refuses, in vLLM's words
    truncates: int | None = None  # tokens, beyond which it forgets, without a word
    cap: int | None = None  # tokens of a reply, beyond which it refuses, in OpenAI's words
    streams: bool = True
    counts: bool = True
    caches: bool = True
    key: str | None = None
    read: set[str] = field(default_factory=set)

    def answer(self, asked: Asked) -> Said:
        if self.key and asked.headers.get("authorization") != f"Bearer {self.key}":
            return refused(401, "Incorrect API key provided.")
        path = asked.path.partition("?")[0]
        if path != "/v1/chat/completions":
            page = self.pages.get(path)
            return Said(page) if page is not None else refused(404, "Not Found")
        return self.complete(asked.body)

    def complete(self, body: Mapping[str, Any]) -> Said:
        prompt = body["messages"][0]["content"]
        tokens, wanted = len(prompt) // 2, body.get("max_tokens", 0)
        if self.context and tokens + wanted > self.context:
            return refused(400, f"This model's maximum context length is {self.context} tokens. "
                                f"However, you requested {tokens + wanted} tokens.")  # fmt: skip
        if self.cap and wanted > self.cap:
            return refused(400, f"max_tokens is too large: {wanted}. This model supports at most "
                                f"{self.cap} completion tokens.")  # fmt: skip
        usage = self.usage(prompt, min(tokens, self.truncates or tokens), wanted)
        if body.get("tools"):
            return self.call(usage)
        if body.get("stream"):
            if not self.streams:
                return refused(400, "Streams are not supported.")
            return parts(chunk(role="assistant", content="ok"), chunk("stop"), {"usage": usage})
        return completion({"role": "assistant", "content": "ok"}, usage=usage)

    def usage(self, prompt: str, tokens: int, wanted: int) -> dict[str, Any] | None:
        if not self.counts:
            return None
        cached = tokens - 10 if self.caches and prompt in self.read else 0
        self.read.add(prompt)
        return {
            "prompt_tokens": tokens,
            "completion_tokens": min(wanted, 100),
            "prompt_tokens_details": {"cached_tokens": cached},
        }

    def call(self, usage: object) -> Said:
        if self.calls == "refused":
            return refused(400, '"auto" tool choice requires --enable-auto-tool-choice')
        if self.calls == "native":
            message = {"role": "assistant", "content": None, "tool_calls": [a_call()]}
            return completion(message, finish="tool_calls", usage=usage)
        return completion({"role": "assistant", "content": self.calls}, usage=usage)


class Telling(Handler):
    def do_GET(self) -> None:  # noqa: N802 -- its name
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, None)
        self._say(self.server.next_answer(asked)(asked), asked)


@contextmanager
def in_mood(mood: Mood) -> Iterator[Server]:
    server = Server((mood.answer,))
    server.RequestHandlerClass = Telling
    with running(server):
        yield server


def listing(*ids: str, **more: object) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model", **more} for name in ids]}


def vllm(**more: Any) -> Mood:
    served = {"/v1/models": listing(NAME, max_model_len=65_536)}
    return Mood(**{"pages": served, "context": 65_536, **more})


def llamacpp(n_ctx: int, **more: Any) -> Mood:
    trained = {"n_ctx_train": 131_072}
    props = {"default_generation_settings": {"n_ctx": n_ctx}, "total_slots": 4}
    return Mood(pages={"/v1/models": listing(NAME, meta=trained), "/props": props}, **more)


def ollama(context: int | None, num_ctx: int | None = None, **more: Any) -> Mood:
    name = f"{NAME}:latest"
    pages: dict[str, Any] = {"/v1/models": listing(name)}
    if context:
        pages["/api/ps"] = {"models": [{"name": name, "context_length": context}]}
    lines = [f"num_ctx    {num_ctx}"] if num_ctx else ["temperature 0.7"]
    pages["/api/show"] = {"parameters": "\n".join(lines), "model_info": {}}
    return Mood(pages=pages, **more)


def openai(**more: Any) -> Mood:
    return Mood(pages={"/v1/models": listing(NAME, "other")}, cap=4096, **more)
