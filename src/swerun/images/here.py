"""What the engine has of an image: its id, its digests, its layers and their sizes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from swerun.images.names import same_repository
from swerun.images.watch import asking

if TYPE_CHECKING:
    from docker import DockerClient

Layers = Mapping[str, int]  # a layer's chain id, and its bytes on the engine
# steps that make a layer even where it has no bytes in it (a folder, say); all others make none
MAKES_A_LAYER = re.compile(r"^(/bin/sh -c (?!#\(nop\)|#)|/bin/sh -c #\(nop\) +(COPY|ADD|WORKDIR)\b|"
                           r"RUN\b|COPY\b|ADD\b|WORKDIR\b)")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Here:
    """An image on the engine. `digests` are `repository@sha256:...`, as registries know it."""

    id: str
    digests: tuple[str, ...]
    names: tuple[str, ...]
    platform: str
    chains: tuple[str, ...]  # ids of its layers, the lowest first
    bytes: int
    workdir: str = ""

    def digest(self, image: str) -> str:
        """The digest by which registries know it, where they do; its id otherwise."""
        of_name = [each for each in self.digests if same_repository(each, image)]
        known = of_name or sorted(self.digests)
        return known[0].rpartition("@")[2] if known else self.id


def here(client: DockerClient, image: str) -> Here | None:
    """Raises ImageError where the engine cannot say."""
    from docker.errors import ImageNotFound

    with asking(f"looking for the image {image}"):
        try:
            found: Mapping[str, Any] = client.images.get(image).attrs
        except ImageNotFound:
            return None
    return Here(
        id=found["Id"],
        digests=tuple(found["RepoDigests"] or ()),
        names=tuple(found["RepoTags"] or ()),
        platform=f"{found['Os']}/{found['Architecture']}",
        chains=tuple(chain_ids(found["RootFS"].get("Layers") or ())),
        bytes=found["Size"],
        workdir=found["Config"].get("WorkingDir") or "",
    )


def everything(client: DockerClient) -> list[Here]:
    """All images on the engine. Raises ImageError."""
    with asking("asking the engine for its images"):
        ids = [str(each["Id"]) for each in client.api.images()]
    return [found for each in ids if (found := here(client, each))]


def chain_ids(layers: Iterable[str]) -> list[str]:
    """The id of each layer on those below it, from their diff ids, as the OCI image specification
    has it ("Layer ChainID")."""
    chains: list[str] = []
    for layer in layers:
        both = f"{chains[-1]} {layer}".encode() if chains else b""
        chains.append(f"sha256:{hashlib.sha256(both).hexdigest()}" if chains else layer)
    return chains


def layers_of(client: DockerClient, image: Here) -> Layers:
    """The layers with their bytes, from the image's history: asking for the engine's disk use
    takes seconds, since it measures containers and volumes too."""
    with asking(f"looking at the layers of the image {image.id}"):
        steps = client.images.get(image.id).history()
    made = [(step["Size"], str(step.get("CreatedBy") or "")) for step in reversed(steps)]
    sizes = sizes_of_layers(made, len(image.chains))
    if sizes is None:  # a builder that keeps no history: all of it counts as the uppermost layer
        sizes = [0] * (len(image.chains) - 1) + [image.bytes] * bool(image.chains)
    return dict(zip(image.chains, sizes, strict=True))


def sizes_of_layers(steps: Sequence[tuple[int, str]], count: int) -> list[int] | None:
    """The bytes of `count` layers, from an image's steps (bytes and words), the lowest first.

    A history does not say which of its steps made a layer. Those with bytes did; of those without,
    as many as are missing, those first whose words do. None where there are too few steps.
    """
    missing = count - sum(size > 0 for size, _ in steps)
    empty = [at for at, (size, _) in enumerate(steps) if size == 0]
    likely = sorted(empty, key=lambda at: not MAKES_A_LAYER.match(steps[at][1]))
    if not 0 <= missing <= len(empty):
        return None
    kept = set(likely[:missing])
    return [size for at, (size, _) in enumerate(steps) if size > 0 or at in kept]
