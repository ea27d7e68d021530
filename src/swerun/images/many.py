"""Many images at once, each once, and none stops another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

from swerun.errors import CancelledError, ImageMissingError, SwerunError
from swerun.images.clean import CleanImages
from swerun.images.here import here
from swerun.images.ledger import Audited
from swerun.images.store import EngineImages
from swerun.ports import Image
from swerun.records import Instance, Task


@dataclass(frozen=True, slots=True)
class Made:
    """What became of an instance's image. `was` is what there was to do: here, pull or build."""

    instance: Instance
    was: str
    image: Image | None = None
    error: SwerunError | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What an audit found in a task's image; neither that nor an error where it is not here."""

    task: Task
    audited: Audited | None = None
    error: SwerunError | None = None

    @property
    def is_clean(self) -> bool:
        return self.audited is not None and not self.audited.leaks


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


def check(
    images: CleanImages,
    instances: Sequence[Instance],
    jobs: int,
    tell: Callable[[Checked], None] = lambda _: None,
    *,
    also_make: bool = False,
) -> list[Checked]:
    """Audit the images of these instances, `jobs` at once and in their order; those that are not
    here are made where `also_make` says so."""

    def one(instance: Instance) -> Checked:
        task = instance.task
        try:
            if not also_make and images.images.todo(instance) != "here":
                return Checked(task)
            with images.hold(instance):
                image = images.ensure(instance)
                return Checked(task, images.audited(task, image, clean=False))
        except SwerunError as error:
            return Checked(task, error=error)

    checked = []
    with ThreadPoolExecutor(jobs) as threads:
        for each in threads.map(one, instances):
            checked.append(each)
            tell(each)
    return checked


def check_image(images: CleanImages, image: str) -> Checked:
    """Audit an image that need be no instance's: what came after its HEAD, in its own work
    directory.

    Raises ImageMissingError where it is not here, InstanceError, SandboxError.
    """
    found = here(images.images.client, image)
    if found is None:
        raise ImageMissingError(f"there is no image {image} on this engine")
    task = Task(
        id=image.rpartition("/")[2],
        repo="",
        base_commit="",
        problem_statement="",
        image=image,
        workdir=found.workdir or Task.model_fields["workdir"].default,
    )
    seen = Image(found.id, found.digest(image))
    return Checked(task, images.audited(task, seen, clean=False))
