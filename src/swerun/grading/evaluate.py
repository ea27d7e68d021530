"""One patch in one fresh sandbox: applied, its eval script run, and what that printed taken out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from swerun.errors import SandboxError, SandboxLostError
from swerun.grading.alone import Alone
from swerun.grading.apply import Applied, apply_patch
from swerun.grading.script import Keeping, prepared, printed, running, telling
from swerun.ports import Log, Sandbox, Sandboxes
from swerun.records import Instance, Role

LEFT_OUT = b"\nswerun: the log is long, and a part of it is left out here\n\n"
NOTES = 8 << 20  # bytes of notes that are read


def _folder() -> str:
    return f"/tmp/swerun-{secrets.token_hex(8)}"  # noqa: S108 -- in the sandbox, unguessable


@dataclass(frozen=True, slots=True)
class Staging:
    """Where a grading keeps its own files, and what else it does there.

    `files` are put into `folder`; `before` are lines of the script, the last before its tests;
    `notes` is a file in `folder` that is read afterwards.
    """

    folder: str = field(default_factory=_folder)
    files: Mapping[str, bytes] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    notes: str = ""


@dataclass(slots=True)
class Ran:
    """What became of one patch in one sandbox, when and on which host.

    `lost` says how the sandbox died, if it did; `cached` that it was run for an earlier grade;
    `script` is what was run, where it was not the eval script alone, and `notes` what it noted.
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
    script: str = ""
    notes: str = ""

    @property
    def rejected(self) -> bool:
        return self.applied is not None and self.applied.command is None


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Runs eval scripts, each at most `eval_seconds`; threads may share it."""

    sandboxes: Sandboxes
    eval_seconds: float
    host: str = ""
    keeping: Keeping = field(default_factory=Keeping)
    alone: Alone = field(default_factory=Alone)

    def evaluate(
        self, instance: Instance, patch: bytes, attempt: int, staging: Staging | None = None
    ) -> Ran:
        """Raises SandboxError where the sandbox failed otherwise than by dying under a command."""
        ran, staging = Ran(host=self.host), staging or Staging()
        with self.sandboxes.start(instance.task, role=Role.GRADING, attempt=attempt) as sandbox:
            try:
                if patch.strip():
                    ran.applied = apply_patch(sandbox, patch)
                if not ran.rejected:
                    self._run(instance, sandbox, staging, ran)
            except SandboxLostError as error:
                ran.lost = str(error)
                ran.log = self._left(sandbox, staging.folder)
        return ran

    def _run(self, instance: Instance, sandbox: Sandbox, staging: Staging, ran: Ran) -> None:
        folder, script = staging.folder, telling(instance.answer.eval_script)
        if staging.before:
            ran.script = script = prepared(script, staging.before)
        for name, data in staging.files.items():
            sandbox.write_file(f"{folder}/{name}", data)
        sandbox.write_file(f"{folder}/eval.sh", script.encode())
        result = sandbox.exec(running(folder, self.keeping), timeout=self.eval_seconds)
        ran.timed_out, ran.eval_seconds = result.timed_out, result.seconds
        ran.exit_code = None if result.timed_out else result.exit_code
        short = printed(result.output)
        ran.log = Log.of(short) if short else self._log(sandbox, folder)
        if staging.notes:
            ran.notes = noted(sandbox, f"{folder}/{staging.notes}")

    def _log(self, sandbox: Sandbox, folder: str) -> Log:
        return self.alone.do(lambda: fetched(sandbox, folder, self.keeping))

    def _left(self, sandbox: Sandbox, folder: str) -> Log:
        """What can still be read of the log of a sandbox that died."""
        try:
            return self._log(sandbox, folder)
        except SandboxError:
            return Log()


def fetched(sandbox: Sandbox, folder: str, keeping: Keeping) -> Log:
    """The log that `running` left in `folder`; whatever else may lie there, no more than it keeps.

    One that fills the head has lost what came between that and the tail, from one line's end to
    another's: a part of a line may read as a result that no line has.
    """
    try:
        head = sandbox.read_file(f"{folder}/head", limit=keeping.head)
        if len(head) < keeping.head:
            return Log.of(head)
        tail = sandbox.read_file(f"{folder}/tail", limit=keeping.tail)
    except FileNotFoundError:
        return Log()
    whole_lines = memoryview(head)[: head.rfind(b"\n") + 1]
    begin = tail.find(b"\n") + 1 or len(tail)
    return Log.of(whole_lines, LEFT_OUT, memoryview(tail)[begin:])


def noted(sandbox: Sandbox, path: str) -> str:
    """What a witness wrote; nothing where it wrote none."""
    try:
        return sandbox.read_file(path, limit=NOTES).decode(errors="replace")
    except FileNotFoundError:
        return ""
