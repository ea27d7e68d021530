"""Retry is a model around a model, and each of its requests waits for its turn."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from swerun.errors import (
    CancelledError,
    EndpointBusyError,
    EndpointDownError,
    RateLimitError,
)
from swerun.models.governor import Governor
from swerun.ports import Message, Model
from swerun.records import Reply

if TYPE_CHECKING:
    from tenacity import RetryCallState

FIRST, LONGEST = 1.0, 60.0  # seconds of the first wait, and of the longest one
LETTERS = 4  # characters of a token, about: what was thought is put right by the reply's usage
REPLY = 500  # tokens, about, where no limit is given


@dataclass(frozen=True, slots=True)
class PatientModel:
    """Asks again what a busy endpoint did not answer, after longer and longer waits.

    Where all are held back (a rate limit, an endpoint that is not there) the governor says for how
    long, and when there is an end to it; that is nothing that one request could give up on, and so
    it is not one of its `tries`. The deadline is a moment of the governor's clock.
    """

    inner: Model
    governor: Governor
    tries: int = 8
    longest_reply: int = REPLY  # tokens
    wait: Callable[[float, Event], bool] = lambda seconds, cancel: cancel.wait(seconds)
    chance: Callable[[], float] = field(default=random.random)

    def reply(self, messages: Sequence[Message], *, deadline: float | None, cancel: Event) -> Reply:
        from tenacity import Retrying, retry_if_exception_type

        failed = 0

        def sleep(seconds: float) -> None:
            if self.wait(seconds, cancel):
                raise CancelledError("the run was stopped while an endpoint was busy")

        def over(state: RetryCallState) -> bool:
            nonlocal failed
            failed += not _holds_all(state)
            end = self.governor.clock() + state.upcoming_sleep
            return failed >= self.tries or (deadline is not None and end >= deadline)

        retrying = Retrying(
            retry=retry_if_exception_type(EndpointBusyError),
            stop=over,
            wait=lambda state: self._pause(state, failed),
            sleep=sleep,
            reraise=True,
        )
        for attempt in retrying:
            with attempt:
                reply = self._asked(messages, deadline, cancel)
                return reply.model_copy(update={"tries": attempt.retry_state.attempt_number})
        raise AssertionError("tenacity ends in a reply or an error")

    def _asked(self, messages: Sequence[Message], deadline: float | None, cancel: Event) -> Reply:
        governor = self.governor
        tokens = sum(len(m.content) for m in messages) / LETTERS + self.longest_reply
        with governor.turn(tokens, deadline=deadline, cancel=cancel) as turn:
            reply = self.inner.reply(messages, deadline=governor.wall(deadline), cancel=cancel)
            turn.usage = reply.usage
            return reply

    def _pause(self, state: RetryCallState, failed: int) -> float:
        """Twice as long as before, less up to a half; none where the governor lets nobody ask."""
        if _holds_all(state):
            return 0.0
        grown = min(LONGEST, FIRST * 2.0**failed)
        return grown * (1 - self.chance() / 2)


def _holds_all(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    asks = isinstance(error, EndpointBusyError) and error.wait is not None
    return asks or isinstance(error, RateLimitError | EndpointDownError)
