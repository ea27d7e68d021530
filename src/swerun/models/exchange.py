"""HTTP to and fro. The only module that knows the client library and its errors."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from swerun.errors import EndpointBusyError, EndpointDownError, EndpointError
from swerun.models.abandon import Pulse
from swerun.models.endpoints import Endpoint
from swerun.models.refusals import json_of, refusal, refusal_inside

if TYPE_CHECKING:
    from httpx2 import Response
    from openai import OpenAI, RequestOptions, Stream

NO_KEY = "none"  # the client library wants some key, and a server that needs none ignores it
UNREACHED = {"ConnectError", "ConnectTimeout"}  # httpx's: refused, no such host, no way there


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
        http_client=DefaultHttpxClient(
            trust_env=not endpoint.is_local, event_hooks={"response": [_read_if_no_stream]}
        ),
    )
    # the library fills these in from variables that were meant for another endpoint
    client.organization = client.project = None
    client._custom_headers = {}  # noqa: SLF001 -- of OPENAI_CUSTOM_HEADERS; there is no other way
    return client


def _read_if_no_stream(response: Response) -> None:
    """What comes in place of a stream is read here, where the library translates what goes wrong
    with it."""
    if response.is_error or _is_json(response):
        response.read()


def _is_json(response: Response) -> bool:
    return "json" in response.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class Request:
    """What goes out: a body that is JSON already, so that the library does not copy it and check
    it key by key, which takes longer than all else (benchmarks/step.py)."""

    path: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str]
    timeout: float  # seconds

    @property
    def options(self) -> RequestOptions:
        return {"headers": dict(self.headers), "timeout": self.timeout}


def posted(client: OpenAI, endpoint: Endpoint, request: Request) -> object:
    """The JSON that the endpoint answers. Raises EndpointError and its kinds."""
    with _translated(endpoint):
        text = client.post(
            request.path,
            cast_to=str,
            content=request.body,
            options=request.options,
        )
    return json_of(endpoint, text)


def streamed(
    client: OpenAI, endpoint: Endpoint, request: Request, pulse: Pulse
) -> Iterator[object]:
    """The events of an answer that comes in parts, each with a beat of `pulse`.

    Raises as `posted` does.
    """
    from openai import Stream

    with _translated(endpoint):
        stream = client.post(
            request.path,
            cast_to=object,
            content=request.body,
            options=request.options,
            stream=True,
            stream_cls=Stream[object],
        )
        pulse.hang_up = lambda: _hang_up(stream)
        with stream:
            if _is_json(stream.response):  # some know no streams, and do not say so
                yield json_of(endpoint, stream.response.text)
                return
            for event in stream:
                pulse.beat()
                yield event


def _hang_up(stream: Stream[object]) -> None:
    """End a read that is under way on another thread, and with it what the server is writing."""
    wire = stream.response.extensions["network_stream"].get_extra_info("socket")
    try:
        wire.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it is gone already


@contextmanager
def _translated(endpoint: Endpoint) -> Iterator[None]:
    from openai import APIConnectionError, APIError, APIStatusError, OpenAIError

    where, hushed = endpoint.where, endpoint.hushed
    try:
        yield
    except APIConnectionError as error:  # a timeout is one too
        why = error.__cause__ or error
        kind = EndpointDownError if type(why).__name__ in UNREACHED else EndpointBusyError
        raise kind(hushed(f"{where}: {type(why).__name__}: {why}")) from error
    except APIStatusError as error:
        raise refusal(
            endpoint, error.status_code, error.response.text, error.response.headers
        ) from error
    except APIError as error:  # in the middle of a stream
        raise refusal_inside(endpoint, error.body) from error
    except OpenAIError as error:
        raise EndpointError(hushed(f"{where}: {error}")) from error
    except (ValueError, RecursionError) as error:  # of a stream's JSON
        raise EndpointBusyError(hushed(f"{where} sent a part that is no JSON: {error}")) from error


def fetched(
    client: OpenAI, endpoint: Endpoint, path: str, body: Mapping[str, Any] | None, timeout: float
) -> object:
    """The JSON that a server tells about itself, at a path of its URL or at a whole URL; asked for
    by POST where there is a `body`. Raises EndpointError and its kinds."""
    with _translated(endpoint):
        options: Any = {"timeout": timeout}
        if body is None:
            text = client.get(path, cast_to=str, options=options)
        else:
            text = client.post(path, cast_to=str, body=dict(body), options=options)
    return json_of(endpoint, text)
