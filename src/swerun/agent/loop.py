"""The agent loop: ask, act, observe. A generator, so that whoever drives it does the saving."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event

from swerun.agent.observe import observation
from swerun.agent.prompts import Prompts
from swerun.agent.tools import BASH, SUBMIT
from swerun.errors import ContextLengthError, EndpointBusyError, SandboxLostError
from swerun.ports import Message, Model, Sandbox
from swerun.records import Call, Limits, Observation, Reply, Step, Stop, Task, Usage

LOST = "The sandbox died while this command ran; there is no way to go on."


@dataclass(frozen=True, slots=True)
class Spent:
    """What an attempt has used up so far; `malformed` counts replies in a row."""

    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    malformed: int = 0

    def after(self, step: Step, seconds: float) -> Spent:
        malformed = self.malformed + 1 if is_malformed(step.reply) else 0
        return Spent(self.steps + 1, self.tokens + step.reply.usage.total, seconds, malformed)


def exceeded(spent: Spent, limits: Limits) -> Stop | None:
    """The first limit that has been used up, if any."""
    if spent.malformed >= limits.malformed:
        return Stop.MALFORMED
    if spent.steps >= limits.steps:
        return Stop.STEPS
    if limits.tokens is not None and spent.tokens >= limits.tokens:
        return Stop.TOKENS
    if spent.seconds >= limits.seconds:
        return Stop.CLOCK
    return None


def is_malformed(reply: Reply) -> bool:
    """Whether there is nothing in a reply that can be run."""
    return not any(call.problem is None for call in reply.calls)


def turns(step: Step) -> list[Message]:
    """A step as the messages that the next request carries: history is rebuilt from steps alone."""
    said = Message("assistant", step.reply.text, reply=step.reply)
    seen = [Message("tool", o.text, call_id=o.call_id) for o in step.observations]
    return [said, *seen]


@dataclass(frozen=True, slots=True)
class BashAgent:
    """One shell, one way to submit; several calls in a reply are run in order."""

    prompts: Prompts
    limits: Limits
    clock: Callable[[], float] = time.monotonic

    def solve(
        self, task: Task, sandbox: Sandbox, model: Model, cancel: Event
    ) -> Generator[Step, None, Stop]:
        started, spent = self.clock(), Spent()
        messages = self.prompts.opening(task, self.limits)
        while True:
            if stop := exceeded(spent, self.limits):
                return stop
            deadline = started + self.limits.seconds
            try:
                reply = model.reply(messages, deadline=deadline, cancel=cancel)
            except ContextLengthError:
                return Stop.CONTEXT
            except EndpointBusyError:
                if self.clock() >= deadline:
                    return Stop.CLOCK
                raise
            step, ended = self._act(reply, spent.steps, sandbox, deadline)
            yield step
            if ended:
                return ended
            messages += turns(step)
            spent = spent.after(step, self.clock() - started)

    def _act(
        self, reply: Reply, index: int, sandbox: Sandbox, deadline: float
    ) -> tuple[Step, Stop | None]:
        """Run the reply's calls in order, as far as the first that ends the work."""
        seen: list[Observation] = []
        ended: Stop | None = None
        for call in reply.calls:
            if call.problem is None and call.tool == SUBMIT.name:
                ended = Stop.SUBMITTED
                break
            try:
                seen.append(self._run(call, sandbox, deadline))
            except SandboxLostError:
                seen.append(Observation(call_id=call.id, text=LOST))
                ended = Stop.SANDBOX_LOST
                break
        if not reply.calls:
            seen.append(Observation(call_id="", text=reply.problem or "There was no call in it."))
        return Step(index=index, at=datetime.now(UTC), reply=reply, observations=tuple(seen)), ended

    def _run(self, call: Call, sandbox: Sandbox, deadline: float) -> Observation:
        if call.problem is not None:
            return Observation(call_id=call.id, text=call.problem)
        timeout = max(1.0, min(self.limits.command_seconds, deadline - self.clock()))
        result = sandbox.exec(str(call.arguments[_COMMAND]), timeout=timeout)
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
