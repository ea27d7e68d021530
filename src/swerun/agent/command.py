"""An agent that is a command in the container: it does as it likes, and its patch is taken."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Event

from swerun.agent.observe import observation
from swerun.errors import SandboxError, SandboxLostError
from swerun.ports import Model, Sandbox
from swerun.records import Call, Limits, Observation, Reply, Step, Stop, Task, Usage

PREFIX = "command:"
PROBLEM = "/tmp/swerun-problem.md"  # noqa: S108 -- in a container of its own
PROBLEM_VARIABLE = "SWERUN_PROBLEM"
RECORDED = 200_000  # characters of what it printed that the trajectory holds
LOST = "The sandbox died while the agent ran."


@dataclass(frozen=True, slots=True)
class CommandAgent:
    """One command, one step. `variables` are the environment it is given, beside the problem
    statement's file; `hushed` takes what is secret in them out of what it printed."""

    command: str
    limits: Limits
    variables: Mapping[str, str]
    hushed: Callable[[str], str] = lambda text: text

    def solve(
        self,
        task: Task,
        sandbox: Sandbox,
        model: Model,  # noqa: ARG002 -- the command asks the endpoint itself
        cancel: Event,  # noqa: ARG002 -- removing the container ends it
    ) -> Generator[Step, None, Stop]:
        sandbox.write_file(PROBLEM, task.problem_statement.encode(errors="replace"))
        given = {PROBLEM_VARIABLE: PROBLEM, **self.variables}
        exports = "".join(f"export {name}={shlex.quote(v)}\n" for name, v in given.items())
        began = time.monotonic()
        try:
            result = sandbox.exec(exports + self.command, timeout=self.limits.seconds)
        except SandboxLostError as error:
            seen = Observation(call_id=PREFIX, text=self.hushed(f"{LOST} ({error})"))
            yield self._step(seen, time.monotonic() - began)
            return Stop.SANDBOX_LOST
        except SandboxError as error:  # it repeats the command, which begins with the variables
            raise SandboxError(self.hushed(str(error))) from None
        told = replace(result, output=self.hushed(result.output))
        seen = Observation(
            call_id=PREFIX,
            text=observation(told, timeout=self.limits.seconds, keep=RECORDED),
            exit_code=result.exit_code,
            timed_out=result.timed_out,
            truncated=result.truncated,
            seconds=round(result.seconds, 4),
        )
        yield self._step(seen, time.monotonic() - began)
        if result.timed_out:
            return Stop.CLOCK
        return Stop.SUBMITTED if result.exit_code == 0 else Stop.AGENT_FAILED

    def _step(self, seen: Observation, seconds: float) -> Step:
        """What it used of the model only its endpoint knows."""
        call = Call(id=PREFIX, tool="bash", arguments={"command": self.command})
        usage = Usage(unreported=1)
        reply = Reply(text="", calls=(call,), usage=usage, seconds=round(seconds, 3))
        return Step(index=0, at=datetime.now(UTC), reply=reply, observations=(seen,))
