"""Work that takes much memory: one at a time, and each in a thread that ends with it.

glibc keeps what a thread has freed for that same thread. After eight graders had each judged a log
of 32 MB, it kept 330 MB; in one thread after another nothing adds up (benchmarks/memory.py).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Alone:
    """Shared by all who do such work in a process."""

    _lock: Lock = field(default_factory=Lock)

    def do(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises."""
        with self._lock, ThreadPoolExecutor(1) as thread:
            return thread.submit(work).result()
