"""Steps that were recorded, done again: a model that answers as one once did, and what differs."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from threading import Event

from swerun.agent.loop import BashAgent
from swerun.errors import ContextLengthError, RecordingOverError
from swerun.models.chat import for_another
from swerun.models.recording import same
from swerun.ports import Agent, Message, Model, Sandbox
from swerun.records import Reply, Step, Stop, Task


@dataclass(frozen=True, slots=True)
class Nobody:
    """What is asked after the last recorded reply where there is no live model."""

    def reply(self, messages: Sequence[Message], *, deadline: float | None, cancel: Event) -> Reply:  # noqa: ARG002
        raise RecordingOverError("all recorded replies have been given, and there is nobody to ask")


@dataclass(slots=True)
class ReplayedModel:
    """Answers the first requests with the replies of `steps`, of attempt `of`; then asks `then`.

    It is the clock of whoever asks, too: recorded steps take what their replies and commands took
    when they were recorded, however long doing them again may take. So an attempt has the time left
    that it had after them. With `refuses` it finds a conversation too long where that was found
    before: then results are shortened again, and the next request is the one that would have come.
    """

    steps: Sequence[Step]
    of: int
    then: Model
    now: Callable[[], float] = time.monotonic
    refuses: bool = True
    _given: int = 0
    _began: float = 0.0  # by `now`, as all its moments
    _elapsed: float = 0.0  # seconds of the recorded steps so far, without the newest's commands
    _ahead: float | None = None  # seconds that `now` is ahead of `clock`, once all are done again
    _asked: tuple[Message, ...] = ()  # the request before
    _shortened: int = 0  # results, for the reply that is asked for
    _refused: int = -1  # how many they were when a request was last refused

    def __post_init__(self) -> None:
        self._began = self.now()

    def clock(self) -> float:
        """Seconds; the deadlines of requests are moments of it."""
        return self._began + self._elapsed if self._ahead is None else self.now() - self._ahead

    def reply(self, messages: Sequence[Message], *, deadline: float | None, cancel: Event) -> Reply:
        """Raises as `then` does, and ContextLengthError where it refuses."""
        if self._given < len(self.steps):
            return self._recorded(self.steps[self._given], tuple(messages))
        if self._ahead is None:
            self._ahead = self.now() - self._began - sum(map(taken, self.steps))
        until = None if deadline is None else deadline + self._ahead
        return self.then.reply(messages, deadline=until, cancel=cancel)

    def _recorded(self, step: Step, messages: tuple[Message, ...]) -> Reply:
        wanted = sum(len(self.steps[i].observations) for i in step.shortened)
        changed = sum(old is not new for old, new in zip(self._asked, messages, strict=False))
        self._asked, self._shortened = messages, self._shortened + changed
        if self.refuses and self._refused < self._shortened < wanted:
            self._refused = self._shortened
            raise ContextLengthError("the recorded conversation was too long here")
        self._refused, self._shortened = -1, 0
        self._elapsed = sum(map(taken, self.steps[: self._given])) + step.reply.seconds
        self._given += 1
        return step.reply.model_copy(update={"replayed": step.reply.replayed or self.of})


@dataclass(frozen=True, slots=True)
class ReplayingAgent:
    """`agent`, which carries out the recorded `steps` of attempt `of` again, and then goes on.

    The agent knows nothing of it. One of the user's own keeps time by itself: there the recorded
    steps take what doing them again takes. With `anew` another model goes on than the recorded one;
    without `refuses` the model's context may be another too.
    """

    agent: Agent
    steps: Sequence[Step]
    of: int
    anew: bool = False
    refuses: bool = True

    def solve(
        self, task: Task, sandbox: Sandbox, model: Model, cancel: Event
    ) -> Generator[Step, None, Stop]:
        agent = self.agent
        now = agent.clock if isinstance(agent, BashAgent) else time.monotonic
        steps = [_for_another(step) for step in self.steps] if self.anew else self.steps
        replayed = ReplayedModel(steps, self.of, model, now, self.refuses)
        if isinstance(agent, BashAgent):
            agent = replace(agent, clock=replayed.clock)
        running = agent.solve(task, sandbox, replayed, cancel)
        for recorded in self.steps:
            try:
                step = next(running)
            except StopIteration as done:
                return Stop(done.value)
            yield step.model_copy(update={"differs": difference(recorded, step) is not None})
        return (yield from running)


def _for_another(step: Step) -> Step:
    return step.model_copy(update={"reply": for_another(step.reply)})


@dataclass(frozen=True, slots=True)
class Difference:
    """A step that came out otherwise: the texts that were recorded, and those that came now."""

    step: int  # from 0
    recorded: tuple[str, ...]
    came: tuple[str, ...]


def difference(recorded: Step, came: Step) -> Difference | None:
    """How doing a step again differs from its recording, but for what always does."""
    before, now = shown(recorded), shown(came)
    return None if same(now, before) else Difference(recorded.index, before, now)


def shown(step: Step) -> tuple[str, ...]:
    """What the model was shown of a step."""
    return tuple(each.text for each in step.observations)


def taken(step: Step) -> float:
    """Seconds: the reply and its commands, without what was waited for."""
    return step.reply.seconds + sum(each.seconds for each in step.observations)
