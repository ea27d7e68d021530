"""The seams. Everything that touches the outside world sits behind one of these."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from threading import Event
from typing import Any, Literal, Protocol

from swerun.records import (
    Attempt,
    Cause,
    Grade,
    Instance,
    Overrides,
    Reply,
    Role,
    Solved,
    Started,
    Step,
    Stop,
    Task,
)


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a command did. `output` is stdout and stderr as they came, capped; `seconds` inside."""

    exit_code: int
    output: str
    timed_out: bool = False
    truncated: bool = False
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Changes:
    """How the work directory differs from the image's, `.git` left out.

    `tree` is an uncompressed tar of what is new or changed, `deleted` what is gone; all paths are
    relative to the work directory. `left_out` is new or changed, but too large to be of use.
    """

    tree: bytes
    deleted: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class Sandbox(Protocol):
    """One live container. A command that fails is a result; a machine that fails is an error."""

    def exec(self, command: str, *, timeout: float) -> ExecResult:
        """Run `command` with bash (sh where there is none) in the work directory.

        Returns when the shell ends, even if it left something running in the background: that
        lives on. At `timeout` seconds everything this command started is dead before this
        returns, also what left its session, and `timed_out` is set. Standard input is empty.
        Raises SandboxLostError if the container died under the command, SandboxError if the
        engine or the container cannot run anything (at once when it is removed from outside).
        """
        ...

    def write_file(self, path: str, data: bytes) -> None:
        """Write `data` to `path` (absolute, or below the work directory), making its folders."""
        ...

    def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        """Its first `limit` bytes, or all. Raises FileNotFoundError if there is no such file."""
        ...

    def changes(self) -> Changes:
        """What differs in the work directory, read from outside: nothing in the container is
        trusted or run, and a container that has stopped answers as well."""
        ...

    def apply(self, changes: Changes) -> None:
        """Lay another sandbox's changes over this one's work directory."""
        ...


class Sandboxes(Protocol):
    def start(self, task: Task, *, role: Role, attempt: int) -> AbstractContextManager[Sandbox]:
        """A fresh sandbox for `task`. Leaving the context removes it, whatever happened."""
        ...


@dataclass(frozen=True, slots=True)
class Image:
    """An image on the engine. `digest` is how registries know it, where they do; its id else.

    One that was `cleaned` has the digest of what it was made of; `leaks` is what could not be.
    """

    id: str
    digest: str
    cleaned: bool = False
    leaks: tuple[str, ...] = ()


