"""What servers tell of their limits, by the names that each of them has for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

# of an entry of /v1/models: vLLM and SGLang; OpenRouter and Together; Groq; Mistral and LM Studio;
# Gemini. What llama.cpp has there (meta.n_ctx_train) is the model's, and not what is served of it.
CONTEXT = (
    "max_model_len",
    "loaded_context_length",
    "context_length",
    "context_window",
    "max_context_length",
    "inputTokenLimit",
)
CAP = ("max_completion_tokens", "max_output_length", "outputTokenLimit")  # OpenRouter, Groq; Gemini
NUMBER = re.compile(r"\d[\d,]*")
LEAST = 256  # what is less is no limit but a status, a version, the length of a question
NUM_CTX = re.compile(r"^num_ctx\s+(\d+)", re.MULTILINE)  # of ollama's Modelfile
ABOUT_CONTEXT = re.compile(r"context|max_model_len", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Told:
    """Tokens; None where a server does not say. `where` is what it was read from."""

    context: int | None = None
    cap: int | None = None
    where: str = ""


def ids_in(listing: object) -> list[str]:
    """The models that `/v1/models` lists."""
    return [str(entry["id"]) for entry in _entries(listing, "data") if entry.get("id")]


def listed(listing: object, model: str) -> str | None:
    """The model's id in the list, where it has one: some add a tag or a folder to the name."""
    ids = ids_in(listing)
    same = (one for one in ids if one == model)
    alike = (
        one for one in ids if one.removesuffix(":latest") == model or one.endswith(f"/{model}")
    )
    return next(same, None) or next(alike, None)


def of_entry(listing: object, model: str) -> Told:
    """What the model's entry in `/v1/models` tells."""
    entry = next((e for e in _entries(listing, "data") if str(e.get("id")) == model), {})
    top = entry.get("top_provider")
    inner = top if isinstance(top, dict) else {}
    return Told(_number(entry, CONTEXT), _number(inner, CAP) or _number(entry, CAP), "/v1/models")


def of_loaded(listing: object, model: str) -> Told:
    """LM Studio's /api/v0/models: what the model was loaded with, not what it could be."""
    return replace(of_entry(listing, model), where="/api/v0/models")


def of_props(props: object) -> Told:
    """llama.cpp's /props: a slot's share of the context, which is all that one conversation has."""
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    given = settings if isinstance(settings, dict) else {}
    return Told(_number(given, ("n_ctx",)), where="/props")


def of_running(running: object, model: str) -> Told:
    """ollama's /api/ps: what the model was loaded with."""
    for entry in _entries(running, "models"):
        names = {str(entry.get(name)).removesuffix(":latest") for name in ("name", "model")}
        if model.removesuffix(":latest") in names:
            return Told(_number(entry, ("context_length",)), where="/api/ps")
    return Told()


def of_modelfile(shown: object) -> Told:
    """ollama's /api/show: what the model will be loaded with, if its Modelfile says so."""
    text = shown.get("parameters") if isinstance(shown, dict) else None
    found = NUM_CTX.search(text) if isinstance(text, str) else None
    return Told(int(found[1]) if found else None, where="/api/show")


def of_refusal(text: str, asked: int) -> Told:
    """What an endpoint says when it is asked for more tokens than it gives.

    "This model supports at most 4096 completion tokens" (OpenAI), "maximum context length is 32768
    tokens" (vLLM), "Range of max_tokens should be [1, 8192]" (DashScope), "100000 > 8192, which is
    the maximum allowed number of output tokens" (Anthropic).
    """
    numbers = [int(number.replace(",", "")) for number in NUMBER.findall(text)]
    limits = [number for number in numbers if LEAST <= number < asked]
    if not limits:
        return Told()
    largest, where = max(limits), "its refusal of more"
    if ABOUT_CONTEXT.search(text):
        return Told(context=largest, where=where)
    return Told(cap=largest, where=where)


def _entries(listing: object, name: str) -> Iterator[Mapping[str, Any]]:
    entries = listing.get(name) if isinstance(listing, dict) else None
    if isinstance(entries, list):
        yield from (entry for entry in entries if isinstance(entry, dict))


def _number(given: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    for name in names:
        value = given.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return None
