"""The way into a container from outside: a program there, with all that a command has there."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swerun.errors import SandboxLostError
from swerun.sandbox.attached import attach
from swerun.sandbox.channel import VARIABLE
from swerun.sandbox.containers import translated
from swerun.sandbox.docker import SETTLE_SECONDS, DockerSandbox

if TYPE_CHECKING:
    from docker import DockerClient

# the shell that runs commands, and their environment, as one of them finds both; what comes before
# is said where there is no work directory
ASK = r"printf '\0%s\0' $(command -v bash >/dev/null && echo bash || echo sh); cat /proc/$$/environ"
# arguments: the work directory, the program and its own; a folder that is gone is told
THERE = 'cd "$0"; exec "$@"'
LISTENING = f"exec </dev/null 2>&1; {THERE}"
WAIT = 0.5  # seconds without output after which the engine is asked whether the program goes on
LATE = 124  # the exit code of what was stopped at its limit, as timeout(1) has it
KILLED = 137  # that of what was killed: also of all that is in a container when that ends


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    exit_code: int
    timed_out: bool = False


@dataclass(frozen=True, slots=True)
class Entrance:
    """`environment` is in the form NAME=VALUE."""

    sandbox: DockerSandbox
    shell: str
    environment: tuple[str, ...]

    @classmethod
    def of(cls, sandbox: DockerSandbox) -> Entrance:
        """Raises SandboxError."""
        said = sandbox.exec(ASK, timeout=SETTLE_SECONDS).output
        _, shell, *pairs = said.split("\0")
        kept = (pair for pair in pairs if pair and not pair.startswith(f"{VARIABLE}="))
        return cls(sandbox, shell, tuple(kept))

    @property
    def client(self) -> DockerClient:
        return self.sandbox.client

    @property
    def container(self) -> str:
        return str(self.sandbox.container.id)

    def program(self, *argv: str, script: str = THERE, more: tuple[str, ...] = ()) -> list[str]:
        """What the engine is to run so that `argv` runs in the work directory, with the commands'
        environment and `more`, and nothing else of the container's."""
        return ["env", "-i", *self.environment, *more, "sh", "-c", script, self.workdir, *argv]

    @property
    def workdir(self) -> str:
        return self.sandbox.workdir

    def run(
        self, command: str, write: Callable[[bytes], object], *, timeout: float | None = None
    ) -> Ended:
        """Run `command` with the shell, and give what it prints, on both of its streams, to `write`
        as it comes. Its standard input is empty. It has ended when the shell has, as for the agent.

        What is not done after `timeout` seconds is left to be removed with its container. Raises
        SandboxLostError where the container died under the command, else SandboxError.
        """
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        argv = self.program(self.shell, "-c", command, script=LISTENING)
        said = repr(command[:200])
        with translated(f"running {said}"):
            stream = attach(self.client, self.container, argv, user=self.sandbox.user)
        with closing(stream):
            while time.monotonic() < deadline:
                try:
                    data = stream.receive(min(WAIT, max(0.001, deadline - time.monotonic())))
                except TimeoutError:
                    if self._code(stream.id, said) is None:
                        continue
                    data = b""  # what it left running may keep the stream open for ever
                if not data:
                    return Ended(self.exit_code(stream.id, said))
                write(data)
        return Ended(LATE, timed_out=True)

    def exit_code(self, program: str, doing: str) -> int:
        """That of a program (the engine's id of it) whose output is at its end.

        Raises SandboxLostError where that is because its container has ended, else SandboxError.
        """
        deadline = time.monotonic() + SETTLE_SECONDS
        while (code := self._code(program, doing)) is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if code in (None, KILLED) and not self.sandbox.runs(doing):
            raise SandboxLostError(f"the container ended during {doing}")
        return KILLED if code is None else code

    def _code(self, program: str, doing: str) -> int | None:
        """None: it has not ended."""
        with translated(f"looking at {doing}"):
            found = self.client.api.exec_inspect(program)
        return None if found["Running"] or found["ExitCode"] is None else int(found["ExitCode"])
