"""From an image's name to that image: here already, or pulled by way of mirror and pin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from swerun.errors import ImageBusyError, ImageError, ImageMissingError
from swerun.images.here import Here, here
from swerun.images.ledger import Ledger, Note
from swerun.images.names import mirrored, parsed, pinned
from swerun.images.pull import Downloaded, Puller
from swerun.images.registry import Registries, Remote
from swerun.images.watch import asking
from swerun.records import ImageOptions

if TYPE_CHECKING:
    from docker import DockerClient

ENOUGH = 3  # failures of a registry


@dataclass(slots=True)
class Fetcher:
    """Threads may share it. `cache` keeps manifests; `downloaded` hears of bytes as they come."""

    client: DockerClient
    cache: Path
    options: ImageOptions
    ledger: Ledger
    puller: Puller
    pins: Mapping[str, str] = field(default_factory=dict)
    downloaded: Downloaded = lambda _: None
    _registries: Registries | None = None
    _failed: Counter[str] = field(default_factory=Counter)  # questions in a row, by registry

    def source(self, image: str) -> str:
        """What is pulled for an image: at the mirror, and the pinned one, where there are such."""
        return pinned(mirrored(image, self.options.registry), self.pins.get(image))

    def present(self, image: str) -> Here | None:
        """The image, where it is on the engine for the platform that is asked for, by its own name
        or the mirror's; then it has both."""
        for name in dict.fromkeys((image, mirrored(image, self.options.registry))):
            found = here(self.client, name)
            if found and found.platform.startswith(self.options.platform or ""):
                return found if name == image else self._called(found, image)
        return None

    def fetch(self, image: str, run: str) -> Here:
        """The image, pulled if it is not here, and noted then as what `run` brought."""
        if found := self.present(image):
            return found
        source = self.source(image)
        pulled = here(self.client, self.puller.pull(source, self.downloaded))
        if pulled is None:
            raise ImageError(f"{source} was pulled, and removed by somebody at once")
        found = self._called(pulled, image)
        note = Note(image=image, id=found.id, names=tuple(dict.fromkeys((source, image))), run=run)
        self.ledger.write(note)
        return found

    def look(self, image: str) -> Remote:
        """What a pull would transfer. Raises as Registries.look. A registry that keeps failing is
        asked no more: there may be hundreds of images, and each question waits for it."""
        if self._registries is None:
            self._registries = Registries.of(self.client, self.cache, self.options.platform)
        source = self.source(image)
        registry = parsed(source).registry
        if self._failed[registry] >= ENOUGH:
            raise ImageError(f"{source}: {registry} is asked no more, after {ENOUGH} failures")
        try:
            remote = self._registries.look(source)
        except (ImageBusyError, ImageMissingError):
            raise
        except ImageError:
            self._failed[registry] += 1
            raise
        self._failed[registry] = 0
        return remote

    def look_patiently(self, image: str) -> Remote:
        """The same, once no rate limit is known of. Raises CancelledError."""
        while True:
            self.puller.limit.wait()
            try:
                return self.look(image)
            except ImageBusyError as error:
                self.puller.limit.met(image, error)

    def unpacked(self, image: str, remote: Remote) -> dict[str, int]:
        """The layers of an image that is not here, with the bytes that they will take."""
        if self._registries is None:
            return {}
        ask, source = self._registries.unpacked, self.source(image)
        return {layer.chain: ask(source, layer) for layer in remote.layers}

    def _called(self, found: Here, image: str) -> Here:
        """The image, with `image` among its names, so that it is found by it the next time."""
        if "@" in image or image in found.names:
            return found
        name = parsed(image)
        repository = image.rpartition(":")[0] if image.endswith(f":{name.tag}") else image
        with asking(f"calling {found.id} {image}"):
            self.client.api.tag(found.id, repository, name.tag)
        return here(self.client, image) or found
