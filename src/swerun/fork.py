"""An attempt that goes on from a step of another one, with another model, prompt or limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from swerun.agent.loop import is_submission
from swerun.engine.plan import fork
from swerun.errors import InputError
from swerun.moments import asked, solved_in
from swerun.ports import Planned
from swerun.records import Cause, Instance, Overrides, Question, Step, Stop
from swerun.runs.store import Past, RunStore
from swerun.scaffolding import stepwise


@dataclass(frozen=True, slots=True)
class Branch:
    """Where an attempt is to begin: after the first `at` steps of an earlier one.

    `past` is that one, and `steps` are all it has.
    """

    instance_id: str
    past: Past
    at: int
    steps: tuple[Step, ...]

    @property
    def said(self) -> str:
        return f"step {self.at} of attempt {self.past.number} of {self.instance_id}"


def newest(store: RunStore, instance_id: str) -> int | None:
    """The attempt that is forked where none is named; None where there is none.

    It is no fork whose patch waits for its grade, so that the command that was cut off means the
    same once more, and comes upon it.
    """
    history = store.past(instance_id)
    numbers = [
        past.number for past in history if not (past.waits and past.started.cause is Cause.FORKED)
    ]
    return max(numbers, default=None)


def branch_of(store: RunStore, instance_id: str, number: int, at: int) -> Branch:
    """Raises InputError where nothing can come after that step."""
    past = store.past_attempt(instance_id, number)
    if (made_in := solved_in(past)) != number:  # it graded what that one had made
        past = store.past_attempt(instance_id, made_in)
    stepwise(store.record().question.scaffold)
    branch = Branch(instance_id, past, at, tuple(store.steps(instance_id, past.number)))
    there = len(branch.steps)
    if at == 0:
        raise InputError("--at 0: from the beginning on it is a rerun: swerun rerun")
    if not 1 <= at <= there:
        raise InputError(f"--at {at}: attempt {past.number} of {instance_id} has {there} steps")
    if is_submission(branch.steps[at - 1].reply):
        raise InputError(f"--at {at}: that is the submission, and nothing comes after it: "
                         f"--at {at - 1} is the step before")  # fmt: skip
    if at == there and past.done and past.done.stop is Stop.SANDBOX_LOST:
        raise InputError(
            f"--at {at}: that step ended the container: --at {at - 1} is the one before"
        )
    return branch


def planning(
    branch: Branch, question: Question, say: Callable[[str], None]
) -> Callable[[RunStore, Mapping[str, Instance], Overrides], list[Planned]]:
    """The attempt that goes on from there, of a run that asks `question`."""

    def plan(
        store: RunStore, instances: Mapping[str, Instance], changed: Overrides
    ) -> list[Planned]:
        old, new = asked(question, branch.past.started.changed), asked(question, changed)
        refuse_unfit(branch, old, new)
        others = "; ".join(f"{key}: {was} -> {now}" for key, (was, now) in changed.items())
        say(f"From {branch.said} on{f' with {others}' if others else ''}. "
            "A fork never counts in the score of its run.")  # fmt: skip
        anew = (old.model, old.asked_for) != (new.model, new.asked_for)
        instance, past = instances[branch.instance_id], store.past(branch.instance_id)
        return [replace(fork(instance, past, branch.past, branch.at, changed), anew=anew)]

    return plan


def refuse_unfit(branch: Branch, old: Question, new: Question) -> None:
    """Raises InputError where what is asked now cannot go on from what was asked then."""
    was, now = stepwise(old.scaffold), stepwise(new.scaffold)
    if was.protocol != now.protocol:
        raise InputError(f"--protocol: the recorded replies are in {was.protocol}, and no request "
                         f"in {now.protocol} can carry them")  # fmt: skip
    if new.limits.steps <= branch.at:
        raise InputError(f"--steps {new.limits.steps}: {branch.said} is the last that this allows")
