"""The agent loop: ask, act, observe. A generator, so that whoever drives it does the saving."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

from swerun.agent.context import largest_request
from swerun.agent.edit import Editor
from swerun.agent.history import History
from swerun.agent.observe import observation
from swerun.agent.prompts import Prompts
from swerun.agent.tools import BASH, EDIT, SUBMIT
from swerun.errors import ContextLengthError, EndpointBusyError, SandboxLostError
from swerun.ports import Model, Sandbox
from swerun.records import Call, Limits, Observation, Price, Reply, Step, Stop, Task, Usage

LOST = "The sandbox died while this command ran; there is no way to go on."


@dataclass(frozen=True, slots=True)
class Spent:
    """What an attempt has used up so far: `malformed` replies in a row, dollars of `cost`."""

    steps: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    seconds: float = 0.0
    malformed: int = 0

    def after(self, step: Step, seconds: float, price: Price | None) -> Spent:
        usage = step.reply.usage
        return Spent(
            steps=self.steps + 1,
            usage=self.usage + usage,
            cost=self.cost + (price.of(usage) if price else 0.0),
            seconds=seconds,
            malformed=self.malformed + 1 if is_malformed(step.reply) else 0,
        )


def exceeded(spent: Spent, limits: Limits) -> Stop | None:
    """The first limit that has been used up, if any."""
    used_up = (
        (Stop.MALFORMED, spent.malformed, limits.malformed),
        (Stop.STEPS, spent.steps, limits.steps),
        (Stop.TOKENS, spent.usage.total, limits.tokens),
        (Stop.TOKENS, spent.usage.input_tokens, limits.input_tokens),
        (Stop.TOKENS, spent.usage.output_tokens, limits.output_tokens),
        (Stop.COST, spent.cost, limits.cost),
        (Stop.CLOCK, spent.seconds, limits.seconds),
    )
    return next((stop for stop, used, most in used_up if most is not None and used >= most), None)


def is_malformed(reply: Reply) -> bool:
    """Whether there is nothing in a reply that can be run."""
    return not any(call.problem is None for call in reply.calls)


def is_submission(reply: Reply) -> bool:
    """Whether a reply ends the work."""
    return any(call.problem is None and call.tool == SUBMIT.name for call in reply.calls)


@dataclass(frozen=True, slots=True)
class BashAgent:
    """One shell, perhaps an editor, one way to submit; a reply's calls are run in order.

    `price` is None where nobody knows it; `longest_reply` is the limit on a reply's tokens that
    requests carry, if any.
    """

    prompts: Prompts
    limits: Limits
    clock: Callable[[], float] = time.monotonic
    price: Price | None = None
    longest_reply: int | None = None

    def solve(
        self, task: Task, sandbox: Sandbox, model: Model, cancel: Event
    ) -> Generator[Step, None, Stop]:
        limits, clock = self.limits, self.clock
        started, spent = clock(), Spent()
        deadline = started + limits.seconds
        hands = Hands(limits, clock, deadline, sandbox, Editor.of(task, sandbox, limits))
        history = History(self.prompts.opening(task, limits), self._largest_request())
        while True:
            if stop := exceeded(spent, limits):
                return stop
            try:
                reply, shortened = ask(model, history, deadline, cancel)
            except ContextLengthError:
                return Stop.CONTEXT
            except EndpointBusyError:
                if clock() >= deadline:
                    return Stop.CLOCK
                raise
            observations, ended = hands.act(reply)
            step = Step(
                index=spent.steps,
                at=datetime.now(UTC),
                reply=reply,
                observations=observations,
                shortened=shortened,
            )
            yield step
            if ended:
                return ended
            history.add(step)
            spent = spent.after(step, clock() - started, self.price)

    def _largest_request(self) -> int | None:
        context = self.limits.context
        return largest_request(context, self.longest_reply) if context else None


def ask(
    model: Model, history: History, deadline: float, cancel: Event
) -> tuple[Reply, tuple[int, ...]]:
    """The next reply, and the steps whose results were shortened before, so that there was one.

    Raises ContextLengthError where that is not enough, and what the model raises.
    """
    shortened = history.fit()
    if history.is_too_long:
        raise ContextLengthError("the conversation does not fit into the context that was given")
    while True:
        try:
            return model.reply(history.messages, deadline=deadline, cancel=cancel), shortened
        except ContextLengthError:  # less fits than was known, or nothing was
            more = history.refused()
            if not more:
                raise
            shortened += more


@dataclass(frozen=True, slots=True)
class Hands:
    """What carries out the calls of one attempt."""

    limits: Limits
    clock: Callable[[], float]
    deadline: float
    sandbox: Sandbox
    editor: Editor

    def act(self, reply: Reply) -> tuple[tuple[Observation, ...], Stop | None]:
        """Run the reply's calls in order, as far as the first that ends the work."""
        seen: list[Observation] = []
        for call in reply.calls:
            if call.problem is None and call.tool == SUBMIT.name:
                return tuple(seen), Stop.SUBMITTED
            try:
                seen.append(self._run(call))
            except SandboxLostError:
                seen.append(Observation(call_id=call.id, text=LOST))
                return tuple(seen), Stop.SANDBOX_LOST
        if not reply.calls:
            seen.append(Observation(call_id="", text=reply.problem or "There was no call in it."))
        return tuple(seen), None

    def _run(self, call: Call) -> Observation:
        if call.problem is not None:
            return Observation(call_id=call.id, text=call.problem)
        timeout = max(1.0, min(self.limits.command_seconds, self.deadline - self.clock()))
        if call.tool == EDIT.name:
            done = self.editor.run(call.arguments, timeout=timeout)
            return Observation(call_id=call.id, text=done)
        result = self.sandbox.exec(str(call.arguments[_COMMAND]), timeout=timeout)
        return Observation(
            call_id=call.id,
            text=observation(result, timeout=timeout, keep=self.limits.observation_chars),
            exit_code=result.exit_code,
            timed_out=result.timed_out,
            truncated=result.truncated,
            seconds=round(result.seconds, 4),
        )


def used(steps: Iterable[Step]) -> Usage:
    """The tokens of all steps."""
    return sum((step.reply.usage for step in steps), Usage())


_COMMAND = BASH.parameters["required"][0]
