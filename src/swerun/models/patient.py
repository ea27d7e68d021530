"""Retry is a model around a model."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from swerun.errors import CancelledError, EndpointBusyError
from swerun.ports import Message, Model
from swerun.records import Reply

if TYPE_CHECKING:
    from tenacity import RetryCallState

FIRST, LONGEST = 1.0, 60.0  # seconds of the first wait, and of the longest one


@dataclass(frozen=True, slots=True)
class PatientModel:
    """Asks a busy endpoint again, after the time it asks for or after longer and longer waits."""

    inner: Model
    tries: int = 8
    wait: Callable[[float, Event], bool] = lambda seconds, cancel: cancel.wait(seconds)
    chance: Callable[[], float] = field(default=random.random)

    def reply(self, messages: Sequence[Message], *, deadline: float | None, cancel: Event) -> Reply:
        from tenacity import Retrying, retry_if_exception_type, stop_after_attempt

        def sleep(seconds: float) -> None:
            if self.wait(seconds, cancel):
                raise CancelledError("the run was stopped while an endpoint was busy")

        def out_of_time(state: RetryCallState) -> bool:
            return deadline is not None and time.monotonic() + state.upcoming_sleep >= deadline

        retrying = Retrying(
            retry=retry_if_exception_type(EndpointBusyError),
            stop=stop_after_attempt(self.tries) | out_of_time,  # type: ignore[operator]
            wait=self._pause,
            sleep=sleep,
            reraise=True,
        )
        for attempt in retrying:
            with attempt:
                reply = self.inner.reply(messages, deadline=deadline, cancel=cancel)
                tries = attempt.retry_state.attempt_number
                return reply.model_copy(update={"tries": tries})
        raise AssertionError("tenacity ends in a reply or an error")

    def _pause(self, state: RetryCallState) -> float:
        """What the endpoint asked for, else twice as long as before, less up to a half."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, EndpointBusyError) and error.wait is not None:
            return error.wait
        grown = min(LONGEST, FIRST * 2.0 ** (state.attempt_number - 1))
        return grown * (1 - self.chance() / 2)
