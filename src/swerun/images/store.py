"""From an instance to its image on this engine: there already, built, or pulled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from swerun.errors import InstanceError
from swerun.images.base import BASE, BaseMaker, Say
from swerun.images.build import build, digest_of, image_id
from swerun.images.pull import pull
from swerun.records import Instance

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """What a run would do for an instance's image: nothing (`here`), `build` or `pull` it."""

    instance_id: str
    image: str
    todo: str


@dataclass(frozen=True, slots=True)
class EngineImages:
    """A ports.Images on one engine; threads may share it. `cache` is for locks between processes.

    An instance with a build context has its image built and never pulled; any other's is taken as
    it is here, or pulled.
    """

    client: DockerClient
    cache: Path
    say: Say = lambda _: None
    _made: dict[str, str] = field(default_factory=dict)
    _locks: dict[str, Lock] = field(default_factory=dict)

    def ensure(self, instance: Instance) -> str:
        image = instance.task.image
        # one build of a repository at a time: two would each make the layers that they share
        line = image if instance.context is None else instance.task.repo
        with self._locks.setdefault(line, Lock()):
            if image not in self._made:
                self._made[image] = self._ensure(instance)
            return self._made[image]

    def begin(self, instances: Sequence[Instance]) -> None:
        """Make what many of them begin with, so that no attempt has to find out that it cannot.

        Raises ImageError.
        """
        if any(each.context and base_named(each.context) == BASE for each in instances):
            self._base()

    def plan(self, instances: Sequence[Instance]) -> list[PlannedImage]:
        """What `ensure` would do, with nothing done."""
        return [PlannedImage(i.id, i.task.image, self._todo(i)) for i in instances]

    def here(self, instance: Instance) -> str | None:
        """The digest of its image, where that is here as `ensure` would leave it."""
        image, context = instance.task.image, instance.context
        if context is None:
            return image_id(self.client, image)
        start = image_id(self.client, base_named(context))
        return start and image_id(self.client, image, inputs=digest_of(context, start))

    def _ensure(self, instance: Instance) -> str:
        image, context = instance.task.image, instance.context
        if context is None:
            return image_id(self.client, image) or pull(self.client, image)
        start = self._start(context)
        inputs = digest_of(context, start)
        there = image_id(self.client, image, inputs=inputs)
        return there or build(self.client, context, image, inputs=inputs)

    def _todo(self, instance: Instance) -> str:
        if self.here(instance):
            return "here"
        return "pull" if instance.context is None else "build"

    def _base(self) -> str:
        return BaseMaker(self.client, self.cache, self.say).ensure()

    def _start(self, context: Path) -> str:
        """The id of the image that a Dockerfile begins with, which is made or pulled if need be."""
        name = base_named(context)
        if name == BASE:
            return self._base()
        return image_id(self.client, name) or pull(self.client, name)


def base_named(context: Path) -> str:
    """What a build context's Dockerfile is FROM. Raises InstanceError where it does not say."""
    file = context / "Dockerfile"
    for line in file.read_text(encoding="utf-8").splitlines():
        words = [word for word in line.split() if not word.startswith("--")]
        if len(words) > 1 and words[0].upper() == "FROM":
            name = words[1]
            tagged = ":" in name.rpartition("/")[2]  # what is before may be a registry with a port
            return name if tagged else f"{name}:latest"
    raise InstanceError(f"{file}: it has no line that begins with FROM")
