"""The story of one attempt: image, solve, take the patch, grade, record. READ THIS FIRST."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

from swerun.errors import CancelledError, GraderError, SandboxError
from swerun.ports import Grader, Images, Journal, Kept, Planned, Slots, Solver
from swerun.records import Attempt, Failure, Fault, Grade, GradeReason, Outcome, Usage
from swerun.solve import failure_of


@dataclass(frozen=True, slots=True)
class Bench:
    """What every attempt of a run is made with."""

    images: Images
    solver: Solver
    grader: Grader
    slots: Slots
    cancel: Event


@dataclass(slots=True)
class Story:
    """What is known of an attempt so far; `failure` is what ended it without a verdict."""

    kept: Kept | None = None
    grade: Grade | None = None
    failure: Failure | None = None
    cancelled: bool = False
    solve_seconds: float = 0.0
    grade_seconds: float = 0.0
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    clock: float = field(default_factory=time.monotonic)


def run_attempt(planned: Planned, bench: Bench, journal: Journal) -> Attempt:
    """Never raises but where the record itself cannot be written: trouble is part of it."""
    story = Story(kept=planned.kept)
    try:
        journal.stage("image")
        with bench.slots.images():
            digest = bench.images.ensure(planned.instance)
        if story.kept is None:
            with bench.slots.agents():
                journal.stage("solve")
                began = time.monotonic()
                story.kept = bench.solver.solve(planned, digest, journal)
                story.solve_seconds = time.monotonic() - began
                journal.solved(story.kept.solved, story.kept.patch)
        elif story.kept.solved.attempt != planned.number:
            story.kept = taken_over(story.kept, planned.number)
            journal.solved(story.kept.solved, story.kept.patch)
        story.failure = story.kept.solved.failure
        if story.failure is None:
            with bench.slots.grading():
                journal.stage("grade")
                began = time.monotonic()
                story.grade = _grade(planned, story.kept.patch, bench.grader, journal)
                story.grade_seconds = time.monotonic() - began
    except Exception as error:  # noqa: BLE001 -- the one place that turns an error into data
        story.failure = failure_of(error)
        # a cancelled run removes its containers, which looks like any trouble from in here
        story.cancelled = isinstance(error, CancelledError) or bench.cancel.is_set()
    attempt = _attempt(planned, story)
    if not (story.cancelled and story.kept):  # a patch that waits for its grade is not done
        journal.finished(attempt)
    return attempt


def taken_over(kept: Kept, number: int) -> Kept:
    """The patch of an attempt whose grading failed, as that of attempt `number`."""
    made_in = kept.solved.solved_in or kept.solved.attempt
    solved = kept.solved.model_copy(update={"attempt": number, "solved_in": made_in})
    return Kept(solved, kept.patch)


def _grade(planned: Planned, patch: bytes, grader: Grader, journal: Journal) -> Grade:
    """A grading that failed or ran out of time is made once more, of the same patch."""
    try:
        graded = grader.grade(planned.instance, patch, attempt=planned.number)
        journal.graded(graded)
    except (GraderError, SandboxError):
        graded = None
    if graded is None or graded.grade.reason is GradeReason.TIMED_OUT:
        graded = grader.grade(planned.instance, patch, attempt=planned.number)
        journal.graded(graded)
    return graded.grade


def _attempt(planned: Planned, story: Story) -> Attempt:
    solved = story.kept.solved if story.kept else None
    return Attempt(
        instance_id=planned.instance.id,
        attempt=planned.number,
        sample=planned.sample,
        cause=planned.cause,
        of=planned.of,
        solved_in=solved.solved_in if solved else None,
        outcome=outcome_of(story.grade, story.failure, cancelled=story.cancelled),
        stop=solved.stop if solved else None,
        grade=story.grade,
        failure=story.failure,
        steps=solved.steps if solved else 0,
        usage=solved.usage if solved else Usage(),
        patch_bytes=solved.patch_bytes if solved else 0,
        replay_differs=solved.replay_differs if solved else None,
        seconds=round(time.monotonic() - story.clock, 3),
        solve_seconds=round(solved.seconds if solved else story.solve_seconds, 3),
        grade_seconds=round(story.grade_seconds, 3),
        started_at=solved.started_at if solved else story.started_at,
        finished_at=datetime.now(UTC),
    )


_OF_REASON = {
    GradeReason.RESOLVED: Outcome.RESOLVED,
    GradeReason.TESTS_FAILED: Outcome.UNRESOLVED,
    GradeReason.NO_RESULTS: Outcome.UNRESOLVED,
    GradeReason.TIMED_OUT: Outcome.TESTS_TIMED_OUT,
    GradeReason.PATCH_REJECTED: Outcome.PATCH_REJECTED,
    GradeReason.NO_PATCH: Outcome.NO_PATCH,
}
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
    return _OF_REASON[grade.reason] if grade else Outcome.INTERNAL_ERROR
