"""From an instance to a patch: an agent's work, or one that is given."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

from swerun.agent.loop import used
from swerun.conduct.audit import conduct_of
from swerun.errors import CancelledError, EndpointError, SwerunError
from swerun.ports import Agent, Kept, Model, Planned, Sandboxes
from swerun.records import Cause, Failure, Fault, Instance, Replayed, Role, Solved, Step, Stop, Task
from swerun.replaying import ReplayingAgent
from swerun.sandbox.patch import take_patch

Keep = Callable[[Step], None]


def failure_of(error: Exception) -> Failure:
    """The class says whose fault it is; what is not a SwerunError is a bug in swerun."""
    fault = error.fault if isinstance(error, SwerunError) else Fault.SWERUN
    return Failure(
        fault=fault,
        error=type(error).__name__,
        message=str(error)[:4000],
        retry=isinstance(error, SwerunError) and error.retry,
    )


@dataclass(frozen=True, slots=True)
class GivenPatch:
    """No agent: the patch is the gold one, none, or a prediction."""

    patch_of: Callable[[Instance], bytes]

    def solve(self, planned: Planned, image_digest: str, keep: Keep) -> Kept:  # noqa: ARG002
        patch = self.patch_of(planned.instance)
        return kept(planned, patch, Ended(Stop.GIVEN), image_digest=image_digest)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a solving ended: a stop, or the endpoint's failure, with the steps until then."""

    stop: Stop | None
    failure: Failure | None = None
    steps: tuple[Step, ...] = ()
    left_behind: tuple[str, ...] = ()
    patch_problem: str = ""
    seconds: float = 0.0
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class AgentSolver:
    """An agent that drives a model in a sandbox, after the recorded steps that it begins with;
    `model_of` gives the model for a task. `hushed` takes secrets that the agent knows out of its
    patch."""

    sandboxes: Sandboxes
    agent: Agent
    model_of: Callable[[Task], Model]
    cancel: Event
    hushed: Callable[[str], str] = lambda text: text

    def solve(self, planned: Planned, image_digest: str, keep: Keep) -> Kept:
        task, steps = planned.instance.task, list[Step]()
        began, started_at = time.monotonic(), datetime.now(UTC)
        model = self.model_of(task)  # raises where there is none to be had: no container for that
        agent = self._agent(planned)
        stop: Stop | None = None
        failure: Failure | None = None

        def kept_too(step: Step) -> None:
            keep(step)
            steps.append(step)

        with self.sandboxes.start(task, role=Role.AGENT, attempt=planned.number) as sandbox:
            try:
                stop = _drive(agent.solve(task, sandbox, model, self.cancel), kept_too)
            except EndpointError as error:  # what was done until then is kept, not graded
                failure = failure_of(error)
            if stop is Stop.SANDBOX_LOST and self.cancel.is_set():
                raise CancelledError("the run was stopped, and its containers with it")
            taken = take_patch(self.sandboxes, task, sandbox, attempt=planned.number)
        seconds = time.monotonic() - began
        ended = Ended(
            stop, failure, tuple(steps), taken.left_behind, taken.problem, seconds, started_at
        )
        diff = self.hushed(taken.diff.decode("latin-1")).encode("latin-1")
        return kept(planned, diff, ended, image_digest=image_digest)

    def _agent(self, planned: Planned) -> Agent:
        if not planned.recorded or planned.of is None:
            return self.agent
        same = planned.cause is not Cause.FORKED
        return ReplayingAgent(self.agent, planned.recorded, planned.of, planned.anew, refuses=same)


def _drive(steps: Generator[Step, None, Stop], keep: Keep) -> Stop:
    while True:
        try:
            step = next(steps)
        except StopIteration as done:
            return Stop(done.value)
        keep(step)


def kept(planned: Planned, patch: bytes, ended: Ended, *, image_digest: str) -> Kept:
    """The record of a solving that is over."""
    solved = Solved(
        instance_id=planned.instance.id,
        attempt=planned.number,
        stop=ended.stop,
        failure=ended.failure,
        steps=len(ended.steps),
        usage=used(ended.steps),
        replayed=replayed_of(ended.steps),
        patch_bytes=len(patch),
        patch_sha256=hashlib.sha256(patch).hexdigest(),
        left_behind=ended.left_behind,
        conduct=conduct_of(ended.steps, planned.instance.task, patch),
        patch_problem=ended.patch_problem,
        replay_differs=_differing(ended.steps),
        model_served=ended.steps[-1].reply.model if ended.steps else "",
        image_digest=image_digest,
        started_at=ended.started_at,
        seconds=round(ended.seconds, 3),
    )
    return Kept(solved, patch)


def replayed_of(steps: Sequence[Step]) -> Replayed | None:
    """What of an attempt's steps was done again; None where nothing was."""
    again = [step for step in steps if step.reply.replayed is not None]
    if not again:
        return None
    differs = tuple(step.index for step in again if step.differs)
    return Replayed(steps=len(again), usage=used(again), differs=differs)


def _differing(steps: Sequence[Step]) -> int | None:
    """How many steps came out otherwise than they were recorded; None where none was recorded.

    A recorded endpoint tells with a reply what it thinks of the step before it.
    """
    again = [step for step in steps if step.reply.replayed is not None]
    told = [step for step in steps if step.reply.replayed is None and step.reply.replay]
    if not again and not told:
        return None
    differing = {step.index for step in again if step.differs}
    return len(differing | {step.index - 1 for step in told if step.reply.replay == "differs"})
