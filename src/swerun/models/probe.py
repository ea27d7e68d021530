"""A small request that finds out, before anything is started, whether an endpoint answers."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING

from swerun.errors import ContextLengthError, EndpointBusyError, EndpointError
from swerun.models.abandon import abandonable
from swerun.models.chat import refusal
from swerun.models.endpoints import Endpoint

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

LONGEST = 120.0  # seconds: a server that loads its model on the first request takes a while
LEAST_TOKENS = 16  # the least that some endpoints take


def probe(endpoint: Endpoint, client: OpenAI, cancel: Event) -> None:
    """Raises EndpointError, in the endpoint's words, for one that is not there or refuses.

    Anything that shows it is there and would do its work counts as an answer: also a rate limit,
    or a 400 about the limit on tokens.
    """
    from openai import APIConnectionError, APIStatusError

    def ask() -> None:
        try:
            # not with_options: that makes a new client, which takes headers from the environment
            client.chat.completions.with_raw_response.create(
                model=endpoint.model,
                messages=[{"role": "user", "content": "Say ok."}],
                max_tokens=LEAST_TOKENS,
                timeout=LONGEST,
            )
        except APIConnectionError as error:
            why = endpoint.hushed(str(error.__cause__ or error))
            raise EndpointError(
                f"{endpoint.base_url} does not answer: {why}. "
                "Is the server running, and is this its address?"
            ) from error
        except APIStatusError as error:
            _judge(endpoint, error)

    abandonable(ask, deadline=None, cancel=cancel)


def _judge(endpoint: Endpoint, error: APIStatusError) -> None:
    said = refusal(endpoint, error.status_code, error.response.text, error.response.headers)
    about_tokens = error.status_code == 400 and "token" in error.response.text.lower()
    if not about_tokens and not isinstance(said, EndpointBusyError | ContextLengthError):
        raise said from error
