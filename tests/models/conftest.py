"""Servers and clients that are closed when a test ends."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from swerun.agent.tools import TOOLS
from swerun.models.chat import ChatModel
from swerun.models.endpoints import Endpoint
from swerun.models.exchange import connected
from tests.models.endpoint import answering


@pytest.fixture
def clients():
    """Left after the servers: by then a request that was given up has ended too."""
    with ExitStack() as open_:
        yield open_


@pytest.fixture
def serve(clients):
    """serve(*answers) -> a server that gives them."""
    with ExitStack() as servers:
        yield lambda *answers: servers.enter_context(answering(*answers))


@pytest.fixture
def ask(clients):
    """ask(url, ...) -> a model that is reached there; the rest is an Endpoint's."""

    def made(url, headers=(), **given):
        endpoint = Endpoint("some-model", url, **given)
        client = connected(endpoint)
        clients.callback(client.close)
        return ChatModel(endpoint, client, TOOLS, headers)

    return made
