"""What an endpoint's failures mean: too long, too busy, or no. In its own words, less the key."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from swerun.errors import (
    ContextLengthError,
    EndpointBusyError,
    EndpointDownError,
    EndpointError,
    EndpointShutError,
    RateLimitError,
)
from swerun.models.endpoints import Endpoint

BUSY = {408, 409, 425, 429, 500, 502, 503, 504, 529}
DOWN = {502, 503, 529}  # of a gateway, of a server that loads or has no room, Anthropic's overload
SHUT = {401, 402, 403}
# a 429 that no waiting ends (OpenAI's code), and a 403 that is about one conversation (OpenRouter)
NO_MONEY = re.compile(r"insufficient_quota")
MODERATED = re.compile(r"moderation|flagged", re.IGNORECASE)
TOO_LONG = re.compile(
    r"maximum context length"  # OpenAI, vLLM, DeepSeek
    r"|longer than the maximum model length"  # vLLM's engine
    r"|longer than the model's context length"  # SGLang
    r"|exceeds? the (?:available )?context|context size has been exceeded"  # llama.cpp
    r"|exceed(?:s|ed)? context|context window"  # llama-cpp-python
    r"|prompt is too long"  # Anthropic
    r"|range of input length should be"  # DashScope
    r"|context_length_exceeded|exceed_context_size_error",  # codes: OpenAI's, llama.cpp's
    re.IGNORECASE,
)
STREAMS_ONLY = re.compile(r"only supports? stream|for non-streaming calls", re.IGNORECASE)
HINTS = {
    401: " Is the key right? --api-key-env NAME says which variable holds it.",
    402: " The account has nothing left to pay with.",
    403: " The key is known, and may not do this.",
    404: " Is the model's name right, and does the URL end in /v1?",
}


def refusal(
    endpoint: Endpoint, status: int, text: str, headers: Mapping[str, str]
) -> EndpointError:
    """What an HTTP error means."""
    words = f"{endpoint.where} answered {status}: {_words(endpoint, text)}"
    if status in {400, 413, 422, 500} and TOO_LONG.search(text):
        return ContextLengthError(words)
    if status in SHUT and not (status == 403 and MODERATED.search(text)):
        return EndpointShutError(words + HINTS[status])
    if status == 429 and NO_MONEY.search(text):
        return EndpointShutError(words + HINTS[402])
    if status in BUSY:
        kind = RateLimitError if status == 429 else EndpointBusyError
        kind = EndpointDownError if status in DOWN else kind
        return kind(words, _wait(headers))
    hint = " --stream asks for it so." if STREAMS_ONLY.search(text) else HINTS.get(status, "")
    return EndpointError(words + hint)


def refusal_inside(endpoint: Endpoint, error: object) -> EndpointError:
    """What an error means that came in place of a reply, after the status had said that all is
    well: it is the server's trouble, but where its code is another status."""
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return refusal(endpoint, status, json.dumps({"error": error}, ensure_ascii=False), {})


def json_of(endpoint: Endpoint, text: str) -> object:
    """The body of an answer; EndpointBusyError, with its words, where it is no JSON."""
    try:
        return whole(endpoint, json.loads(text))
    except (ValueError, RecursionError) as error:
        said = endpoint.hushed(text)[:300]
        raise EndpointBusyError(f"{endpoint.where} answered no JSON: {said!r}") from error


def no_reply(endpoint: Endpoint, body: object) -> EndpointBusyError:
    """JSON that is no reply."""
    said = endpoint.hushed(json.dumps(body, ensure_ascii=False))[:300]
    return EndpointBusyError(f"{endpoint.where} answered no completion: {said}")


def whole(endpoint: Endpoint, body: object) -> object:
    """JSON can carry half of a surrogate pair, which neither a file nor a request can; and some
    endpoints put what they were sent into what they answer."""
    text = endpoint.hushed_reply(json.dumps(body, ensure_ascii=False))
    mended: object = json.loads(text.encode(errors="replace"))
    return mended


def _words(endpoint: Endpoint, text: str) -> str:
    """The endpoint's own words, out of whatever they are wrapped in."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return endpoint.hushed(text)[:500]
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return endpoint.hushed(str(said or text))[:1000]


def _wait(headers: Mapping[str, str]) -> float | None:
    """Retry-After: seconds, or a date (RFC 9110, 10.2.3), which is by the server's own clock."""
    header = headers.get("retry-after")
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = _moment(header) - (_moment(headers.get("date", "")) or time.time())
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _moment(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() if date else 0.0
