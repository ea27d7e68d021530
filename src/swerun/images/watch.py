"""What the engine says of a pull or a build, until it ends, goes silent, or the run is stopped."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any

from swerun.errors import CancelledError, ImageError

Said = dict[str, Any]  # one line of the engine's answer to a pull or a build
Say = Callable[[str], None]
GLANCE = 0.1  # seconds between looks at the cancel event


def engine_errors() -> tuple[type[Exception], ...]:
    """What the SDK raises where the engine refuses, goes away or breaks off in mid-sentence."""
    from docker.errors import DockerException, StreamParseError
    from urllib3.exceptions import HTTPError

    return DockerException, StreamParseError, HTTPError, OSError


@contextmanager
def asking(doing: str) -> Iterator[None]:
    """The engine's errors as ImageError."""
    try:
        yield
    except engine_errors() as error:
        raise ImageError(f"{doing}: {error}") from error


@dataclass(slots=True)
class Watch:
    """Follows what the engine says, on threads that may be left behind.

    `silence` is how many seconds without a word are taken for a registry that is not there. All
    that one Watch follows counts together: an engine downloads few layers at once, and a pull that
    waits for those of others says nothing.
    """

    cancel: Event = field(default_factory=Event)
    silence: float = 60.0
    clock: Callable[[], float] = time.monotonic
    _heard: float = 0.0  # when anything was said last

    def lines(self, doing: str, begin: Callable[[], Iterator[Said]]) -> Iterator[Said]:
        """Each line as it comes. `doing` is for errors: "pulling x".

        Raises ImageError after too long a silence, CancelledError soon after `cancel` is set, and
        what the SDK raises. A pull or a build that nobody follows any more is ended by the engine.
        """
        arrived, left = queue.Queue[Any](), Event()
        self._heard = self.clock()
        arguments = (begin, arrived, left)
        Thread(target=_listen, args=arguments, daemon=True, name=doing).start()
        try:
            while (said := self._next(doing, arrived)) is not None:
                yield said
        finally:
            left.set()

    def _next(self, doing: str, arrived: queue.Queue[Any]) -> Said | None:
        while True:
            if self.cancel.is_set():
                raise CancelledError(f"the run was stopped while {doing}")
            try:
                said = arrived.get(timeout=min(GLANCE, self.silence))
            except queue.Empty:
                if self.clock() - self._heard > self.silence:
                    words = f"{doing}: no word from it in {self.silence:g} s"
                    raise ImageError(words) from None
                continue
            self._heard = self.clock()
            if isinstance(said, Exception):
                raise said
            return None if said is None else dict(said)


def _listen(begin: Callable[[], Iterator[Said]], arrived: queue.Queue[Any], left: Event) -> None:
    try:
        for said in begin():
            if left.is_set():
                return  # which closes the connection: the engine ends what nobody waits for
            arrived.put(said)
    except engine_errors() as error:
        arrived.put(error)
    finally:
        arrived.put(None)
