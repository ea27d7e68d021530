"""The story of one attempt: image, solve, take the patch, grade, record. READ THIS FIRST."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from threading import Event

from swerun.conduct.audit import conduct_of
from swerun.errors import CancelledError, GraderError, SandboxError, StorageError
from swerun.ports import Grader, Image, Images, Journal, Kept, Planned, Slots, Solver
from swerun.records import (
    Attempt,
    Failure,
    Fault,
    Grade,
    GradeReason,
    Instance,
    Outcome,
    Price,
    Step,
    Usage,
)
from swerun.solve import failure_of, replayed_of


@dataclass(frozen=True, slots=True)
class Bench:
    """What every attempt of a run is made with."""

    images: Images
    solver: Solver
    grader: Grader
    slots: Slots
    cancel: Event
    price: Price | None = None  # of the model's tokens
    refusal: Callable[[Planned], str] = lambda _: ""  # why an attempt is not begun any more
    # what an agent is given in the place of an instance's image
    for_agent: Callable[[Instance, Image], Image] = lambda _, image: image


@dataclass(slots=True)
class Story:
    """What is known of an attempt so far; `failure` is what ended it without a verdict."""

    kept: Kept | None = None
    image: str = ""  # its digest
    grade: Grade | None = None
    failure: Failure | None = None
    cancelled: bool = False
    steps: list[Step] = field(default_factory=list)  # of a solving, for the case that it has no end
    usage: Usage = field(default_factory=Usage)  # theirs
    solve_seconds: float = 0.0
    grade_seconds: float = 0.0
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)


def run_attempt(planned: Planned, bench: Bench, journal: Journal) -> Attempt:
    """Never raises but where the record itself cannot be written: trouble is part of it."""
    story = Story(kept=planned.kept)
    try:
        journal.stage("waiting")
        with bench.images.hold(planned.instance):
            _on_its_image(planned, bench, story, journal)
    except StorageError:
        raise  # as good as killed: were it said to be over, all that it was would be made again
    except Exception as error:  # noqa: BLE001 -- the one place that turns an error into data
        story.failure = failure_of(error)
        # a cancelled run removes its containers, which looks like any trouble from in here
        story.cancelled = isinstance(error, CancelledError) or bench.cancel.is_set()
    attempt = _attempt(planned, story, bench.price)
    if not (story.cancelled and story.kept):  # a patch that waits for its grade is not done
        journal.finished(attempt)
    return attempt


def _on_its_image(planned: Planned, bench: Bench, story: Story, journal: Journal) -> None:
    with bench.slots.images():
        journal.stage("image")
        image = shown = bench.images.ensure(planned.instance)
        if story.kept is None:
            shown = bench.for_agent(planned.instance, image)
    journal.stage("waiting")
    story.image = image.digest
    # by its id, so that whoever moves the image's name meanwhile changes nothing here
    pinned = replace(planned, instance=planned.instance.on_image(image.id))
    if story.kept is None:
        with bench.slots.agents():
            if refused := bench.refusal(planned):  # it waited, and things have changed
                raise CancelledError(refused)
            journal.stage("solve")
            story.kept = _solve(planned, shown, bench.solver, story, journal)
    elif story.kept.solved.attempt != planned.number:
        story.kept = taken_over(story.kept, planned.number)
        journal.solved(story.kept.solved, story.kept.patch)
    story.failure = story.kept.solved.failure
    if story.failure is None:
        with bench.slots.grading():
            journal.stage("grade")
            _grade(pinned, story.kept, bench, story, journal)


def taken_over(kept: Kept, number: int) -> Kept:
    """The patch of an attempt whose grading failed, as that of attempt `number`."""
    made_in = kept.solved.solved_in or kept.solved.attempt
    solved = kept.solved.model_copy(update={"attempt": number, "solved_in": made_in})
    return Kept(solved, kept.patch)


def _solve(planned: Planned, image: Image, solver: Solver, story: Story, journal: Journal) -> Kept:
    pinned = replace(planned, instance=planned.instance.on_image(image.id))
    began = time.monotonic()

    def keep(step: Step) -> None:
        journal.step(step)
        story.steps.append(step)
        story.usage += step.reply.usage

    try:
        kept = solver.solve(pinned, image.digest, keep)
    finally:
        story.solve_seconds = time.monotonic() - began
    seen = {"cleaned": image.cleaned, "leaks": image.leaks}
    kept = replace(kept, solved=kept.solved.model_copy(update=seen))
    journal.solved(kept.solved, kept.patch)
    return kept


def _grade(planned: Planned, kept: Kept, bench: Bench, story: Story, journal: Journal) -> None:
    """A grading that failed or ran out of time is made once more, of the same patch."""
    began, patch, problem = time.monotonic(), kept.patch, kept.solved.patch_problem
    try:
        for is_last in (False, True):
            try:
                graded = bench.grader.grade(planned.instance, patch, attempt=planned.number)
            except (GraderError, SandboxError):
                if bench.cancel.is_set() or (is_last and story.grade is None):
                    raise
            else:
                graded = graded.on_image(story.image).explained(problem)
                story.grade = graded.grade
                journal.graded(graded)
                if story.grade.reason is not GradeReason.TIMED_OUT:
                    return
    finally:
        story.grade_seconds = time.monotonic() - began


def _attempt(planned: Planned, story: Story, price: Price | None) -> Attempt:
    solved = story.kept.solved if story.kept else None
    usage = solved.usage if solved else story.usage
    replayed = solved.replayed if solved else replayed_of(story.steps)
    if replayed and price:
        replayed = replayed.model_copy(update={"cost": price.cost(replayed.usage)})
    imported = solved.imported if solved else None
    cost = imported.cost if imported else price.cost(usage) if price else None
    return Attempt(
        **dict(planned.started),
        instance_id=planned.instance.id,
        attempt=planned.number,
        solved_in=solved.solved_in if solved else None,
        outcome=outcome_of(story.grade, story.failure, cancelled=story.cancelled),
        stop=solved.stop if solved else None,
        grade=story.grade,
        failure=story.failure,
        steps=solved.steps if solved else len(story.steps),
        usage=usage,
        cost=cost,
        imported=imported,
        replayed=replayed,
        patch_bytes=solved.patch_bytes if solved else 0,
        replay_differs=solved.replay_differs if solved else None,
        leaks=solved.leaks if solved else (),
        conduct=solved.conduct if solved else conduct_of(story.steps, planned.instance.task),
        seconds=round(time.monotonic() - story.clock, 3),
        solve_seconds=round(solved.seconds if solved else story.solve_seconds, 3),
        grade_seconds=round(story.grade_seconds, 3),
        started_at=solved.started_at if solved else story.started_at,
        finished_at=datetime.now(UTC),
    )


_OF_FAULT = {
    Fault.INSTANCE: Outcome.INSTANCE_FAILED,
    Fault.IMAGE: Outcome.IMAGE_FAILED,
    Fault.SANDBOX: Outcome.SANDBOX_FAILED,
    Fault.ENDPOINT: Outcome.ENDPOINT_FAILED,
    Fault.GRADER: Outcome.GRADER_FAILED,
    Fault.SWERUN: Outcome.INTERNAL_ERROR,
}


def outcome_of(grade: Grade | None, failure: Failure | None, *, cancelled: bool) -> Outcome:
    """Exactly one: what the user stopped, else whose fault it was, else the verdict."""
    if cancelled:
        return Outcome.CANCELLED
    if failure is not None:
        return _OF_FAULT[failure.fault]
    return grade.reason.outcome if grade else Outcome.INTERNAL_ERROR
