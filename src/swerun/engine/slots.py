"""Turns: how many attempts may be at each stage at once. Waiting ends when the run is cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Event, Semaphore

from swerun.errors import CancelledError

GLANCE = 0.1  # seconds between looks at the cancel event
STOPPED = "the run was stopped before this began"


@dataclass(frozen=True, slots=True)
class LocalSlots:
    """Slots of one machine. The stages wait for different things, so each has its own: network
    and disk, the endpoint, cores."""

    image: Semaphore
    agent: Semaphore
    grade: Semaphore
    cancel: Event

    def images(self) -> AbstractContextManager[None]:
        return self._turn(self.image)

    def agents(self) -> AbstractContextManager[None]:
        return self._turn(self.agent)

    def grading(self) -> AbstractContextManager[None]:
        return self._turn(self.grade)

    @contextmanager
    def _turn(self, slots: Semaphore) -> Iterator[None]:
        while not slots.acquire(timeout=GLANCE):
            if self.cancel.is_set():
                raise CancelledError(STOPPED)
        try:
            if self.cancel.is_set():
                raise CancelledError(STOPPED)
            yield
        finally:
            slots.release()


def local_slots(*, images: int, agents: int, grading: int, cancel: Event) -> LocalSlots:
    return LocalSlots(Semaphore(images), Semaphore(agents), Semaphore(grading), cancel)
