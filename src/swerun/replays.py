"""Recorded attempts done again with nobody to ask, and compared. Nothing below runs/ changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Event

from swerun.again import Again
from swerun.config import cache_folder
from swerun.errors import CancelledError, InputError, RecordingOverError, SwerunError
from swerun.images.store import EngineImages
from swerun.moments import Moment, Way, whole_way
from swerun.ports import Images, Sandbox, Sandboxes
from swerun.records import Instance, Question, Role, Step, Stop, Task
from swerun.replaying import Difference, Nobody, ReplayingAgent, difference
from swerun.report.summary import scored
from swerun.runs.store import RunStore
from swerun.sandbox.containers import reap_orphans, reap_own
from swerun.sandbox.patch import take_patch
from swerun.scaffolding import stepwise
from swerun.standing import profiles_of
from swerun.workbench import connected, sandboxes_of

GLANCE = 0.2  # seconds between looks at the cancel event


@dataclass(frozen=True, slots=True)
class Compared:
    """What doing an attempt again came to, beside its recording.

    `patch` is the recorded one, None where there is none, and `came` the one of now. `ended` says
    why the agent did not come to the last of the `steps`; `trouble` why nothing can be compared.
    """

    instance_id: str
    attempt: int
    steps: int = 0  # recorded
    done: int = 0  # of them, again
    differences: tuple[Difference, ...] = ()
    ended: Stop | None = None
    patch: bytes | None = None
    came: bytes = b""
    other_image: str = ""  # how the image is another one than the recorded
    trouble: str = ""

    @property
    def has_same_patch(self) -> bool:
        return self.patch is None or self.patch == self.came

    @property
    def is_same(self) -> bool:
        went_the_same_way = self.done == self.steps and not self.differences
        return went_the_same_way and self.has_same_patch and not self.trouble


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where attempts are done again: images, and sandboxes as an attempt's question has them."""

    images: Images
    sandboxes: Callable[[Question], Sandboxes]
    cancel: Event
    clear: Callable[[], None]  # removes the containers, which ends what is blocked in them


@contextmanager
def workshop(
    run: Again, environment: Mapping[str, str], cancel: Event, say: Callable[[str], None]
) -> Iterator[Workshop]:
    """On the engine that the environment names, beside whatever sessions the run may have.

    Raises NoEngineError, and InputError for a run whose attempts have no steps to do again.
    """
    stepwise(run.record.question.scaffold)
    with connected(environment) as client:
        label = run.store.shell_label()
        reap_orphans(client, label)
        cache = cache_folder(run.config.cache, environment)
        images = EngineImages(client, cache, say, run.config.images, environment, cancel)

        def sandboxes(asked: Question) -> Sandboxes:
            return sandboxes_of(client, label, *profiles_of(client, asked, images, None))

        try:
            yield Workshop(images, sandboxes, cancel, lambda: reap_own(client, label))
        finally:
            reap_own(client, label)


def attempts_of(store: RunStore, instance_id: str, number: int | None) -> list[int]:
    """Attempt `number`, or of each sample the one that counts; where none does, the newest.

    Raises InputError where there is no such attempt.
    """
    past = store.past(instance_id)
    there = [each.number for each in past]
    if number is None:
        counting = scored(each.done for each in past if each.done)
        return sorted(attempt.attempt for attempt in counting.values()) or there[-1:]
    if number not in there:
        known = ", ".join(map(str, there)) or "none"
        raise InputError(f"--attempt {number}: of {instance_id} there are {known}")
    return [number]


def compare_all(
    wanted: Sequence[tuple[Instance, int]],
    compare: Callable[[Instance, int], Compared],
    jobs: int,
    place: Workshop,
    tell: Callable[[Compared], None],
) -> list[Compared]:
    """Each attempt that is `wanted`, `jobs` at once; `tell` hears of each as it is done. Raises
    CancelledError soon after the workshop's event is set."""
    found = []
    with ThreadPoolExecutor(jobs) as threads:
        pending = {threads.submit(compare, *each) for each in wanted}
        while pending:
            done, pending = wait(pending, timeout=GLANCE, return_when=FIRST_COMPLETED)
            if place.cancel.is_set():
                place.clear()
                continue
            for each in done:
                found.append(each.result())
                tell(found[-1])
    if place.cancel.is_set():
        raise CancelledError("stopped, and the containers are removed")
    return found


def compared(run: Again, instance: Instance, number: int, place: Workshop) -> Compared:
    """The recorded steps of an attempt done again, and what came of it; trouble is part of that."""
    found = Compared(instance.id, number)
    try:
        if place.cancel.is_set():
            raise CancelledError("stopped before this began")
        way = whole_way(Moment(instance.id, number), run.store, run.record.question)
        patch = way.patch if run.store.is_solved(instance.id, number) else None
        found = replace(found, steps=len(way.steps), patch=patch)
        with place.images.hold(instance):
            image = place.images.ensure(instance)
            if way.image_digest not in {"", image.digest}:
                found = replace(found, other_image=f"{way.image_digest} -> {image.digest}")
            return _done_again(found, way, instance.on_image(image.id).task, place)
    except SwerunError as error:
        return replace(found, trouble=str(error))


def _done_again(found: Compared, way: Way, task: Task, place: Workshop) -> Compared:
    sandboxes, number = place.sandboxes(way.question), found.attempt
    with sandboxes.start(task, role=Role.AGENT, attempt=number) as sandbox:
        came, stop = _driven(way, task, sandbox, place.cancel)
        patch = take_patch(sandboxes, task, sandbox, attempt=number).diff
    pairs = zip(way.steps, came, strict=False)
    differences = tuple(d for each in pairs if (d := difference(*each)))
    ended = stop if len(came) < len(way.steps) else None
    return replace(found, done=len(came), differences=differences, ended=ended, came=patch)


def _driven(
    way: Way, task: Task, sandbox: Sandbox, cancel: Event
) -> tuple[list[Step], Stop | None]:
    """The steps that were done again, and why the agent ended, where it did not ask for more."""
    came: list[Step] = []
    if way.agent is None:
        return came, None
    running = ReplayingAgent(way.agent, way.steps, way.moment.attempt).solve(
        task, sandbox, Nobody(), cancel
    )
    while True:
        try:
            came.append(next(running))
        except StopIteration as done:
            return came, Stop(done.value)
        except RecordingOverError:
            return came, None
