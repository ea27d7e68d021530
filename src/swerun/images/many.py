"""Many images at once, each once, and none stops another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from swerun.errors import CancelledError, SwerunError
from swerun.images.store import EngineImages
from swerun.ports import Image
from swerun.records import Instance


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an instance's image. `was` is what there was to do: here, pull or build."""

    instance: Instance
    was: str
    image: Image | None = None
    error: SwerunError | None = None


def make(
    images: EngineImages,
    instances: Sequence[Instance],
    jobs: int,
    tell: Callable[[Made], None] = lambda _: None,
) -> list[Made]:
    """The images of these instances, `jobs` at once; `tell` hears of each as it is done.

    Raises CancelledError soon after the images' cancel event is set.
    """
    one_each = {instance.task.image: instance for instance in reversed(instances)}
    made = []
    with ThreadPoolExecutor(jobs) as threads:
        for future in as_completed(
            [threads.submit(_one, images, each) for each in reversed(one_each.values())]
        ):
            done = future.result()
            made.append(done)
            tell(done)
    if images.cancel.is_set():
        raise CancelledError("stopped; the same command goes on from here")
    return made


def _one(images: EngineImages, instance: Instance) -> Made:
    was = ""
    try:
        if images.cancel.is_set():
            raise CancelledError("stopped before this began")
        was = images.todo(instance)
        with images.hold(instance):
            return Made(instance, was, images.ensure(instance))
    except SwerunError as error:
        return Made(instance, was, error=error)
