"""What a run would do for its images, and how many bytes a pull would transfer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

from swerun.errors import ImageBusyError, ImageError, ImageMissingError
from swerun.images.base import BASE
from swerun.images.here import everything
from swerun.images.registry import Remote
from swerun.images.store import EngineImages, base_named
from swerun.records import Instance

AT_ONCE = 8  # questions to registries


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """What a run would do for an instance's image: nothing (`here`), `build` or `pull` it, which
    transfers `bytes` beyond those of the lines before it; None where nobody says. What no registry
    has is `missing`."""

    instance_id: str
    image: str
    todo: str
    bytes: int | None = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """`problem` is why the bytes of some image are not known: the first of such reasons."""

    images: tuple[PlannedImage, ...]
    problem: str = ""

    @property
    def bytes(self) -> int:
        return sum(each.bytes or 0 for each in self.images)

    @property
    def unknown(self) -> int:
        return sum(each.bytes is None for each in self.images)


def plan(images: EngineImages, instances: Sequence[Instance]) -> Plan:
    """What `ensure` would do, with nothing done.

    Layers that are here, and those of images before, are not counted again. An engine that has a
    layer, but not from a registry, transfers it all the same.
    """
    todo = {i.task.image: images.todo(i) for i in instances}
    asked = {i.task.image: name for i in instances if (name := _to_pull(images, i, todo))}
    answers = _look(images, sorted(set(asked.values())))
    there = everything(images.client) if asked else []
    seen = {chain for each in there for chain in each.chains}
    planned, problems = [], []
    for instance in instances:
        image = instance.task.image
        answer = answers.get(asked.pop(image, ""))  # of instances that share an image, the first
        size: int | None = 0
        if isinstance(answer, Remote):
            size = sum(layer.bytes for layer in answer.layers if layer.chain not in seen)
            seen.update(layer.chain for layer in answer.layers)
        elif answer is not None:
            size = None
            problems.append(str(answer))
            if isinstance(answer, ImageMissingError):
                todo[image] = "missing"
        planned.append(PlannedImage(instance.id, image, todo[image], size))
    return Plan(tuple(planned), problems[0] if problems else "")


def _to_pull(images: EngineImages, instance: Instance, todo: dict[str, str]) -> str:
    """The image that a pull is needed for: the instance's, or the one that a build stands on."""
    if todo[instance.task.image] == "pull":
        return instance.task.image
    if todo[instance.task.image] == "here" or instance.context is None:
        return ""
    start = base_named(instance.context)
    return "" if start == BASE or images.fetcher.present(start) else start


def _look(images: EngineImages, names: Sequence[str]) -> dict[str, Remote | ImageError]:
    """What registries say of the images. After a rate limit the others are not asked for."""
    enough = Event()

    def look(name: str) -> Remote | ImageError:
        if enough.is_set():
            return ImageBusyError(f"{name}: not asked for after a rate limit")
        try:
            return images.fetcher.look(name)
        except ImageError as error:
            if isinstance(error, ImageBusyError):
                enough.set()
            return error

    with ThreadPoolExecutor(AT_ONCE) as threads:
        return dict(zip(names, threads.map(look, names), strict=True))
