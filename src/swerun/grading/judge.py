"""From a run of the tests to a grade, with what was measured of it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from swerun.grading.alone import Alone
from swerun.grading.evaluate import Ran
from swerun.grading.parsers import parser_of
from swerun.grading.script import telling
from swerun.grading.verdict import Reading, grade_reading, no_verdict, read_log
from swerun.ports import Graded
from swerun.records import Conditions, Grade, GradeReason, Instance

SHOWN = 2000  # characters of what a command printed that a grade or an error repeats


@dataclass(frozen=True, slots=True)
class Judge:
    """Threads may share it; `conditions` are those that the runs were made under."""

    alone: Alone = field(default_factory=Alone)
    conditions: Conditions | None = None

    def verdict(self, instance: Instance, ran: Ran) -> Grade | None:
        """None where the run alone does not give one.

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
        reading = self.read(instance, ran)
        return grade_reading(instance, reading) if reading.started else None

    def read(self, instance: Instance, ran: Ran) -> Reading:
        parse = parser_of(instance)

        def read() -> Reading:
            return read_log(ran.log.text(), parse, ran.exit_code)

        return self.alone.do(read) if ran.log.packed else read()

    def told(self, instance: Instance, ran: Ran) -> Grade:
        """The verdict, also where no test started."""
        return self.verdict(instance, ran) or no_verdict(
            instance, GradeReason.NO_RESULTS, self.problem(instance, ran)
        )

    def problem(self, instance: Instance, ran: Ran) -> str:
        """Why there is no verdict."""
        return ran.lost or self.read(instance, ran).problem or "no test started"

    def graded(self, instance: Instance, grade: Grade, ran: Ran, began: float) -> Graded:
        """With what was measured since `began`, by time.monotonic()."""
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
        script = ran.script or telling(instance.answer.eval_script)
        return Graded(told, "" if ran.rejected else script, ran.log, notes=ran.notes)
