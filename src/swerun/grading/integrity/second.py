"""The second grading of a patch that is flagged and resolved by the official rule.

It is resolved by the strict rule as well if its expected tests pass without the files that are
flagged for their path, a witness saw each of them pass, and they fail where they must. What tests
do just so without any patch is the instance's own, and no reason.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from swerun.grading.integrity.expected import plain_patch
from swerun.grading.integrity.flags import flags_of, neutralised
from swerun.grading.integrity.problems import BLIND, Problem
from swerun.grading.integrity.rules import LOG, WATCHED
from swerun.grading.integrity.sections import paths_in, sections_of
from swerun.grading.integrity.stagings import Runner, runner_of
from swerun.grading.integrity.trials import Subject, Trials, Tried
from swerun.grading.verdict import settled
from swerun.ports import Graded
from swerun.records import ExpectedTest, Flag, Instance, Means, Strict, TestStatus

NAMED = 10  # reasons that are recorded


@dataclass(frozen=True, slots=True)
class SecondGrading:
    """Threads may share it."""

    trials: Trials

    def looked_again(self, instance: Instance, patch: bytes, first: Graded, attempt: int) -> Graded:
        """`first` with its flags and, where these and its verdict call for it, the strict verdict.

        Raises SandboxError.
        """
        flags = flags_of(patch, instance.answer)
        if first.grade.resolved:
            doubts = self.trials.doubts(instance, first)
            flags += tuple(Flag(rule=LOG.name, line=doubt.said) for doubt in doubts)
        grade = first.grade.model_copy(update={"flags": flags})
        if not (flags and grade.resolved):
            return replace(first, grade=grade)
        look = self._look(instance, patch, attempt, flags)
        strict = look.verdict(first)
        grade = settled(grade.model_copy(update={"strict": strict}))
        return replace(first, grade=grade, trials=tuple(look.made))

    def _look(self, instance: Instance, patch: bytes, attempt: int, flags: Iterable[Flag]) -> Look:
        if not sections_of(patch).plain:
            sandboxes = self.trials.runs.evaluator.sandboxes
            patch = plain_patch(sandboxes, instance, patch, attempt)
        kept, left_out = neutralised(patch, instance.answer)
        changed = tuple(sorted(paths_in(sections_of(patch))))
        watched = any(flag.rule == WATCHED for flag in flags)
        return Look(self.trials, Subject(instance, kept, attempt, changed, watched), left_out)


@dataclass(frozen=True, slots=True)
class Passed:
    """The expected tests as they came out, and why that is not enough."""

    tests: tuple[ExpectedTest, ...]
    reasons: list[str]


@dataclass(slots=True)
class Look:
    """At one patch, again: `made` are the runs so far, `means` what they can be believed by."""

    trials: Trials
    subject: Subject
    left_out: tuple[str, ...]
    made: list[Graded] = field(default_factory=list)
    means: list[Means] = field(default_factory=list)

    def verdict(self, first: Graded) -> Strict:
        """Of the patch whose official grading is `first`."""
        began = time.monotonic()
        runner = runner_of(self.subject.instance.answer)
        if self.left_out:
            self.means.append(Means.NEUTRALISED)
        passed = self._passing(runner) if runner or self.left_out else self._read_again(first)
        reasons = passed.reasons or self._failing(passed.tests)
        return Strict(
            resolved=not reasons,
            means=tuple(self.means),
            left_out=self.left_out,
            reasons=tuple(reasons[:NAMED]),
            seconds=round(time.monotonic() - began, 3),
        )

    def _passing(self, runner: Runner | None) -> Passed:
        """With a witness, where there is one of this runner, and without what is left out."""
        tried = self._tried(runner)
        grade, blind = tried.graded.grade, [p for p in tried.problems if p.kind == BLIND]
        if runner and not blind:
            self.means.append(Means.WITNESS)
        if not grade.resolved:
            without = f"without {', '.join(self.left_out)}" if self.left_out else "once more"
            return Passed(grade.tests, [f"{without}: {grade.detail or grade.reason.value}"])
        left = self._own(tried.problems, lambda subject: self.trials.witnessed(subject, runner))
        if any(problem in left for problem in blind):  # it sees where there is no patch
            self.means.append(Means.WITNESS)
        return Passed(grade.tests, [problem.said for problem in left])

    def _read_again(self, first: Graded) -> Passed:
        """There is nothing to run otherwise: only whether the log can be read in two ways."""
        doubts = self.trials.doubts(self.subject.instance, first)
        if not doubts:
            return Passed(first.grade.tests, [])
        self.means.append(Means.LOG)
        left = self._own(doubts, lambda subject: self.trials.witnessed(subject, None))
        return Passed(first.grade.tests, [problem.said for problem in left])

    def _tried(self, runner: Runner | None) -> Tried:
        """Twice, where the first is not resolved: a test may be flaky, or the witness at fault."""
        first = self._noted(self.trials.witnessed(self.subject, runner))
        if first.graded.grade.resolved:
            return first
        blind = tuple(problem for problem in first.problems if problem.kind == BLIND)
        again = self.trials.witnessed(self.subject, None if blind else runner, fresh=True)
        return replace(self._noted(again), problems=blind + again.problems)

    def _failing(self, tests: tuple[ExpectedTest, ...]) -> list[str]:
        """Why it is not enough that these pass: they do also where they must not."""
        passed = [test for test in tests if test.status is TestStatus.PASSED]
        tried = self.trials.doomed(self.subject, passed)
        if tried is None:
            return []
        self._noted(tried)
        self.means.append(Means.DOOMED)
        left = self._own(tried.problems, lambda subject: self.trials.doomed(subject, passed))
        return [problem.said for problem in left]

    def _own(
        self, problems: Sequence[Problem], tried: Callable[[Subject], Tried | None]
    ) -> list[Problem]:
        """Those that are the patch's doing: without any patch there are no such."""
        if not problems:
            return []
        control = tried(self.subject.without_patch())
        known = {problem.key for problem in self._noted(control).problems} if control else set()
        return [problem for problem in problems if problem.key not in known]

    def _noted(self, tried: Tried) -> Tried:
        self.made.append(tried.graded)
        return tried
