"""Grades a patch in a fresh sandbox: apply it, run the eval script, judge the log."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from threading import Lock

from pydantic import JsonValue

from swerun.errors import GraderError, SandboxError
from swerun.grading.apply import TRIES
from swerun.grading.cache import RunCache, key_of
from swerun.grading.confirm import flaky_tests, unconfirmed
from swerun.grading.evaluate import Evaluator, Ran
from swerun.grading.parsers import parser_of
from swerun.grading.script import running, telling
from swerun.grading.verdict import GRADER_VERSION, Reading, grade_reading, no_verdict, read_log
from swerun.ports import LARGEST_PATCH, Graded, Log
from swerun.records import Conditions, Grade, GradeReason, Instance

__all__ = ["GRADER_VERSION", "Probe", "SandboxGrader"]

SHOWN = 2000  # characters of what a command printed that a grade or an error repeats
DIGEST = "sha256:"


@dataclass(slots=True)
class Control:
    """Whether an instance's tests start without any patch: asked once, then known."""

    lock: Lock = field(default_factory=Lock)
    starts: bool | None = None
    log: Log = field(default_factory=Log)


@dataclass(frozen=True, slots=True)
class SandboxGrader:
    """A ports.Grader; threads may share it. `conditions` are those that its sandboxes are under.

    `confirm` is how often a patch whose expected tests fail is run again, to see which are flaky.
    """

    evaluator: Evaluator
    conditions: Conditions | None = None
    cache: RunCache | None = None
    confirm: int = 0
    _controls: dict[str, Control] = field(default_factory=dict)

    def grade(self, instance: Instance, patch: bytes, *, attempt: int) -> Graded:
        began = time.monotonic()
        parser_of(instance)  # one that is unknown is found out before any work
        if not patch.strip():
            return Graded(no_verdict(instance, GradeReason.NO_PATCH, "the patch is empty"))
        if len(patch) > LARGEST_PATCH:
            said = f"it has more than {LARGEST_PATCH:,} bytes"
            return Graded(no_verdict(instance, GradeReason.PATCH_REJECTED, said))
        ran = self._ran(instance, patch, attempt)
        grade = self._judge(instance, ran) or self._no_results(instance, ran, attempt)
        graded = self._graded(instance, grade, ran, began)
        if self.confirm and grade.reason is GradeReason.TESTS_FAILED:
            graded = self._confirmed(instance, patch, attempt, graded)
        self._remember(instance, patch, ran, graded.grade)
        return graded

    def probe(self, instance: Instance, patch: bytes, attempt: int) -> Graded:
        """What the tests say with `patch`, also an empty one, whosever doing it is; run anew."""
        began = time.monotonic()
        ran = self.evaluator.evaluate(instance, patch, attempt)
        return self._graded(instance, self._told(instance, ran), ran, began)

    def _ran(self, instance: Instance, patch: bytes, attempt: int) -> Ran:
        """The run of an earlier grade, or else a new one.

        A sandbox that died may have been killed from outside, which looks the same: who dies twice
        did it by itself.
        """
        cache = self._cache(instance)
        found = cache.find(self._key(instance, patch)) if cache else None
        ran = found or self.evaluator.evaluate(instance, patch, attempt)
        return self.evaluator.evaluate(instance, patch, attempt) if ran.lost else ran

    def _judge(self, instance: Instance, ran: Ran) -> Grade | None:
        """The verdict, or None where the run alone does not give one.

        That is where no test started, or the sandbox died: the patch's doing, or an environment
        that is broken. A patch must not be excused for the one, nor blamed for the other.
        """
        if ran.applied is not None and ran.applied.command is None:
            said = ran.applied.output[-SHOWN:]
            return no_verdict(instance, GradeReason.PATCH_REJECTED, said)
        if ran.lost:
            return None
        if ran.timed_out:
            took = f"the eval script was stopped after {ran.eval_seconds:.0f} s"
            return no_verdict(instance, GradeReason.TIMED_OUT, took)
        reading = self._read(instance, ran)
        return grade_reading(instance, reading) if reading.started else None

    def _read(self, instance: Instance, ran: Ran) -> Reading:
        parse = parser_of(instance)

        def read() -> Reading:
            return read_log(ran.log.text(), parse, ran.exit_code)

        return self.evaluator.alone.do(read) if ran.log.packed else read()

    def _no_results(self, instance: Instance, ran: Ran, attempt: int) -> Grade:
        """The verdict where no test started: the patch's doing, if tests start without it.

        Raises GraderError where they do not.
        """
        why = self._problem(instance, ran)
        control = self._control(instance, attempt)
        if not control.starts:
            raise GraderError(_broken(instance, why, control.log))
        detail = f"{why}; without this patch the tests start"
        return no_verdict(instance, GradeReason.NO_RESULTS, detail)

    def _told(self, instance: Instance, ran: Ran) -> Grade:
        """The verdict, also where no test started."""
        return self._judge(instance, ran) or no_verdict(
            instance, GradeReason.NO_RESULTS, self._problem(instance, ran)
        )

    def _problem(self, instance: Instance, ran: Ran) -> str:
        return ran.lost or self._read(instance, ran).problem or "no test started"

    def _control(self, instance: Instance, attempt: int) -> Control:
        """What becomes of the same image with no patch at all.

        That tests start is kept for other processes too; that none does is not: what is broken may
        be mended.
        """
        control = self._controls.setdefault(self._key(instance, b""), Control())
        with control.lock:
            if control.starts is None:
                ran = self._ran(instance, b"", attempt)
                grade = self._judge(instance, ran)
                control.log = ran.log
                control.starts = grade is not None and grade.reason is not GradeReason.TIMED_OUT
                if grade:
                    self._remember(instance, b"", ran, grade)
        return control

    def _confirmed(self, instance: Instance, patch: bytes, attempt: int, first: Graded) -> Graded:
        """`first`, with what further runs of the patch say of its tests: never another verdict."""
        later: list[Graded] = []
        while len(later) < self.confirm and unconfirmed(first.grade, [g.grade for g in later]):
            began = time.monotonic()
            try:
                ran = self.evaluator.evaluate(instance, patch, attempt)
            except SandboxError:  # the verdict is there, and must not be lost with the sandbox
                break
            as_such = self._told(instance, ran).model_copy(update={"confirmation": True})
            later.append(self._graded(instance, as_such, ran, began))
        flaky = flaky_tests(first.grade, [graded.grade for graded in later])
        told = first.grade.model_copy(update={"confirmed": len(later), "flaky": flaky})
        return replace(first, grade=told, confirmations=tuple(later))

    def _graded(self, instance: Instance, grade: Grade, ran: Ran, began: float) -> Graded:
        measured = {
            "applied_with": ran.applied.command if ran.applied else None,
            "exit_code": ran.exit_code,
            "conditions": self.conditions,
            "eval_seconds": round(ran.eval_seconds, 3),
            "seconds": round(time.monotonic() - began, 3),
            "made_at": ran.at,
            "made_on": ran.host,
            "cached": ran.cached,
        }
        told = grade.on_image(instance.task.image).model_copy(update=measured)
        return Graded(told, "" if ran.rejected else telling(instance.answer.eval_script), ran.log)

    def _cache(self, instance: Instance) -> RunCache | None:
        """An image's name may mean another image tomorrow: only its digest is a key."""
        return self.cache if instance.task.image.startswith(DIGEST) else None

    def _remember(self, instance: Instance, patch: bytes, ran: Ran, grade: Grade) -> None:
        """Keep a run whose tests had results, and had the same each time.

        What timed out depends on how busy the machine was, and where no test started it may be the
        environment: neither is kept. One of which tests turn out to be flaky is forgotten: who
        grades the patch next shall not inherit its luck.
        """
        cache = self._cache(instance)
        if cache and grade.flaky:
            cache.forget(self._key(instance, patch))
        elif cache and grade.reason.has_results and not ran.cached:
            cache.keep(self._key(instance, patch), ran)

    def _key(self, instance: Instance, patch: bytes) -> str:
        """All that a run of the tests can depend on, but for what a network serves them."""
        parts: Mapping[str, JsonValue] = {
            "grader": GRADER_VERSION,
            "image": instance.task.image,
            "workdir": instance.task.workdir,
            "patch": hashlib.sha256(patch).hexdigest(),
            "applying": list(TRIES),
            "script": telling(instance.answer.eval_script),
            "running": running("folder", self.evaluator.keeping),
            "seconds": self.evaluator.eval_seconds,
            "conditions": self.conditions.model_dump(mode="json") if self.conditions else None,
        }
        return key_of(parts)


@dataclass(frozen=True, slots=True)
class Probe:
    """A ports.Grader that measures the instance and not the patch: to find out whether it is sound.

    An empty patch is run too, and where no test starts that is the verdict.
    """

    grader: SandboxGrader

    def grade(self, instance: Instance, patch: bytes, *, attempt: int) -> Graded:
        return self.grader.probe(instance, patch, attempt)


def _broken(instance: Instance, why: str, log: Log) -> str:
    end = log.text()[-SHOWN:].strip() or "(it is empty)"
    return (
        f"no test of {instance.id} starts, neither with the patch ({why}) nor without it: its "
        f"image or its eval script is broken. Without the patch the log ends with:\n{end}"
    )
