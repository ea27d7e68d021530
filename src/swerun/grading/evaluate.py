"""One patch in one fresh sandbox: applied, its eval script run, and what that printed taken out."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock

from swerun.errors import SandboxError, SandboxLostError
from swerun.grading.apply import Applied, apply_patch
from swerun.grading.script import Keeping, printed, running, telling
from swerun.ports import Log, Sandbox, Sandboxes
from swerun.records import Instance, Role

LEFT_OUT = b"\nswerun: the log is long, and a part of it is left out here\n\n"


@dataclass(slots=True)
class Ran:
    """What became of one patch in one sandbox, when and on which host.

    `lost` says how the sandbox died, if it did; `cached` that it was run for an earlier grade.
    """

    at: datetime = field(default_factory=lambda: datetime.now(UTC))
    host: str = ""
    cached: bool = False
    applied: Applied | None = None  # None: there was nothing to apply, or no time to
    log: Log = field(default_factory=Log)
    exit_code: int | None = None
    timed_out: bool = False
    lost: str | None = None
    eval_seconds: float = 0.0

    @property
    def rejected(self) -> bool:
        return self.applied is not None and self.applied.command is None


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Runs eval scripts, each at most `eval_seconds`; threads may share it.

    `whole` is held by the one thread that has a long log in its memory: several would add up.
    """

    sandboxes: Sandboxes
    eval_seconds: float
    host: str = ""
    keeping: Keeping = field(default_factory=Keeping)
    whole: Lock = field(default_factory=Lock)

    def evaluate(self, instance: Instance, patch: bytes, attempt: int) -> Ran:
        """Raises SandboxError where the sandbox failed otherwise than by dying under a command."""
        ran = Ran(host=self.host)
        folder = f"/tmp/swerun-{secrets.token_hex(8)}"  # noqa: S108 -- in the sandbox, unguessable
        with self.sandboxes.start(instance.task, role=Role.GRADING, attempt=attempt) as sandbox:
            try:
                if patch.strip():
                    ran.applied = apply_patch(sandbox, patch)
                if not ran.rejected:
                    self._run(instance, sandbox, folder, ran)
            except SandboxLostError as error:
                ran.lost = str(error)
                ran.log = self._left(sandbox, folder)
        return ran

    def _run(self, instance: Instance, sandbox: Sandbox, folder: str, ran: Ran) -> None:
        script = telling(instance.answer.eval_script)
        sandbox.write_file(f"{folder}/eval.sh", script.encode())
        result = sandbox.exec(running(folder, self.keeping), timeout=self.eval_seconds)
        ran.timed_out, ran.eval_seconds = result.timed_out, result.seconds
        ran.exit_code = None if result.timed_out else result.exit_code
        short = printed(result.output)
        ran.log = Log.of(short) if short else self._log(sandbox, folder)

    def _log(self, sandbox: Sandbox, folder: str) -> Log:
        """A log that is too long loses its middle, from one line's end to another's."""
        most, last = self.keeping.head, self.keeping.tail
        with self.whole:
            try:
                head = sandbox.read_file(f"{folder}/head", limit=most)
                tail = b""
                if len(head) == most:
                    tail = sandbox.read_file(f"{folder}/tail", limit=last)
            except FileNotFoundError:
                return Log()
            if len(head) < most or 0 < len(tail) < last:
                return Log.of(head, tail)
            # a part of a line may read as a result that no line has
            kept = memoryview(head)[: head.rfind(b"\n") + 1]
            return Log.of(kept, LEFT_OUT, memoryview(tail)[tail.find(b"\n") + 1 :])

    def _left(self, sandbox: Sandbox, folder: str) -> Log:
        """What can still be read of the log of a sandbox that died."""
        try:
            return self._log(sandbox, folder)
        except SandboxError:
            return Log()
