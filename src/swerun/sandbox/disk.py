"""What containers write: held by the engine's quota where it has one, and watched everywhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from swerun.sandbox.containers import troubles

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

LOOK_SECONDS = 2.0
# The engine is asked for sizes, which takes it seconds, once so much of the least limit is gone.
PART = 4
RESERVE = 1 << 30  # bytes of the engine's disk that are left free
LOCAL = "http+docker://localhost"  # how the SDK calls what listens on a socket of this machine


def free_bytes(client: DockerClient) -> Callable[[], int] | None:
    """How much is free where the engine keeps containers; None where it is on another machine."""
    if client.api.base_url != LOCAL:
        return None
    # An engine in a virtual machine has its disk in a file of this one, and swerun in a container
    # stands on the disk itself.
    root = str(client.info().get("DockerRootDir") or "/")
    place = root if Path(root).is_dir() else "/"

    def free() -> int:
        found = os.statvfs(place)
        return found.f_bavail * found.f_frsize

    return free


@dataclass(slots=True)
class Watched:
    """A container, how many bytes it may write, and why it was ended, if it was."""

    container: Container
    limit: int
    ended: str = ""


@dataclass(slots=True)
class DiskWatch:
    """Ends containers that wrote more than they may, on a thread that lives as long as they do.

    Looking at the disk's free room costs microseconds; whose doing it is that it shrinks is asked
    only where it does. `free` is None where nothing can be looked at: then a single file has a
    limit, and all of them together only where the engine has quotas.
    """

    client: DockerClient
    free: Callable[[], int] | None
    pause: float = LOOK_SECONDS
    quota: bool = True  # whether the engine may have one: until it refuses
    _watched: dict[str, Watched] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _idle: Event = field(default_factory=Event)
    _mark: int = 0  # what was free when the engine was asked last, or more that was free since

    @contextmanager
    def watching(self, container: Container, limit: int) -> Iterator[Watched]:
        watched = Watched(container, limit)
        with self._lock:
            first = not self._watched
            self._watched[str(container.id)] = watched
            if first and self.free:
                self._mark, self._idle = self.free(), Event()
                Thread(
                    target=self._look_on, args=(self._idle,), daemon=True, name="swerun-disk"
                ).start()
        try:
            yield watched
        finally:
            with self._lock:
                del self._watched[str(container.id)]
                if not self._watched:
                    self._idle.set()

    def look(self) -> None:
        """Ask the engine for sizes, if much was written since; end what is too large.

        Also what is not, if the disk is nearly full and it wrote much of that: this is the
        machine's fault, and the container is removed as by one who needs the room.
        """
        with self._lock:
            watched = [one for one in self._watched.values() if not one.ended]
        if not (watched and self.free and self._is_less(self.free(), watched)):
            return
        with suppress(*troubles()):  # the engine is gone, or a container just went
            self._end(self._sizes(watched))

    def _end(self, sizes: list[tuple[Watched, int]]) -> None:
        for one, size in sizes:
            if size > one.limit:
                one.ended = f"it wrote {gb(size)}, and may write {gb(one.limit)}"
                one.container.kill()
        left = self.free() if self.free else RESERVE
        most = max(sizes, key=lambda each: each[1], default=None)
        if left < RESERVE and most and most[1] > RESERVE and not most[0].ended:
            most[0].ended = (
                f"the engine's disk had {gb(left)} left, and of its containers this one had "
                f"written the most, {gb(most[1])}: make room, or run fewer at once"
            )
            most[0].container.remove(force=True)

    def _sizes(self, watched: list[Watched]) -> list[tuple[Watched, int]]:
        """How many bytes each has in files of its own. Takes the engine seconds."""
        by_id = {str(one.container.id): one for one in watched}
        found = self.client.api.containers(size=True, filters={"id": list(by_id)})
        return [(by_id[one["Id"]], int(one.get("SizeRw") or 0)) for one in found]

    def _is_less(self, free: int, watched: list[Watched]) -> bool:
        self._mark = max(self._mark, free)
        least = min(one.limit for one in watched) if free > RESERVE else RESERVE
        if self._mark - free < least // PART:
            return False
        self._mark = free
        return True

    def _look_on(self, idle: Event) -> None:
        while not idle.wait(self.pause):
            self.look()


def gb(size: int) -> str:
    return f"{size / 1e9:.3g} GB"