class Images(Protocol):
    def hold(self, instance: Instance) -> AbstractContextManager[None]:
        """Have the instance's image stay where it is, or be welcome, until the context is left.

        Waits for room where disk space is bounded. Raises ImageRefusedError, CancelledError.
        """
        ...

    def ensure(self, instance: Instance) -> Image:
        """Make the instance's image present (local, pulled or built).

        Raises ImageError (worth another try), ImageMissingError, ImageRefusedError or
        InstanceError (not), CancelledError.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tool:
    """An action on offer, `parameters` as JSON Schema."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation, in no endpoint's wire format.

    role is system, user, assistant or tool. An assistant's message carries `reply`; a tool's
    carries the `call_id` it answers ("" where the reply had no usable call: then `content` says
    what was wrong).
    """

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    reply: Reply | None = None
    call_id: str = ""


class Model(Protocol):
    def reply(self, messages: Sequence[Message], *, deadline: float | None, cancel: Event) -> Reply:
        """One completion; `deadline` is in seconds of time.monotonic(), or of the clock that an
        attempt runs by.

        Raises EndpointBusyError (worth another try), ContextLengthError (the conversation is too
        long), EndpointError (not worth it), CancelledError (soon after `cancel` is set).
        """
        ...


class Agent(Protocol):
    def solve(
        self, task: Task, sandbox: Sandbox, model: Model, cancel: Event
    ) -> Generator[Step, None, Stop]:
        """Yield each step as it happens; return why it ended. There is no way to an Answer."""
        ...


LONG = 1 << 20  # bytes from which on a log is packed
LARGEST_LOG = 1 << 30  # bytes; what is kept of a log is much less: see grading/script.py
GZIP = 16 + zlib.MAX_WBITS  # what zlib calls its format


@dataclass(frozen=True, slots=True)
class Log:
    """What an eval script printed. `data` is gzip where it is `packed`, as long logs are: many of
    them wait in memory at once."""

    data: bytes = b""
    packed: bool = False

    @classmethod
    def of(cls, *pieces: bytes | memoryview) -> Log:
        """The log that these make up, one after the other."""
        if sum(map(len, pieces)) <= LONG:
            return cls(b"".join(pieces))
        packing = zlib.compressobj(level=3, wbits=GZIP)
        packed = [packing.compress(piece) for piece in pieces]
        return cls(b"".join([*packed, packing.flush()]), packed=True)

    def whole(self, largest: int = LARGEST_LOG) -> bytes:
        """Raises zlib.error where it is packed and damaged, or unpacks to more than any log has."""
        if not self.packed:
            return self.data
        unpacking = zlib.decompressobj(wbits=GZIP)
        data = unpacking.decompress(self.data, largest)
        if not unpacking.eof:
            cut = (
                f"it unpacks to more than {largest:,} bytes" if len(data) == largest else "cut off"
            )
            raise zlib.error(cut)
        return data

    def text(self) -> str:
        """The same, in which bytes that are not UTF-8 are U+FFFD."""
        return self.whole().decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Graded:
    """A grade with its evidence: the script that was run and what it printed.

    `confirmations` are later runs of the same, which say what is flaky and change no verdict;
    `trials` those that the strict rule rests on, and `notes` what a witness wrote in one.
    """

    grade: Grade
    eval_script: str = ""
    log: Log = Log()
    confirmations: tuple[Graded, ...] = ()
    trials: tuple[Graded, ...] = ()
    notes: str = ""

    def on_image(self, digest: str) -> Graded:
        """The same, with the image that it was made in."""
        later = tuple(each.on_image(digest) for each in self.confirmations)
        trials = tuple(each.on_image(digest) for each in self.trials)
        grade = self.grade.on_image(digest)
        return replace(self, grade=grade, confirmations=later, trials=trials)

    def explained(self, words: str) -> Graded:
        """The same, with why there is no patch, where somebody knows it."""
        return (
            replace(self, grade=self.grade.model_copy(update={"detail": words})) if words else self
        )


class Grader(Protocol):
    def grade(self, instance: Instance, patch: bytes, *, attempt: int) -> Graded:
        """Apply `patch` in a fresh sandbox, run the hidden tests, judge.

        Raises GraderError or SandboxError where the failure cannot be the patch's doing.
        """
        ...


# bytes of a patch: one that is longer is kept as far as its first byte too many, and rejected
LARGEST_PATCH = 64 << 20

Stage = Literal["image", "waiting", "solve", "grade"]


class Journal(Protocol):
    """Where one attempt is written as it happens. Each call returns once its part is on disk."""

    def stage(self, stage: Stage) -> None: ...

    def step(self, step: Step) -> None: ...

    def solved(self, solved: Solved, patch: bytes) -> None: ...

    def graded(self, graded: Graded) -> None: ...

    def finished(self, attempt: Attempt) -> None: ...


@dataclass(frozen=True, slots=True)
class Kept:
    """A solving that is over, with its patch."""

    solved: Solved
    patch: bytes


@dataclass(frozen=True, slots=True)
class Planned:
    """One attempt to make; with `kept` only its grading is left to do.

    It begins with the first `at` steps of attempt `of`, done again; `recorded` are those steps, as
    soon as the attempt is begun. With `anew` it is another model that goes on from them.
    """

    instance: Instance
    number: int
    sample: int = 1
    cause: Cause = Cause.FIRST
    of: int | None = None
    kept: Kept | None = None
    at: int = 0
    recorded: tuple[Step, ...] = ()
    anew: bool = False
    changed: Overrides = field(default_factory=dict)
    replaces: bool = False

    @property
    def started(self) -> Started:
        """What its first file says."""
        return Started(
            sample=self.sample,
            cause=self.cause,
            of=self.of,
            at=self.at,
            changed=self.changed,
            replaces=self.replaces,
        )


class Solver(Protocol):
    def solve(self, planned: Planned, image_digest: str, keep: Callable[[Step], None]) -> Kept:
        """A patch for the instance. Each step is given to `keep` before the next one begins.

        Trouble with the endpoint is in `solved.failure`. Raises SandboxError, InstanceError or
        CancelledError.
        """
        ...


class Slots(Protocol):
    """Where an attempt waits for its turn; the context is the turn."""

    def images(self) -> AbstractContextManager[None]: ...
    def agents(self) -> AbstractContextManager[None]: ...
    def grading(self) -> AbstractContextManager[None]: ...
