"""One governor for each endpoint of a session: whoever asks it waits here for its turn.

One worker's 429 holds all of them back; an endpoint that is not there pauses all of them, and one
asks from time to time until somebody is answered. Such a pause is nobody's doing, and an attempt's
own limit on time must not be eaten by it: attempts run by the governor's clock, which stands still
meanwhile. It does not stand still for who waits for a turn under the limits that a user gave.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition, Event

from swerun.errors import (
    CancelledError,
    EndpointBusyError,
    EndpointDownError,
    EndpointError,
    EndpointShutError,
    RateLimitError,
)
from swerun.models.endpoints import Endpoint
from swerun.models.pace import Bucket, Pace, Refusal
from swerun.records import Usage

GLANCE = 0.1  # seconds between looks at the cancel event and the deadline
WORTH_SAYING = 10.0  # seconds of a hold


@dataclass(slots=True)
class Turn:
    """One request's. What it used is known once its reply is there."""

    tokens: float  # what was thought, when it was sent
    sent_at: float
    usage: Usage | None = None

    @property
    def tokens_more(self) -> float:
        return self.usage.total - self.tokens if self.usage and not self.usage.unreported else 0.0


@dataclass(slots=True)
class Governor:
    """`where` is the endpoint's name in what is said to `say`."""

    where: str
    pace: Pace
    say: Callable[[str], None] = lambda _: None
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[Condition, float], object] = Condition.wait
    shut: str = ""  # why nobody is served any more
    _changed: Condition = field(default_factory=Condition)

    def clock(self) -> float:
        """Seconds, less those in which the endpoint was not to be asked."""
        with self._changed:
            return self._clock()

    def wall(self, deadline: float | None) -> float | None:
        """A moment of `clock` in seconds of time.monotonic(), by what is known now."""
        with self._changed:
            return None if deadline is None else deadline + self.pace.paused(self.now())

    def refuse_if_shut(self) -> None:
        """Raises EndpointShutError where no request would be served."""
        if self.shut:
            raise EndpointShutError(self.shut)

    @contextmanager
    def turn(self, tokens: float, *, deadline: float | None, cancel: Event) -> Iterator[Turn]:
        """Wait for a turn, by `clock` until `deadline` at the longest; within the context there is
        one request. `tokens` is what it may come to. What is raised inside is learnt from.

        Raises CancelledError, EndpointBusyError at the deadline, EndpointShutError.
        """
        turn = Turn(tokens, self._wait(tokens, deadline, cancel))
        try:
            yield turn
        except EndpointError as error:
            self._failed(turn, error)
            self.refuse_if_shut()
            raise
        else:
            self._answered(turn)
        finally:
            with self._changed:
                self.pace.back()
                self._changed.notify_all()

    def _wait(self, tokens: float, deadline: float | None, cancel: Event) -> float:
        with self._changed:
            while True:
                self.refuse_if_shut()
                if cancel.is_set():
                    raise CancelledError("the run was stopped while an endpoint was busy")
                if deadline is not None and self._clock() >= deadline:
                    raise EndpointBusyError(
                        f"{self.where}: no turn came before the attempt's time was over"
                    )
                now = self.now()
                wait = self.pace.wait(tokens, now)
                if wait <= 0:
                    self.pace.sent(tokens, now)
                    return now
                self.sleep(self._changed, min(wait, GLANCE))

    def _answered(self, turn: Turn) -> None:
        with self._changed:
            now, was_down = self.now(), self.pace.is_down
            self.pace.answered(turn.tokens_more, now)
            paused = now - self.pace.since
        if was_down:
            self.say(f"{self.where} answers again, after {paused:.0f} seconds: the run goes on")

    def _failed(self, turn: Turn, error: EndpointError) -> None:
        with self._changed:
            said = self._learn(turn, error)
            self._changed.notify_all()
        if said:
            self.say(said)

    def _learn(self, turn: Turn, error: EndpointError) -> str:
        """What a failure means for all; gives what there is to be said of it."""
        if isinstance(error, EndpointShutError):
            return self._close(str(error))
        wait = error.wait if isinstance(error, EndpointBusyError) else None
        is_down = isinstance(error, EndpointDownError)
        if not (is_down or isinstance(error, RateLimitError) or wait is not None):
            self.pace.alive(self.now())
            return ""
        now, was_down = self.now(), self.pace.is_down
        self.pace.refused(Refusal(turn.sent_at, wait, is_down), now)
        if self.pace.is_over(now):
            return self._close(
                f"{str(error).rstrip('.')}. It has served nothing for longer than "
                f"--endpoint-patience bears ({self.pace.patience:g} seconds), or asks to be left "
                "alone for longer."
            )
        if is_down and not was_down:
            patience = f"for {self.pace.patience:g} seconds at the most"
            return f"{error}: paused until it is back, {patience}"
        hold = self.pace.until - now
        return f"{error}: nobody asks for {hold:.0f} seconds" if hold >= WORTH_SAYING else ""

    def _close(self, why: str) -> str:
        if self.shut:
            return ""
        self.shut = why
        return f"{why}: no further attempts"

    def _clock(self) -> float:
        now = self.now()
        return now - self.pace.paused(now)


@dataclass(slots=True)
class Governors:
    """The governors of a session, by address and key: models at one endpoint share its limits.

    `requests` and `tokens` are per minute, None where there is no known limit; `patience` is in
    seconds.
    """

    at_once: int
    patience: float
    requests: float | None = None
    tokens: float | None = None
    say: Callable[[str], None] = lambda _: None
    made: dict[tuple[str, str | None], Governor] = field(default_factory=dict)

    def of(self, endpoint: Endpoint) -> Governor:
        key = endpoint.base_url, endpoint.api_key
        if key not in self.made:
            now = time.monotonic()
            requests, tokens = endpoint.rpm or self.requests, endpoint.tpm or self.tokens
            pace = Pace(
                self.at_once,
                self.patience,
                Bucket.full(requests, now) if requests else None,
                Bucket.full(tokens, now) if tokens else None,
            )
            self.made[key] = Governor(endpoint.address, pace, self.say)
        return self.made[key]
