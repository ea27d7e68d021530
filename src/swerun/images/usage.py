"""What images take on the engine's disk, alone and together, and which of them can go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swerun.images.here import Here, Layers, everything, here, layers_of
from swerun.images.ledger import Ledger
from swerun.images.remove import remove
from swerun.images.watch import asking

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(frozen=True, slots=True)
class Use:
    """Bytes of an image's layers: `unique` are in no other image on the engine, `shared` are."""

    image: str
    id: str
    unique: int
    shared: int
    layers: Layers


@dataclass(frozen=True, slots=True)
class Usage:
    """Of some images. `freed` is what goes if all of them do, `total` what they take together."""

    images: tuple[Use, ...]
    freed: int
    total: int


def usage(client: DockerClient, names: Iterable[str]) -> Usage:
    """Of those images that are on the engine. Raises ImageError."""
    having = Counter(chain for each in everything(client) for chain in each.chains)
    found = {name: image for name in dict.fromkeys(names) if (image := here(client, name))}
    uses = [_use(client, name, image, having) for name, image in found.items()]
    layers = {chain: size for use in uses for chain, size in use.layers.items()}
    distinct = {image.id: image for image in found.values()}.values()
    own = Counter(chain for image in distinct for chain in image.chains)
    freed = sum(size for chain, size in layers.items() if own[chain] >= having[chain])
    return Usage(tuple(uses), freed, sum(layers.values()))


def _use(client: DockerClient, name: str, image: Here, having: Counter[str]) -> Use:
    layers = layers_of(client, image)
    unique = sum(size for chain, size in layers.items() if having[chain] <= 1)
    return Use(name, image.id, unique, sum(layers.values()) - unique, layers)


def idle(client: DockerClient, ledger: Ledger, names: Sequence[str]) -> list[str]:
    """Those of the images that are here, that no container is made of and no process uses."""
    with asking("asking the engine for its containers"):
        busy = {each["ImageID"] for each in client.api.containers(all=True)}
    chosen = []
    for name in dict.fromkeys(names):
        image = here(client, name)
        with ledger.unused(name) as unused:
            if image and unused and image.id not in busy:
                chosen.append(name)
    return chosen


def prune(client: DockerClient, ledger: Ledger, names: Sequence[str]) -> tuple[str, ...]:
    """Remove these images by all names that swerun gave them. Returns those that are gone."""
    notes = {note.image: note.names for note in ledger.notes()}
    return tuple(name for name in names if remove(client, ledger, name, notes.get(name, (name,))))
