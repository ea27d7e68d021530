"""Chat completions over HTTP. The only module that knows the endpoint's wire and its errors."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from swerun.errors import ContextLengthError, EndpointBusyError, EndpointError
from swerun.models.abandon import abandonable
from swerun.models.endpoints import Endpoint
from swerun.models.protocols import PROTOCOLS, Wire
from swerun.ports import Message, Tool
from swerun.records import Reply, Usage

if TYPE_CHECKING:
    from openai import OpenAI

BUSY = {408, 409, 425, 429, 500, 502, 503, 504, 529}
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
NO_KEY = "none"  # the client library wants some key, and a server that needs none ignores it


def connected(endpoint: Endpoint) -> OpenAI:
    """A client that tries nothing again by itself; to be closed by whoever asked for it.

    Of the environment it takes proxies and certificates (HTTPS_PROXY, SSL_CERT_FILE, ...), and
    for an endpoint on this machine not even those: a proxy would look for it on its own.
    """
    from openai import DefaultHttpxClient, OpenAI

    parts = urlsplit(endpoint.base_url)
    client = OpenAI(
        api_key=endpoint.api_key or NO_KEY,
        organization="",
        project="",
        base_url=parts._replace(query="", fragment="").geturl(),
        default_query=endpoint.query,
        timeout=endpoint.request_timeout,
        max_retries=0,
        http_client=DefaultHttpxClient(trust_env=False) if endpoint.is_local else None,
    )
    # the library fills these in from variables that were meant for another endpoint
    client.organization = client.project = None
    client._custom_headers = {}  # noqa: SLF001 -- of OPENAI_CUSTOM_HEADERS; there is no other way
    return client


@dataclass(frozen=True, slots=True)
class ChatModel:
    """One endpoint. `headers` go with each request of this conversation."""

    endpoint: Endpoint
    client: OpenAI
    tools: tuple[Tool, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()

    def reply(self, messages: Sequence[Message], *, deadline: float | None, cancel: Event) -> Reply:
        protocol = PROTOCOLS[self.endpoint.protocol]
        request = {
            "model": self.endpoint.model,
            "messages": protocol.send(messages),
            **protocol.offer(self.tools),
            **sampled(self.endpoint),
        }
        began = time.monotonic()
        body = abandonable(lambda: self._post(request), deadline=deadline, cancel=cancel)
        seconds = round(time.monotonic() - began, 3)
        read = completion_of(self.endpoint, body)
        said = PROTOCOLS[self.endpoint.protocol].read(read.message, read.finish, self.tools)
        return Reply(
            text=str(read.message.get("content") or ""),
            calls=said.calls,
            problem=said.problem,
            reasoning=str(
                read.message.get("reasoning_content") or read.message.get("reasoning") or ""
            ),
            finish_reason=read.finish,
            usage=read.usage,
            raw=said.raw,
            model=read.model,
            seconds=seconds,
            replay=read.replay,
        )

    def _post(self, request: Wire) -> object:
        from openai import APIConnectionError, APIStatusError, OpenAIError

        where, hushed = self.endpoint.where, self.endpoint.hushed
        extra = dict(self.endpoint.sampling.extra_body)
        try:
            response = self.client.chat.completions.with_raw_response.create(
                **request, extra_headers=dict(self.headers), extra_body=extra or None
            )
            text = response.text
        except APIConnectionError as error:  # a timeout is one too
            why = error.__cause__ or error
            raise EndpointBusyError(hushed(f"{where}: {type(why).__name__}: {why}")) from error
        except APIStatusError as error:
            raise refusal(
                self.endpoint, error.status_code, error.response.text, error.response.headers
            ) from error
        except OpenAIError as error:
            raise EndpointError(hushed(f"{where}: {error}")) from error
        return json_of(self.endpoint, text)


@dataclass(frozen=True, slots=True)
class Completion:
    """What a chat completion holds, as it was served. `replay` is the recorded endpoint's."""

    message: Mapping[str, Any]
    finish: str
    usage: Usage
    model: str
    replay: str | None


def json_of(endpoint: Endpoint, text: str) -> object:
    """The body of an answer; EndpointBusyError, with its words, where it is no JSON."""
    try:
        return _whole(json.loads(text))
    except (ValueError, RecursionError) as error:
        said = endpoint.hushed(text)[:300]
        raise EndpointBusyError(f"{endpoint.where} answered no JSON: {said!r}") from error


def completion_of(endpoint: Endpoint, body: object) -> Completion:
    """Raises EndpointBusyError, with the endpoint's words, for what is no completion."""
    answered: Any = body
    try:
        choice = answered["choices"][0]
        return Completion(
            message=dict(choice["message"].items()),
            finish=str(choice.get("finish_reason") or ""),
            usage=usage_of(answered.get("usage")),
            model=str(answered.get("model") or ""),
            replay=answered.get("swerun_replay"),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        said = endpoint.hushed(json.dumps(body, ensure_ascii=False))[:300]
        raise EndpointBusyError(f"{endpoint.where} answered no completion: {said}") from error


def sampled(endpoint: Endpoint) -> Wire:
    """The sampling that was given, and nothing that was not."""
    sampling = endpoint.sampling
    named = ("temperature", "top_p", "max_tokens", "seed")
    given = {name: getattr(sampling, name) for name in named}
    return {name: value for name, value in given.items() if value is not None}


def usage_of(served: object) -> Usage:
    """An endpoint's `usage`; one that does not say counts as one reply unreported."""
    if not isinstance(served, dict) or served.get("prompt_tokens") is None:
        return Usage(unreported=1)
    read, written = (
        served.get(key) if isinstance(served.get(key), dict) else {}
        for key in ("prompt_tokens_details", "completion_tokens_details")
    )
    try:
        return Usage(
            input_tokens=served["prompt_tokens"],
            cached_tokens=(read or {}).get("cached_tokens") or 0,
            output_tokens=served.get("completion_tokens") or 0,
            reasoning_tokens=(written or {}).get("reasoning_tokens") or 0,
        )
    except ValidationError:
        return Usage(unreported=1)


def refusal(
    endpoint: Endpoint, status: int, text: str, headers: Mapping[str, str]
) -> EndpointError:
    """What an HTTP error means: too long, too busy, or no."""
    words = f"{endpoint.where} answered {status}: {_words(endpoint.hushed(text))}"
    if status in {400, 413, 422, 500} and TOO_LONG.search(text):
        return ContextLengthError(words)
    if status in BUSY:
        return EndpointBusyError(words, _wait(headers.get("retry-after")))
    hints = {
        401: " Is the key right? --api-key-env NAME says which variable holds it.",
        403: " The key is known, and may not do this.",
        404: " Is the model's name right, and does the URL end in /v1?",
    }
    return EndpointError(words + hints.get(status, ""))


def _whole(body: object) -> object:
    """JSON can carry half of a surrogate pair, and neither a file nor a request can."""
    whole: object = json.loads(json.dumps(body, ensure_ascii=False).encode(errors="replace"))
    return whole


def _words(text: str) -> str:
    """The endpoint's own words, out of whatever they are wrapped in."""
    try:
        body = json.loads(text)
    except ValueError:
        return text[:500]
    error = body.get("error", body) if isinstance(body, dict) else body
    said = error.get("message") or error.get("detail") if isinstance(error, dict) else error
    return str(said or text)[:1000]


def _wait(header: str | None) -> float | None:
    """Retry-After: seconds, or a date (RFC 9110, 10.2.3)."""
    if not header:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - time.time()
        except ValueError:
            return None
    return max(0.0, seconds) if math.isfinite(seconds) else None
