"""Small requests to one model's endpoint, and what its server tells of itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from urllib.parse import urlsplit

from swerun.doctor.limits import Told
from swerun.errors import EndpointError
from swerun.models.abandon import abandonable
from swerun.models.chat import ChatModel
from swerun.models.completions import Completion
from swerun.models.exchange import fetched
from swerun.models.probe import LIMITS
from swerun.models.protocols import Wire
from swerun.ports import Message

TIMEOUT = 120.0  # seconds of one request
GLANCE = 10.0  # seconds of a request that asks no model


@dataclass(slots=True)
class Examined:
    """What is known of a model so far. `about` is what a user calls it, `mark` makes its prompts
    new to every cache."""

    about: str
    model: ChatModel
    cancel: Event
    mark: str
    is_deep: bool = False
    clock: Callable[[], float] = time.monotonic
    told: Told = field(default_factory=Told)

    @property
    def name(self) -> str:
        return self.model.endpoint.model

    @property
    def given(self) -> Wire:
        """What a run sends, without tools."""
        sent = self.model.settings()
        sent.pop("tools", None)
        return sent

    def limited(self, tokens: int) -> Wire:
        """The same with another limit on the tokens of the reply."""
        given = {name: value for name, value in self.given.items() if name not in LIMITS}
        return given | {self.model.endpoint.limit: tokens}

    def ask(self, question: Message, settings: Mapping[str, Any]) -> Completion:
        return self.model.ask(
            [question], settings, deadline=None, cancel=self.cancel, timeout=TIMEOUT
        )

    def fetch(self, path: str, body: Wire | None = None) -> object:
        """What the server tells at a path of `base_url`, or of its root. Raises EndpointError."""
        client, endpoint = self.model.client, self.model.endpoint
        return abandonable(
            lambda: fetched(client, endpoint, path, body, GLANCE),
            deadline=time.monotonic() + GLANCE,
            cancel=self.cancel,
        )

    def fetch_of_root(self, path: str, body: Wire | None = None) -> object:
        """None where there is no such thing. Hosted endpoints are not asked: they have no such
        paths, and what they are sent bears a key."""
        parts = urlsplit(self.model.endpoint.base_url)
        if self.model.endpoint.preset:
            return None
        try:
            return self.fetch(parts._replace(path=path, query="").geturl(), body)
        except EndpointError:
            return None


def short(error: EndpointError) -> str:
    return str(error)[:300]
