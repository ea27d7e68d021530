"""What containers write: held by the engine's quota where it has one, and watched everywhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from swerun.sandbox.containers import troubles
from swerun.sandbox.used import Room, Used, files_in, held_open

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

LOOK_SECONDS = 2.0
# Containers are measured once so much of the least limit is gone, which takes seconds where the
# engine has to be asked or there are many files, and so no more than this share of one core.
PART = 4
SHARE = 0.01
RESERVE = 1 << 30  # bytes of the engine's disk that are left free


@dataclass(slots=True)
class Watched:
    """A container, how many bytes it may write, and why it was ended, if it was."""

    container: Container
    limit: int
    ended: str = ""

    @property
    def layer(self) -> Path | None:
        """Where the engine keeps what it writes, if it says so and has a folder for it."""
        driver = self.container.attrs.get("GraphDriver") or {}
        upper = (driver.get("Data") or {}).get("UpperDir")
        return Path(upper) if upper else None


Measured = tuple[Watched, Used]


@dataclass(slots=True)
class DiskWatch:
    """Ends containers that wrote more than they may, on a thread that lives as long as they do.

    Looking at the disk's free room costs microseconds; whose doing it is that it shrinks is found
    out only where it does. `free` is None where nothing can be looked at: then a single file has a
    limit, and all of them together only where the engine has quotas.
    """

    client: DockerClient
    free: Callable[[], Room] | None
    pause: float = LOOK_SECONDS
    quota: bool = True  # whether the engine may have one: until it refuses
    clock: Callable[[], float] = time.monotonic
    _watched: dict[str, Watched] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _idle: Event = field(default_factory=Event)
    _mark: int = 0  # what was free when containers were measured, or more that was free since
    _rest: float = 0.0  # until when measuring has had its share

    @contextmanager
    def watching(self, container: Container, limit: int) -> Iterator[Watched]:
        watched = Watched(container, limit)
        with self._lock:
            first = not self._watched
            self._watched[str(container.id)] = watched
            if first and self.free:
                self._mark, self._idle = self.free().worth, Event()
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
        """Measure, if much was written since; end what is too large.

        Also what is not, if the disk is nearly full and it has much of that: this is the machine's
        fault, and the container is removed as by one who needs the room.
        """
        with self._lock:
            watched = [one for one in self._watched.values() if not one.ended]
        if not (watched and self.free and self._is_less(room := self.free(), watched)):
            return
        began = self.clock()
        with suppress(*troubles()):  # the engine is gone, or a container just went
            measured = self._measured(watched)
            end_too_large(measured, room.each)
            end_largest(measured, self.free())
        self._rest = self.clock() + (self.clock() - began) / SHARE

    def _measured(self, watched: Sequence[Watched]) -> list[Measured]:
        """What each has. The engine is asked of those that cannot be seen, which takes it seconds:
        some compare all of a container with all of its image."""
        seen = [(one, files_in(one.layer) if one.layer else None) for one in watched]
        unseen = {str(one.container.id): one for one, used in seen if used is None}
        found = [(one, used) for one, used in seen if used is not None]
        if unseen:
            told = self.client.api.containers(size=True, filters={"id": list(unseen)})
            found += [(unseen[one["Id"]], Used(int(one.get("SizeRw") or 0))) for one in told]
        return [
            (one, replace(used, bytes=used.bytes + held_open(str(one.container.id))))
            for one, used in found
        ]

    def _is_less(self, free: Room, watched: Sequence[Watched]) -> bool:
        """Whether so much less is free that it has to be found out who has it: a part of the least
        limit, or, where measuring has had its share, all of it."""
        self._mark = max(self._mark, free.worth)
        enough = min(one.limit for one in watched)
        if free.is_below(RESERVE):
            enough = RESERVE // PART
        elif self.clock() >= self._rest:
            enough //= PART
        if self._mark - free.worth < enough:
            return False
        self._mark = free.worth
        return True

    def _look_on(self, idle: Event) -> None:
        while not idle.wait(self.pause):
            self.look()


def end_too_large(measured: Sequence[Measured], each: int) -> None:
    for one, used in measured:
        one.ended = too_much(used, one.limit, each)
        if one.ended:
            one.container.kill()


def end_largest(measured: Sequence[Measured], left: Room) -> None:
    """Where the disk is nearly full, of bytes or of files, and one that may have what it has has
    much of that."""

    def part(it: Measured) -> int:
        return it[1].bytes if left.bytes < RESERVE else it[1].files * left.each

    most = max(measured, key=part, default=None)
    if most is None or not left.is_below(RESERVE) or part(most) <= RESERVE or most[0].ended:
        return
    one, used = most
    free, has = gb(left.bytes), gb(used.bytes)
    if left.bytes >= RESERVE:
        free, has = f"room for {left.files:,} files", f"{used.files:,} files"
    one.ended = (
        f"the engine's disk had {free} left, and of its containers this one had written the most, "
        f"{has}: make room, or run fewer at once"
    )
    one.container.remove(force=True)


def too_much(used: Used, limit: int, each: int) -> str:
    """Why a container that may write `limit` bytes is ended; "" where it is not. It may make as
    many files as the disk has for so many bytes: `each` is what it has for one, where it counts."""
    if used.bytes > limit:
        return f"it wrote {gb(used.bytes)}, and may write {gb(limit)}"
    if each and used.files > limit // each:
        return f"it made {used.files:,} files, and may make {limit // each:,} ({gb(limit)} worth)"
    return ""


def gb(size: int) -> str:
    return f"{size / 1e9:.3g} GB"
