"""A registry's rate limit, waited out by all who pull, with a word and a running total."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock

from swerun.errors import CancelledError, ImageBusyError
from swerun.images.watch import Say

FIRST, LONGEST = 15.0, 600.0  # seconds to wait where the registry does not say how many
SHORTEST = 1.0  # some ask for microseconds
_ASKED = re.compile(r"retry-after: *((?:\d+(?:\.\d+)?(?:h|ms|us|µs|ns|m|s))+)", re.IGNORECASE)
_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


@dataclass(slots=True)
class RateLimit:
    """Whoever meets the limit holds back all others too: they would only meet it as well."""

    cancel: Event = field(default_factory=Event)
    say: Say = lambda _: None
    first: float = FIRST
    clock: Callable[[], float] = time.monotonic
    waited: float = 0.0  # seconds, in all, by the clock on the wall
    _until: float = 0.0
    _in_a_row: int = 0
    _lock: Lock = field(default_factory=Lock)

    def wait(self) -> None:
        """Returns when no limit is known of. Raises CancelledError soon after `cancel` is set."""
        while (left := self._until - self.clock()) > 0:
            if self.cancel.wait(left):
                raise CancelledError("the run was stopped while it waited for a rate limit")

    def met(self, image: str, error: ImageBusyError) -> None:
        """Hold all back: for as long as was asked for, else twice as long as the last time."""
        with self._lock:
            if self.clock() < self._until:
                return  # another one has met it at the same time
            seconds = min(LONGEST, self.first * 2.0**self._in_a_row)
            if error.wait is not None:
                seconds = max(SHORTEST, error.wait)
            before, self.waited = self.waited, self.waited + seconds
            self._until, self._in_a_row = self.clock() + seconds, self._in_a_row + 1
        so_far = f"; {before:.0f} s were waited before" if before else ""
        self.say(f"{image}: rate limit reached, waiting {seconds:.0f} s{so_far} ({error})")

    def passed(self) -> None:
        """Something was served: the next limit is a new one."""
        with self._lock:
            self._in_a_row = 0


def asked_for(said: str) -> float | None:
    """The seconds of a Retry-After in words. An engine keeps the header to itself, but passes on a
    registry's message, in which some say it: `toomanyrequests: retry-after: 1.5s, ...`."""
    found = _ASKED.search(said)
    if found is None:
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(found[1]))
