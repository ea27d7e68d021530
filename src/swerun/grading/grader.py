"""Grades a patch in a fresh sandbox: apply it, run the eval script, judge the log."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from threading import Lock

from swerun.errors import GraderError, SandboxError, SandboxLostError
from swerun.grading.apply import Applied, apply_patch
from swerun.grading.parsers import parser_of
from swerun.grading.script import Keeping, printed, running, telling
from swerun.grading.verdict import GRADER_VERSION, grade_reading, no_verdict, read_log
from swerun.ports import Graded, Sandbox, Sandboxes
from swerun.records import Grade, GradeReason, Instance, Role

__all__ = ["GRADER_VERSION", "Probe", "SandboxGrader"]

SHOWN = 2000  # characters of what a command printed that a grade or an error repeats
LEFT_OUT = b"\n\nswerun: the log is long, and a part of it is left out here\n\n"


@dataclass(slots=True)
class Ran:
    """What became of one patch in one sandbox. `lost` says how the sandbox died, if it did."""

    applied: Applied | None = None  # None: there was nothing to apply, or no time to
    log: bytes = b""
    exit_code: int | None = None
    timed_out: bool = False
    lost: str | None = None
    eval_seconds: float = 0.0

    @property
    def rejected(self) -> bool:
        return self.applied is not None and self.applied.command is None


def judge(instance: Instance, ran: Ran) -> Grade | None:
    """The verdict, or None where the run alone does not give one.

    That is where no test started, or the sandbox died: the patch's doing, or an environment that
    is broken. A patch must not be excused for the one, nor blamed for the other.
    """
    if ran.applied is not None and ran.applied.command is None:
        return no_verdict(instance, GradeReason.PATCH_REJECTED, ran.applied.output[-SHOWN:])
    if ran.lost:
        return None
    if ran.timed_out:
        took = f"the eval script was stopped after {ran.eval_seconds:.0f} s"
        return no_verdict(instance, GradeReason.TIMED_OUT, took)
    parse = parser_of(instance)
    reading = read_log(ran.log, parse, ran.exit_code)
    return grade_reading(instance, reading) if reading.started else None


@dataclass(slots=True)
class Control:
    """Whether an instance's tests start at all: asked once, then known."""

    lock: Lock = field(default_factory=Lock)
    started: bool = False


@dataclass(frozen=True, slots=True)
class SandboxGrader:
    """A ports.Grader. `eval_seconds` limits each run of an eval script; threads may share it."""

    sandboxes: Sandboxes
    eval_seconds: float
    keeping: Keeping = field(default_factory=Keeping)
    _controls: dict[str, Control] = field(default_factory=dict)

    def grade(self, instance: Instance, patch: bytes, *, attempt: int) -> Graded:
        began = time.monotonic()
        parser_of(instance)  # one that is unknown is found out before any work
        if not patch.strip():
            return Graded(no_verdict(instance, GradeReason.NO_PATCH, "the patch is empty"))
        ran = self._run(instance, patch, attempt)
        grade = judge(instance, ran)
        if grade is None:
            why = ran.lost or _problem(instance, ran)
            if not self._tests_start(instance, attempt):
                raise GraderError(_broken(instance, why, ran.log))
            detail = f"{why}; without this patch the tests start"
            grade = no_verdict(instance, GradeReason.NO_RESULTS, detail)
        return _graded(instance, ran, grade, began)

    def probe(self, instance: Instance, patch: bytes, attempt: int) -> Graded:
        """What the tests say with `patch`, also an empty one, whosever doing it is."""
        began = time.monotonic()
        ran = self._run(instance, patch, attempt)
        grade = judge(instance, ran)
        if grade is None:
            why = ran.lost or _problem(instance, ran)
            grade = no_verdict(instance, GradeReason.NO_RESULTS, why)
        return _graded(instance, ran, grade, began)

    def _run(self, instance: Instance, patch: bytes, attempt: int) -> Ran:
        """Raises SandboxError where the sandbox failed otherwise than by dying under a command."""
        ran = Ran()
        folder = f"/tmp/swerun-{secrets.token_hex(8)}"  # noqa: S108 -- in the sandbox, unguessable
        with self.sandboxes.start(instance.task, role=Role.GRADING, attempt=attempt) as sandbox:
            try:
                if patch.strip():
                    ran.applied = apply_patch(sandbox, patch)
                if not ran.rejected:
                    self._eval(instance, sandbox, folder, ran)
            except SandboxLostError as error:
                ran.lost = str(error)
                ran.log = self._left(sandbox, folder)
        return ran

    def _eval(self, instance: Instance, sandbox: Sandbox, folder: str, ran: Ran) -> None:
        script = telling(instance.answer.eval_script)
        sandbox.write_file(f"{folder}/eval.sh", script.encode())
        result = sandbox.exec(running(folder, self.keeping), timeout=self.eval_seconds)
        ran.timed_out, ran.eval_seconds = result.timed_out, result.seconds
        ran.exit_code = None if result.timed_out else result.exit_code
        ran.log = printed(result.output) or self._log(sandbox, folder)

    def _log(self, sandbox: Sandbox, folder: str) -> bytes:
        try:
            head = sandbox.read_file(f"{folder}/head")
            if len(head) < self.keeping.head:
                return head
            return head + LEFT_OUT + sandbox.read_file(f"{folder}/tail")
        except FileNotFoundError:
            return b""

    def _left(self, sandbox: Sandbox, folder: str) -> bytes:
        """What can still be read of the log of a sandbox that died."""
        try:
            return self._log(sandbox, folder)
        except SandboxError:
            return b""

    def _tests_start(self, instance: Instance, attempt: int) -> bool:
        """Whether tests start with the gold patch, or with no patch where there is no gold one.

        The gold one, because tests may need what only a fix brings: then none starts without a
        patch either. A no is not kept: what is broken may be mended.
        """
        control = self._controls.setdefault(instance.id, Control())
        with control.lock:
            if not control.started:
                gold = instance.answer.gold_patch.encode()
                grade = judge(instance, self._run(instance, gold, attempt))
                no = {GradeReason.PATCH_REJECTED, GradeReason.TIMED_OUT}
                control.started = grade is not None and grade.reason not in no
            return control.started


@dataclass(frozen=True, slots=True)
class Probe:
    """A ports.Grader that measures the instance and not the patch: to find out whether it is sound.

    An empty patch is run too, and where no test starts that is the verdict.
    """

    grader: SandboxGrader

    def grade(self, instance: Instance, patch: bytes, *, attempt: int) -> Graded:
        return self.grader.probe(instance, patch, attempt)


def _graded(instance: Instance, ran: Ran, grade: Grade, began: float) -> Graded:
    measured = {
        "applied_with": ran.applied.command if ran.applied else None,
        "exit_code": ran.exit_code,
        "eval_seconds": round(ran.eval_seconds, 3),
        "seconds": round(time.monotonic() - began, 3),
    }
    script = "" if ran.rejected else telling(instance.answer.eval_script)
    return Graded(grade.model_copy(update=measured), script, ran.log)


def _problem(instance: Instance, ran: Ran) -> str:
    parse = parser_of(instance)
    return read_log(ran.log, parse, ran.exit_code).problem or "no test started"


def _broken(instance: Instance, why: str, log: bytes) -> str:
    end = log[-SHOWN:].decode(errors="replace").strip()
    return (
        f"no test of {instance.id} starts, neither with the patch ({why}) nor with the gold one: "
        f"its image or its eval script is broken. The log ends with:\n{end or '(it is empty)'}"
    )
