"""Small requests that find out, before anything is started, whether an endpoint would do its work.

The first is what a run sends, tools and sampling and all, but for a question of two words and a
lower limit on tokens. Where a limit was given, a second one carries it as it is: one that is larger
than the context has every request of a run refused. It ends after a few seconds, because limits
are checked before anything is written: an endpoint that is still writing has taken it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from threading import Event
from typing import TYPE_CHECKING

from swerun.errors import ContextLengthError, EndpointBusyError, EndpointError
from swerun.models.abandon import abandonable
from swerun.models.chat import ChatModel, completion_of, json_of, refusal, sampled
from swerun.models.endpoints import Endpoint
from swerun.models.protocols import PROTOCOLS, Wire

if TYPE_CHECKING:
    from openai import APIStatusError

LONGEST = 120.0  # seconds: a server that loads its model on the first request takes a while
WRITING = 10.0  # seconds: one that has answered already refuses sooner
LEAST_TOKENS = 16  # the least that some endpoints take
LIMITS = ("max_tokens", "max_completion_tokens")
ABOUT_LIMIT = re.compile(r"\bmax\w*[_ ](?:\w+[_ ])?tokens?\b|\btokens? limit", re.IGNORECASE)
ABOUT_TOOLS = re.compile(r"\btools?\b|\btool[_-]|--jinja", re.IGNORECASE)
ECHO = re.compile(r"""['"]input['"]\s*:""")  # pydantic's, of servers that repeat the whole request
NO_TOOLS = {400, 404, 422, 500, 501}  # vLLM and Ollama, OpenRouter, FastAPI, llama.cpp
TOOLS_HINT = (
    " --protocol text needs no tool calls of a server. They need --enable-auto-tool-choice "
    "--tool-call-parser NAME of vLLM, and --jinja of llama.cpp."
)


def probe(model: ChatModel, cancel: Event, *, writing: float = WRITING) -> None:
    """Raises EndpointError, in the endpoint's words, for one that is not there or refuses.

    Anything that shows it is there and would do its work counts as an answer: also a rate limit,
    or a 400 about a limit on tokens that no request of the run carries. `writing` is how long, in
    seconds, a limit that was given is waited for to be refused.
    """
    given = sampled(model.endpoint) | dict(model.endpoint.sampling.extra_body)
    small = given | _lowered(given)
    as_given = small == given
    abandonable(lambda: _ask(model, small, as_given=as_given), deadline=None, cancel=cancel)
    if not as_given and any(given.get(name) for name in LIMITS):
        abandonable(lambda: _wait_for_refusal(model, given, writing), deadline=None, cancel=cancel)


def _lowered(given: Wire) -> Wire:
    """The limits that were given, lowered; one of ours where none was."""
    limits = {name: given[name] for name in LIMITS if isinstance(given.get(name), int)}
    lowered = {name: min(limit, LEAST_TOKENS) for name, limit in limits.items()}
    return lowered or {LIMITS[0]: LEAST_TOKENS}


def _wait_for_refusal(model: ChatModel, given: Mapping[str, object], writing: float) -> None:
    from openai import APITimeoutError

    try:
        _ask(model, given, as_given=True, timeout=writing)
    except EndpointError as error:
        if not isinstance(error.__cause__, APITimeoutError):
            raise


def _ask(
    model: ChatModel, given: Mapping[str, object], *, as_given: bool, timeout: float = LONGEST
) -> None:
    from openai import APIConnectionError, APIStatusError

    endpoint = model.endpoint
    try:
        # not with_options: that makes a new client, which takes headers from the environment
        response = model.client.chat.completions.with_raw_response.create(
            model=endpoint.model,
            messages=[{"role": "user", "content": "Say ok."}],
            timeout=timeout,
            extra_body={**PROTOCOLS[endpoint.protocol].offer(model.tools), **given},
        )
        completion_of(endpoint, json_of(endpoint, response.text))
    except APIConnectionError as error:  # a timeout is one too
        why = endpoint.hushed(str(error.__cause__ or error))
        raise EndpointError(
            f"{endpoint.where} does not answer: {why}. "
            "Is the server running, and is this its address?"
        ) from error
    except APIStatusError as error:
        _judge(endpoint, error, given, as_given=as_given)
    except EndpointBusyError as error:  # a page, most often, of something that is no endpoint
        raise EndpointError(f"{error}. Does the URL end in /v1?") from error


def _judge(
    endpoint: Endpoint, error: APIStatusError, given: Mapping[str, object], *, as_given: bool
) -> None:
    """Raise what the run's own requests would be refused with."""
    status, text = error.status_code, ECHO.split(error.response.text)[0]
    said = refusal(endpoint, status, error.response.text, error.response.headers)
    if isinstance(said, ContextLengthError) or (status == 400 and ABOUT_LIMIT.search(text)):
        if as_given:
            limits = ", ".join(f"{name} {given[name]}" for name in LIMITS if name in given)
            raise EndpointError(f"{said} This run sends {limits}: see --max-tokens.") from error
    elif endpoint.protocol == "tools" and status in NO_TOOLS and ABOUT_TOOLS.search(text):
        raise EndpointError(f"{said}{TOOLS_HINT}") from error
    elif not isinstance(said, EndpointBusyError):
        ours = ", ".join(name for name in given if name not in LIMITS)
        hint = f" It was sent {ours}." if ours and status in {400, 422} else ""
        raise EndpointError(f"{said}{hint}") from error
