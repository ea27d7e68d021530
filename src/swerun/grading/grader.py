"""Grades a patch in a fresh sandbox: apply it, run the eval script, judge the log, look again."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from threading import Lock

from swerun.errors import GraderError, SandboxError
from swerun.grading.cache import RunCache
from swerun.grading.confirm import flaky_tests, unconfirmed
from swerun.grading.evaluate import Evaluator, Ran
from swerun.grading.integrity.second import SecondGrading
from swerun.grading.integrity.trials import Tests, Trials
from swerun.grading.judge import SHOWN, Judge
from swerun.grading.kept import KeptRuns
from swerun.grading.parsers import parser_of
from swerun.grading.verdict import GRADER_VERSION, no_verdict
from swerun.ports import LARGEST_PATCH, Graded, Log
from swerun.records import Conditions, Grade, GradeReason, Instance

__all__ = ["GRADER_VERSION", "Probe", "SandboxGrader"]


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
    _tests: dict[str, Tests] = field(default_factory=dict)

    @property
    def _judge(self) -> Judge:
        return Judge(self.evaluator.alone, self.conditions)

    @property
    def _runs(self) -> KeptRuns:
        return KeptRuns(self.evaluator, self.conditions, self.cache)

    def grade(self, instance: Instance, patch: bytes, *, attempt: int) -> Graded:
        began = time.monotonic()
        parser_of(instance)  # one that is unknown is found out before any work
        if not patch.strip():
            return Graded(no_verdict(instance, GradeReason.NO_PATCH, "the patch is empty"))
        if len(patch) > LARGEST_PATCH:
            said = f"it has more than {LARGEST_PATCH:,} bytes"
            return Graded(no_verdict(instance, GradeReason.PATCH_REJECTED, said))
        ran = self._runs.run(instance, patch, attempt)
        grade = self._judge.verdict(instance, ran) or self._no_results(instance, ran, attempt)
        graded = self._judge.graded(instance, grade, ran, began)
        if self.confirm and grade.reason is GradeReason.TESTS_FAILED:
            graded = self._confirmed(instance, patch, attempt, graded)
        self._runs.remember(instance, patch, ran, graded.grade)
        second = SecondGrading(Trials(self._runs, self._judge, self._tests))
        return second.looked_again(instance, patch, graded, attempt)

    def probe(self, instance: Instance, patch: bytes, attempt: int) -> Graded:
        """What the tests say with `patch`, also an empty one, whosever doing it is; run anew."""
        began = time.monotonic()
        ran = self.evaluator.evaluate(instance, patch, attempt)
        return self._judge.graded(instance, self._judge.told(instance, ran), ran, began)

    def _no_results(self, instance: Instance, ran: Ran, attempt: int) -> Grade:
        """The verdict where no test started: the patch's doing, if tests start without it.

        Raises GraderError where they do not.
        """
        why = self._judge.problem(instance, ran)
        control = self._control(instance, attempt)
        if not control.starts:
            raise GraderError(_broken(instance, why, control.log))
        detail = f"{why}; without this patch the tests start"
        return no_verdict(instance, GradeReason.NO_RESULTS, detail)

    def _control(self, instance: Instance, attempt: int) -> Control:
        """What becomes of the same image with no patch at all.

        That tests start is kept for other processes too; that none does is not: what is broken may
        be mended.
        """
        control = self._controls.setdefault(self._runs.key(instance, b""), Control())
        with control.lock:
            if control.starts is None:
                ran = self._runs.run(instance, b"", attempt)
                grade = self._judge.verdict(instance, ran)
                control.log = ran.log
                control.starts = grade is not None and grade.reason is not GradeReason.TIMED_OUT
                if grade:
                    self._runs.remember(instance, b"", ran, grade)
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
            told = self._judge.told(instance, ran).model_copy(update={"confirmation": True})
            later.append(self._judge.graded(instance, told, ran, began))
        flaky = flaky_tests(first.grade, [graded.grade for graded in later])
        grade = first.grade.model_copy(update={"confirmed": len(later), "flaky": flaky})
        return replace(first, grade=grade, confirmations=tuple(later))


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
