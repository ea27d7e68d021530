"""Room for the images of a run: it waits for it, and removes what is not needed any more."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from threading import Condition, Event
from typing import TYPE_CHECKING

from swerun.errors import CancelledError, ImageError, ImageRefusedError
from swerun.images.budget import Answer, Decision, Stock, Wanted, decide
from swerun.images.here import Layers, everything, here, layers_of
from swerun.images.ledger import Ledger
from swerun.images.remove import remove
from swerun.images.watch import GLANCE, engine_errors

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(slots=True)
class Room:
    """What this run has brought onto the engine, kept below `limit` bytes.

    `gone` is told of each image that is removed. `before` are the layers that others brought.
    """

    client: DockerClient
    ledger: Ledger
    limit: int
    cancel: Event
    gone: Callable[[str], None]
    images: dict[str, Wanted] = field(default_factory=dict)
    before: set[str] = field(default_factory=set)
    largest: int = 0  # bytes of the largest image so far, for those whose size is not known before
    _coming: set[str] = field(default_factory=set)  # those that have room, and are not there yet
    _held: Counter[str] = field(default_factory=Counter)
    _due: Counter[str] = field(default_factory=Counter)
    _place: dict[str, int] = field(default_factory=dict)  # of an image in the run's order
    _queue: list[tuple[int, int]] = field(default_factory=list)  # who waits: an image's place, turn
    _turns: Iterator[int] = field(default_factory=count)
    _changed: Condition = field(default_factory=Condition)

    def survey(self, runs: Collection[str]) -> None:
        """Find out what is on the engine: what a killed session of `runs` left is theirs, and all
        else was there before."""
        theirs = set()
        for note in self.ledger.notes():
            found = here(self.client, note.image) if note.run in runs else None
            if found and found.id == note.id:
                theirs.add(found.id)
                self.images[note.image] = Wanted(layers_of(self.client, found))
        for each in everything(self.client):
            if each.id not in theirs:
                self.before.update(each.chains)

    def expect(self, images: Iterable[str]) -> None:
        """An image for each attempt that is left to make, in the order in which they are made."""
        with self._changed:
            for image in images:
                self._due[image] += 1
                self._place.setdefault(image, len(self._place))

    @contextmanager
    def place(self, image: str, wanted: Callable[[], Wanted | None]) -> Iterator[None]:
        """A place for an image, until the context is left; the image need not be there yet.

        `wanted` says what it would take, None for one that is there and not by this run. Waits for
        room, those first whose image was expected first: what shares layers stays side by side.
        Raises ImageRefusedError where it never fits, CancelledError.
        """
        with self._changed:
            self._due[image] = max(0, self._due[image] - 1)
            self._held[image] += 1
            turn = self._place.get(image, len(self._place)), next(self._turns)
            self._queue.append(turn)
        try:
            self._wait(image, wanted, turn)
            yield
        finally:
            with self._changed:
                self._held[image] -= 1
                if not self._held[image] and image in self._coming:  # it never came
                    self._coming.remove(image)
                    del self.images[image]
                self._changed.notify_all()

    def came(self, image: str, layers: Layers) -> None:
        """An image is there that a place was kept for: what it takes is known now.

        Raises ImageRefusedError for one that turns out not to fit, even alone: it is removed.
        """
        with self._changed:
            if image not in self._coming:
                return
            self._coming.remove(image)
            del self.images[image]
            decision = decide(self._stock(), Wanted(layers))
            self.largest = max(self.largest, decision.bytes)
            if decision.answer is Answer.NEVER:
                with suppress(*engine_errors()):
                    self.client.api.remove_image(image)
                raise self._too_large(image, decision)
            for old in decision.go:
                self._evict(old)
            self.images[image] = Wanted(layers)
            self._changed.notify_all()

    def grew(self, image: str, layers: Layers) -> None:
        """Another image was made on this one, and goes with it."""
        with self._changed:
            if image in self.images:
                self.images[image] = Wanted({**self.images[image].layers, **layers})
                self._changed.notify_all()

    def stays(self, layers: Layers) -> None:
        """This was brought too, and is not removed: the room for all else is less by it."""
        with self._changed:
            new = {chain: size for chain, size in layers.items() if chain not in self.before}
            self.limit -= sum(new.values())
            self.before.update(new)

    def _wait(self, image: str, wanted: Callable[[], Wanted | None], turn: tuple[int, int]) -> None:
        try:
            new = None if image in self.images else wanted()
            with self._changed:
                while new and image not in self.images and not self._admitted(image, new, turn):
                    self._changed.wait(GLANCE)
                    if self.cancel.is_set():
                        raise CancelledError("the run was stopped while it waited for disk space")
        finally:
            with self._changed:
                self._queue.remove(turn)
                self._changed.notify_all()

    def _admitted(self, image: str, new: Wanted, turn: tuple[int, int]) -> bool:
        if min(self._queue) != turn:
            return False  # small images would else come for ever before a large one
        decision = decide(self._stock(), new)
        if decision.answer is Answer.NEVER:
            raise self._too_large(image, decision)
        if decision.answer is Answer.WAIT:
            return False
        for old in decision.go:
            self._evict(old)
        self.images[image] = new
        self._coming.add(image)
        return True

    def _stock(self) -> Stock:
        return Stock(self.limit, self.images, self.before, +self._held, +self._due)

    def _evict(self, image: str) -> None:
        """One that cannot be removed is somebody else's by now, and no longer counted."""
        kept = self.images.pop(image)
        note = self.ledger.note(image)
        try:
            removed = remove(self.client, self.ledger, image, note.names if note else (image,))
        except ImageError:
            removed = False
        if not removed:
            self.before.update(kept.layers)
        self.gone(image)

    def _too_large(self, image: str, decision: Decision) -> ImageRefusedError:
        return ImageRefusedError(
            f"{image} takes {decision.bytes / 1e9:.2f} GB while it is pulled or built, and --disk "
            f"leaves {self.limit / 1e9:.2f} GB: give it more"
        )
