"""Runs of a patch for the strict rule: with a witness, and with doomed tests."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Lock

from swerun.grading.evaluate import Ran, Staging
from swerun.grading.integrity.doomed import Doomed, doomed
from swerun.grading.integrity.expected import expected_tests
from swerun.grading.integrity.notes import own_notes, read_notes
from swerun.grading.integrity.problems import (
    BLIND,
    Problem,
    among,
    disagreements,
    doubts,
    unfailing,
)
from swerun.grading.integrity.stagings import (
    DOOMED,
    Runner,
    with_doomed,
    with_witness,
    witness_mode,
)
from swerun.grading.judge import Judge
from swerun.grading.kept import OFFICIAL, KeptRuns
from swerun.grading.parsers import parser_of
from swerun.ports import Graded
from swerun.records import ExpectedTest, Instance


@dataclass(frozen=True, slots=True)
class Tried:
    """`graded` by its log; `problems` are why that is not believed."""

    graded: Graded
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """A patch of an instance, and of the patch that is to be judged all files that it changes, and
    whether it asks if it is being tested."""

    instance: Instance
    patch: bytes
    attempt: int
    changed: tuple[str, ...] = ()
    watched: bool = False

    def without_patch(self) -> Subject:
        return replace(self, patch=b"")


@dataclass(slots=True)
class Tests:
    """An instance's doomed test files: made once, then known."""

    lock: Lock = field(default_factory=Lock)
    files: Mapping[str, Doomed] | None = None


@dataclass(frozen=True, slots=True)
class Trials:
    """Threads may share it."""

    runs: KeptRuns
    judge: Judge
    tests: dict[str, Tests] = field(default_factory=dict)

    def witnessed(self, subject: Subject, runner: Runner | None, *, fresh: bool = False) -> Tried:
        """By its log, and by the witness of `runner`; `fresh` means not from the cache."""
        began, hides = time.monotonic(), subject.watched
        mode = witness_mode(runner, hides=hides) if runner else OFFICIAL
        ran = None if fresh else self.runs.find(subject.instance, subject.patch, mode)
        if ran is None:
            token = secrets.token_hex(16)
            staging = with_witness(runner, token, hides=hides) if runner else Staging()
            ran = self._run(subject, staging)
            ran.notes = own_notes(ran.notes, token)
        graded = self._graded(subject, ran, began, mode if not fresh else "", "witness")
        problems = list(self.doubts(subject.instance, graded))
        if runner and not graded.grade.reason.has_results:
            problems.append(Problem(BLIND, "", "with a witness no test starts"))
        elif runner:
            notes = read_notes(ran.notes, parser_of(subject.instance))
            answer, tests = subject.instance.answer, graded.grade.tests
            problems += disagreements(answer, tests, notes, subject.changed)
        return Tried(graded, tuple(problems))

    def doomed(self, subject: Subject, passed: Sequence[ExpectedTest]) -> Tried | None:
        """By the tests that `passed` and are doomed now; None where none of them can be."""
        began, answer = time.monotonic(), subject.instance.answer
        ran = self.runs.find(subject.instance, subject.patch, DOOMED)
        if ran is None:
            tests = self._doomed_tests(subject)
            names = {name for test in tests.values() for name in test.names}
            if not among(passed, names):
                return None
            ran = self._run(subject, with_doomed(tests))
            ran.notes = "\n".join(sorted(names))
        graded = self._graded(subject, ran, began, DOOMED, "doomed")
        statuses = self.judge.read(subject.instance, ran).statuses
        theirs = among(passed, set(ran.notes.split("\n")))
        return Tried(graded, tuple(unfailing(answer, theirs, statuses)))

    def doubts(self, instance: Instance, graded: Graded) -> tuple[Problem, ...]:
        """Where its log can be read in two ways."""
        names = {test.name for test in graded.grade.tests}
        parse = parser_of(instance)

        def read() -> tuple[Problem, ...]:
            return tuple(doubts(graded.log.text(), graded.eval_script, parse, names))

        return self.judge.alone.do(read) if graded.log.packed else read()

    def _run(self, subject: Subject, staging: Staging) -> Ran:
        evaluator = self.runs.evaluator
        return evaluator.evaluate(subject.instance, subject.patch, subject.attempt, staging)

    def _graded(self, subject: Subject, ran: Ran, began: float, mode: str, trial: str) -> Graded:
        grade = self.judge.told(subject.instance, ran).model_copy(update={"trial": trial})
        if mode:
            self.runs.remember(subject.instance, subject.patch, ran, grade, mode)
        return self.judge.graded(subject.instance, grade, ran, began)

    def _doomed_tests(self, subject: Subject) -> Mapping[str, Doomed]:
        answer = subject.instance.answer
        key = "\0".join((subject.instance.task.image, subject.instance.task.base_commit))
        tests = self.tests.setdefault(f"{key}\0{answer.test_patch}", Tests())
        with tests.lock:
            if tests.files is None:
                sandboxes = self.runs.evaluator.sandboxes
                texts = expected_tests(sandboxes, subject.instance, subject.attempt)
                made = {path: doomed(text) for path, text in texts.items()}
                tests.files = {path: each for path, each in made.items() if each}
        return tests.files
