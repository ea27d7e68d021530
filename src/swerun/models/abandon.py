"""Wait for a blocking call on a thread that may be left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Event, Thread
from typing import TypeVar

from swerun.errors import CancelledError, EndpointBusyError, SwerunError

T = TypeVar("T")
GLANCE = 0.05  # seconds between looks at the cancel event


@dataclass(slots=True)
class Pulse:
    """The signs of life of a call that is under way, and how long it may go without.

    Seconds: `total` for all of it, `stall` between two beats; before the first beat only `total`
    counts, because a model that reads a long conversation says nothing for long.
    """

    total: float
    stall: float
    who: str = "the endpoint"
    heard: float | None = None  # of time.monotonic()
    hang_up: Callable[[], None] = lambda: None  # ends the call, where anything can

    def beat(self) -> None:
        self.heard = time.monotonic()

    def trouble(self, began: float) -> str:
        """What is wrong, in words that go on from who it is; "" for nothing."""
        now = time.monotonic()
        if self.heard is not None and now - self.heard > self.stall:
            return f"said nothing for {self.stall:g} seconds in the middle of a reply"
        return f"took more than {self.total:g} seconds" if now - began > self.total else ""


def abandonable(
    call: Callable[[], T], *, deadline: float | None, cancel: Event, pulse: Pulse | None = None
) -> T:
    """What `call` returns or raises, unless `cancel`, `deadline` or the end of `pulse` comes first.

    The thread is a daemon and is not waited for then: nothing has to end a read that is under way.
    Raises CancelledError, or EndpointBusyError at the deadline and without a pulse.
    """
    if cancel.is_set():
        raise CancelledError("the run was stopped before a request")
    future: Future[T] = Future()

    def carry() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 -- carried over to the thread that waits
            future.set_exception(error)

    began = time.monotonic()
    Thread(target=carry, daemon=True).start()
    while not wait([future], timeout=GLANCE).done:
        if error := _ended(deadline, cancel, pulse, began):
            if pulse:
                pulse.hang_up()
            raise error
    return future.result()


def _ended(
    deadline: float | None, cancel: Event, pulse: Pulse | None, began: float
) -> SwerunError | None:
    """Why not to wait any longer, if there is a reason."""
    if cancel.is_set():
        return CancelledError("the run was stopped while a request was under way")
    if deadline is not None and time.monotonic() >= deadline:
        return EndpointBusyError("no reply came before the attempt's time was over")
    if pulse and (trouble := pulse.trouble(began)):
        error = EndpointBusyError(f"{pulse.who} {trouble}")
        error.__cause__ = TimeoutError(trouble)
        return error
    return None
