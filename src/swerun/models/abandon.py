"""Wait for a blocking call on a thread that may be left behind."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from threading import Event, Thread
from typing import TypeVar

from swerun.errors import CancelledError, EndpointBusyError

T = TypeVar("T")
GLANCE = 0.05  # seconds between looks at the cancel event


def abandonable(call: Callable[[], T], *, deadline: float | None, cancel: Event) -> T:
    """What `call` returns or raises, unless `cancel` or `deadline` comes first.

    The thread is a daemon and is not waited for then: nothing can end a read that is under way,
    and nothing has to. Raises CancelledError, or EndpointBusyError at the deadline.
    """
    if cancel.is_set():
        raise CancelledError("the run was stopped before a request")
    future: Future[T] = Future()

    def carry() -> None:
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 -- carried over to the thread that waits
            future.set_exception(error)

    Thread(target=carry, daemon=True).start()
    while not wait([future], timeout=GLANCE).done:
        if cancel.is_set():
            raise CancelledError("the run was stopped while a request was under way")
        if deadline is not None and time.monotonic() >= deadline:
            raise EndpointBusyError("no reply came before the attempt's time was over")
    return future.result()
