"""Small working stand-ins for the seams. No mocks: a fake that lies fails its own tests."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from swerun.errors import SwerunError
from swerun.ports import ExecResult, Graded, Image, Log, Message
from swerun.records import (
    Answer,
    Attempt,
    Call,
    Grade,
    GradeReason,
    Instance,
    Outcome,
    Reply,
    Solved,
    Step,
    Stop,
    Task,
    Usage,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RESOLVED = Grade(resolved=True, reason=GradeReason.RESOLVED)
SUBMIT = "submit"


def an_instance(instance_id: str = "org__repo-1", **answer: object) -> Instance:
    given = {
        "gold_patch": "diff --git a/a b/a\n",
        "test_patch": "",
        "eval_script": "true",
        "log_parser": "parse_log_pytest",
        "fail_to_pass": ("test_a",),
    }
    task = Task(
        id=instance_id,
        repo="org/repo",
        base_commit="0" * 40,
        problem_statement="It is broken.",
        image="none",
    )
    return Instance(task=task, answer=Answer.model_validate(given | answer))


def an_attempt(
    instance_id: str = "org__repo-1", attempt: int = 1, outcome: str = "resolved", **more: object
) -> Attempt:
    given = {
        "instance_id": instance_id,
        "attempt": attempt,
        "outcome": Outcome(outcome),
        "seconds": 1.0,
        "started_at": NOW,
        "finished_at": NOW,
    }
    return Attempt.model_validate(given | more)


def a_reply(*commands: str, problem: str | None = None) -> Reply:
    """A reply with one call a command; `submit` is the tool of that name."""
    calls = [
        Call(id=f"c{i}", tool=SUBMIT)
        if command == SUBMIT
        else Call(id=f"c{i}", tool="bash", arguments={"command": command})
        for i, command in enumerate(commands)
    ]
    text = f"I run {commands}"
    usage = Usage(input_tokens=10, output_tokens=2)
    return Reply(text=text, calls=tuple(calls), problem=problem, usage=usage)


MALFORMED = a_reply(problem="There is no call in your reply.")


@dataclass
class ScriptedModel:
    """Gives the replies in order; an error among them is raised."""

    replies: Sequence[Reply | SwerunError]
    heard: list[tuple[Message, ...]] = field(default_factory=list)

    def reply(self, messages: Sequence[Message], *, deadline: float | None, cancel: Event) -> Reply:
        self.heard.append(tuple(messages))
        said = self.replies[len(self.heard) - 1]
        if isinstance(said, SwerunError):
            raise said
        return said


def drained(running: Generator[Step, None, Stop]) -> tuple[Stop, list[Step]]:
    """All of an agent's work: why it ended, and its steps."""
    steps = []
    while True:
        try:
            steps.append(next(running))
        except StopIteration as done:
            return done.value, steps


@dataclass
class EchoSandbox:
    """Runs nothing: prints each command back, or does what `on` says of it."""

    on: dict[str, Callable[[], ExecResult]] = field(default_factory=dict)
    ran: list[tuple[str, float]] = field(default_factory=list)

    def exec(self, command: str, *, timeout: float) -> ExecResult:
        self.ran.append((command, timeout))
        if command in self.on:
            return self.on[command]()
        return ExecResult(exit_code=0, output=command)


@dataclass
class FixedGrader:
    """Gives the grades in order, the last one for ever; an error among them is raised."""

    grades: Sequence[Grade | Exception]
    patches: list[bytes] = field(default_factory=list)

    def grade(self, instance: Instance, patch: bytes, *, attempt: int) -> Graded:
        self.patches.append(patch)
        given = self.grades[min(len(self.patches), len(self.grades)) - 1]
        if isinstance(given, Exception):
            raise given
        return Graded(given, "eval", Log(b"log"))


@dataclass
class Present:
    """Images that are always there."""

    def hold(self, instance: Instance) -> AbstractContextManager[None]:
        return nullcontext()

    def ensure(self, instance: Instance) -> Image:
        return Image("sha256:0", "sha256:0")


@dataclass
class NoWaiting:
    """Slots without end."""

    def images(self) -> AbstractContextManager[None]:
        return nullcontext()

    def agents(self) -> AbstractContextManager[None]:
        return nullcontext()

    def grading(self) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass
class Notes:
    """A journal that remembers."""

    said: list[object] = field(default_factory=list)

    def stage(self, stage: str) -> None:
        self.said.append(stage)

    def step(self, step: Step) -> None:
        self.said.append(step)

    def solved(self, solved: Solved, patch: bytes) -> None:
        self.said.append(solved)

    def graded(self, graded: Graded) -> None:
        self.said.append(graded)

    def finished(self, attempt: Attempt) -> None:
        self.said.append(attempt)

    def kinds(self) -> list[str]:
        return [s if isinstance(s, str) else type(s).__name__ for s in self.said]


def files_below(folder: Path) -> Iterator[str]:
    return (str(p.relative_to(folder)) for p in sorted(folder.rglob("*")) if p.is_file())
