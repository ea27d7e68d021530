"""Which state of a recorded attempt is meant, and how one comes to it. Pure, but for reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from swerun.errors import InputError
from swerun.ports import Agent
from swerun.records import Overrides, Question, Step, Stop
from swerun.runs.questions import flat
from swerun.runs.store import Past, RunStore
from swerun.scaffolding import rebuilt


@dataclass(frozen=True, slots=True)
class Moment:
    """A state of an attempt: with `at` of its steps done (None: all), or as `graded`."""

    instance_id: str
    attempt: int
    at: int | None = None
    graded: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """How a state is come to: by `steps` that `agent` does again, by the `patch`, or by neither.

    `said` is what state it is, in a line.
    """

    moment: Moment
    question: Question  # the attempt's own
    said: str
    agent: Agent | None = None
    steps: tuple[Step, ...] = ()
    patch: bytes = b""
    image_digest: str = ""  # of the image that the attempt was made in, where that is known


def way_to(moment: Moment, store: RunStore, question: Question) -> Way:
    """How the state is come to in a container of the attempt's image; `question` is the run's.

    Raises InputError where there is no way: then it says what there is.
    """
    past = store.past_attempt(moment.instance_id, moment.attempt)
    who = f"{moment.instance_id}, attempt {moment.attempt}"
    start = Way(
        moment, asked(question, past.started.changed), who, image_digest=_image_digest(past)
    )
    if moment.graded:
        if moment.at is not None:
            raise InputError("--graded and --at are two states: the grader has the whole patch")
        said = f"{who}, as the grader has it when the tests are about to begin"
        return replace(start, said=said, patch=_patch(store, moment))
    if moment.at == 0:
        return replace(start, said=f"{who}, before the first step")
    steps = tuple(store.steps(moment.instance_id, solved_in(past)))
    try:
        agent = rebuilt(start.question)
    except InputError as error:
        return _by_patch(start, store, str(error))
    if not steps:
        return _by_patch(start, store, "no steps of it are recorded")
    return _by_steps(replace(start, agent=agent, steps=steps), _stop(past))


def whole_way(moment: Moment, store: RunStore, question: Question) -> Way:
    """All of an attempt's steps, whatever the last one did to the container; `patch` is the one
    that was taken then. Raises InputError where there are none to do again."""
    past = store.past_attempt(moment.instance_id, moment.attempt)
    who = f"{moment.instance_id}, attempt {moment.attempt}"
    own = asked(question, past.started.changed)
    agent, steps = rebuilt(own), tuple(store.steps(moment.instance_id, solved_in(past)))
    if not steps:
        raise InputError(f"{who}: no steps of it are recorded")
    patch = store.patch(moment.instance_id, moment.attempt)
    return Way(moment, own, who, agent, steps, patch, _image_digest(past))


def _by_steps(whole: Way, stop: Stop | None) -> Way:
    all_, at, why = len(whole.steps), whole.moment.at, ""
    if at is None and stop is Stop.SANDBOX_LOST:
        at, why = all_ - 1, ": the last one ended the container"
    elif at is None:
        at = all_
    elif at > all_:
        raise InputError(f"--at {at}: there are {all_} steps, and 0 is before the first")
    said = f"{whole.said}, after step {at} of {all_}{why}"
    return replace(whole, said=said, steps=whole.steps[:at])


def _by_patch(start: Way, store: RunStore, why: str) -> Way:
    if start.moment.at is not None:
        raise InputError(
            f"--at {start.moment.at}: {why}. Without --at there is the state with the attempt's "
            "patch applied, with --at 0 the one before"
        )
    patch = _patch(store, start.moment)
    return replace(start, said=f"{start.said}, with its patch applied ({why})", patch=patch)


def _patch(store: RunStore, moment: Moment) -> bytes:
    if not store.is_solved(moment.instance_id, moment.attempt):
        raise InputError(f"attempt {moment.attempt} of {moment.instance_id} ended without a patch")
    return store.patch(moment.instance_id, moment.attempt)


def solved_in(past: Past) -> int:
    """The attempt whose steps they are."""
    solved = past.done or (past.kept and past.kept.solved)
    return (solved.solved_in if solved else None) or past.number


def _stop(past: Past) -> Stop | None:
    solved = past.done or (past.kept and past.kept.solved)
    return solved.stop if solved else None


def _image_digest(past: Past) -> str:
    if past.kept:
        return past.kept.solved.image_digest
    return past.done.grade.image_digest if past.done and past.done.grade else ""


def asked(question: Question, changed: Overrides) -> Question:
    """What an attempt is asked: what the run asks, but for what is `changed`."""
    now = {key: new for key, (_, new) in changed.items()}
    whole: dict[str, Any] = {}
    for key, value in (flat(question) | now).items():
        if value is not None:
            *parents, last = key.split(".")
            at = whole
            for parent in parents:
                at = at.setdefault(parent, {})
            at[last] = value
    of_nothing: dict[str, Any] = {"scaffold": None, "sampling": {}}
    return Question.model_validate(of_nothing | whole)
