"""What a run may bring onto an engine: what fits, what goes for it, what has to wait. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from swerun.images.here import Layers


class Answer(StrEnum):
    """Whether an image may be pulled or built."""

    COME = "come"  # when those that go for it are gone
    WAIT = "wait"  # until one that is in use is not any more
    NEVER = "never"  # it does not fit, even alone


@dataclass(frozen=True, slots=True)
class Wanted:
    """An image that is to come, or has: its layers as they will lie there. While it comes there
    are `packed` ones too, downloaded and not unpacked yet, and `guessed` bytes of what is unknown.
    """

    layers: Layers
    packed: Layers = field(default_factory=dict)
    guessed: int = 0


@dataclass(frozen=True, slots=True)
class Stock:
    """What a run has brought onto an engine, in the order of time, and who needs it.

    `before` are layers that were there before it: they cost nothing. `held` are images of attempts
    under way, `due` those of attempts that are left to make.
    """

    limit: int
    images: Mapping[str, Wanted]
    before: Collection[str] = ()
    held: Collection[str] = ()
    due: Collection[str] = ()

    def used(self, without: Collection[str] = (), new: Wanted | None = None) -> int:
        """Bytes. A layer counts once, however many images have it."""
        kept = [wanted for image, wanted in self.images.items() if image not in without]
        kept += [new] if new else []
        layers = {chain: size for wanted in kept for chain, size in wanted.layers.items()}
        packed = {chain: size for wanted in kept for chain, size in wanted.packed.items()}
        there = {chain for wanted in kept if not wanted.packed for chain in wanted.layers}
        return (
            sum(size for chain, size in layers.items() if chain not in self.before)
            + sum(s for chain, s in packed.items() if chain not in there | set(self.before))
            + sum(wanted.guessed for wanted in kept)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    answer: Answer
    go: tuple[str, ...] = ()  # the images to remove first
    bytes: int = 0  # what the image would take alone


def decide(stock: Stock, new: Wanted) -> Decision:
    """Whether `new` may come now.

    Only what no attempt needs any more goes for it, the oldest first. What is merely idle goes
    only where nothing is in use: then nobody else can make room, and it comes back when needed.
    """
    alone = stock.used(without=stock.images, new=new)
    if alone > stock.limit:
        return Decision(Answer.NEVER, bytes=alone)
    idle = [image for image in stock.images if image not in stock.held]
    done = [image for image in idle if image not in stock.due]
    may_go = done if any(image in stock.held for image in stock.images) else sorted(
        idle, key=lambda image: image in stock.due
    )  # fmt: skip
    go: list[str] = []
    while stock.used(without=go, new=new) > stock.limit:
        if not may_go:
            return Decision(Answer.WAIT, bytes=alone)
        go.append(may_go.pop(0))
    return Decision(Answer.COME, tuple(go), alone)
