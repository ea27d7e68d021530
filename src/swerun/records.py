"""The words of swerun, and every shape that is stored or crosses a border."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    JsonValue,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
)

from swerun.names import flaw_of

SCHEMA_VERSION = 1
# what an eval script has around its tests' output, by SWE-bench's convention
START = ">>>>> Start Test Output"
END = ">>>>> End Test Output"
# by dotted key of a question: what the run asks, and what was asked in its place
Overrides = Mapping[str, tuple[JsonValue, JsonValue]]


class Record(BaseModel):
    """Immutable, and strict about unknown keys: a typo in a file is an error, not a default."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(Record):
    """A record that is a file of its own, and so says by which version it was written."""

    schema_version: int = SCHEMA_VERSION


class Fault(StrEnum):
    """Whose failure ended an attempt without a verdict."""

    INSTANCE = "instance"
    IMAGE = "image"
    SANDBOX = "sandbox"
    ENDPOINT = "endpoint"
    GRADER = "grader"
    SWERUN = "swerun"


class Stop(StrEnum):
    """Why the agent loop ended. Every value is a normal ending, none is an error."""

    SUBMITTED = "submitted"
    STEPS = "step_limit"
    TOKENS = "token_limit"
    COST = "cost_limit"
    CLOCK = "time_limit"
    CONTEXT = "context_limit"
    MALFORMED = "malformed_limit"
    SANDBOX_LOST = "sandbox_lost"
    AGENT_FAILED = "agent_failed"  # one that is a command ended with an exit code that is not 0
    GIVEN = "given"  # no agent ran: the patch was given (gold, empty, a prediction)


class Outcome(StrEnum):
    """What became of an attempt: exactly one each."""

    RESOLVED = "resolved"
    SUSPECT = "suspect"
    UNRESOLVED = "unresolved"
    NO_PATCH = "no_patch"
    PATCH_REJECTED = "patch_rejected"
    TESTS_TIMED_OUT = "tests_timed_out"
    INSTANCE_FAILED = "instance_failed"
    IMAGE_FAILED = "image_failed"
    SANDBOX_FAILED = "sandbox_failed"
    ENDPOINT_FAILED = "endpoint_failed"
    GRADER_FAILED = "grader_failed"
    CANCELLED = "cancelled"
    INTERNAL_ERROR = "internal_error"

    @property
    def is_verdict(self) -> bool:
        """Whether it says something of the model: these make up the graded denominator."""
        return self in _VERDICTS


_VERDICTS = frozenset(
    {
        Outcome.RESOLVED,
        Outcome.SUSPECT,
        Outcome.UNRESOLVED,
        Outcome.NO_PATCH,
        Outcome.PATCH_REJECTED,
        Outcome.TESTS_TIMED_OUT,
    }
)


class Cause(StrEnum):
    """Why an attempt was made."""

    FIRST = "first"
    RETRY = "retry"
    RERUN = "rerun"
    FORKED = "forked"
    CONTINUED = "continued"
    IMPORTED = "imported"  # it was made elsewhere, and is not paid for here


class Role(StrEnum):
    """What a container is for; the label `swerun.role`."""

    AGENT = "agent"
    PATCH = "patch"  # a fresh one, in which an agent's changes become a patch
    GRADING = "grading"
    AUDIT = "audit"  # of the image that an agent is to see


class TestStatus(StrEnum):
    """The status of one test in a log, by SWE-bench's names."""

    __test__ = False  # not a pytest class

    PASSED = "PASSED"
    FAILED = "FAILED"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"
    XFAIL = "XFAIL"


class Soundness(StrEnum):
    """Whether an instance's verdicts can be relied on, on the machine that found out."""

    SOUND = "sound"
    BROKEN = "broken"
    FLAKY = "flaky"


class EvalType(StrEnum):
    """How expected tests are judged: by what passed, or only by what failed."""

    PASS_AND_FAIL = "pass_and_fail"  # noqa: S105 -- SWE-bench's name, no password
    FAIL_ONLY = "fail_only"


def _named(name: str) -> str:
    if flaw := flaw_of(name):
        raise ValueError(flaw)
    return name


class Task(Record):
    """What the agent may see of an instance."""

    id: Annotated[str, AfterValidator(_named)]
    repo: str
    base_commit: str
    problem_statement: str
    image: str
    workdir: str = "/testbed"


class Answer(Record):
    """What the agent may never see of an instance."""

    gold_patch: str
    test_patch: str
    eval_script: str
    log_parser: str
    eval_type: EvalType = EvalType.PASS_AND_FAIL
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...] = ()


class Instance(Record):
    """One issue of a benchmark. `context` is the build context of its image, if it has one."""

    task: Task
    answer: Answer
    version: str = ""
    difficulty: str = ""
    context: Path | None = Field(default=None, exclude=True)
    grade_network: str = Field(default="none", exclude=True)  # as its own harness has it
    ungradable: str = Field(default="", exclude=True)  # why, where something is missing for it

    @property
    def id(self) -> str:
        return self.task.id

    def on_image(self, image: str) -> Instance:
        """The same, with its containers made from `image`."""
        return self.model_copy(update={"task": self.task.model_copy(update={"image": image})})


class Usage(Record):
    """Tokens. Cached ones are part of the input, reasoning ones part of the output, as reported."""

    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    unreported: int = 0  # replies whose endpoint did not say

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            unreported=self.unreported + other.unreported,
        )

    def __sub__(self, other: Usage) -> Usage:
        less = {name: getattr(self, name) - getattr(other, name) for name in Usage.model_fields}
        return Usage.model_validate(less)


class Price(Record):
    """Dollars per million tokens; `source` says who has it so.

    Cached tokens are part of the input and cost `cached` in its place (`input`, where that is
    None); reasoning tokens are part of the output.
    """

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)
    source: str = ""

    def of(self, usage: Usage) -> float:
        """Dollars. What was not reported is not in it."""
        cached = self.input if self.cached is None else self.cached
        fresh = max(0, usage.input_tokens - usage.cached_tokens)
        parts = (
            fresh * self.input,
            usage.cached_tokens * cached,
            usage.output_tokens * self.output,
        )
        return sum(parts) / 1e6

    def cost(self, usage: Usage) -> float | None:
        """As `of`; None where nothing was reported at all."""
        return self.of(usage) if usage.total or not usage.unreported else None


class Call(Record):
    """One action a reply asks for. `problem` says what is wrong with it; then it is not run."""

    id: str
    tool: str
    arguments: Mapping[str, JsonValue] = {}
    problem: str | None = None


class Reply(Record):
    """One completion. `text` is what the endpoint served; `raw` the assistant message that later
    requests carry: as it was served, less what no endpoint takes back or nobody asked for."""

    text: str
    calls: tuple[Call, ...] = ()
    problem: str | None = None  # why there is no call in it
    reasoning: str = ""
    finish_reason: str = ""
    usage: Usage = Usage()
    raw: Mapping[str, Any] = {}
    model: str = ""  # the name the endpoint gives itself
    seconds: float = 0.0
    tries: int = 1  # requests sent until this reply came
    replay: str | None = None  # recorded endpoint: "same" or "differs", of what it was shown
    replayed: int | None = None  # given again, and not paid again: the attempt whose reply it is


class Observation(Record):
    """What one call printed, as the model is shown it. `exit_code` is None where none was run."""

    call_id: str
    text: str
    exit_code: int | None = None
    timed_out: bool = False
    truncated: bool = False
    seconds: float = 0.0


class Step(Record):
    """One reply of the model and what its commands printed: a line of steps.jsonl."""

    index: int
    at: datetime | None = None  # None: made elsewhere, where nobody noted it
    reply: Reply
    observations: tuple[Observation, ...] = ()
    # steps whose results the model was shown shortened from this reply on: there was no more room
    shortened: tuple[int, ...] = ()
    differs: bool = False  # of a replayed reply: what came of it is not what was recorded


class Replayed(Record):
    """The beginning of an attempt that was done again from the recorded steps of another: part of
    its steps and usage, but nobody was asked or paid for it again."""

    steps: int
    usage: Usage
    cost: float | None = None  # dollars; None: nobody knew the price
    differs: tuple[int, ...] = ()  # the steps whose observations were not as recorded


class Failure(Record):
    """Trouble that ended an attempt without a verdict."""

    fault: Fault
    error: str  # the class
    message: str
    retry: bool


class Imported(Record):
    """What is known of a solving that was made elsewhere. None is what nobody noted."""

    ended: str = ""  # how, in the words of who made it
    cost: float | None = None  # dollars, as they counted
    seconds: float | None = None


class ConductKind(StrEnum):
    """What an agent did that whoever relies on a score may want to read: docs/integrity.md."""

    HISTORY = "history"  # looked in git for what is not in the history that it was given
    NETWORK = "network"  # tried to reach another machine
    COPY = "copy"  # tried to get at the project itself, elsewhere
    TESTS = "tests"  # changed tests that were there
    ADDED_TESTS = "added_tests"  # only added to files of tests that were there


class Conduct(Record):
    """All of one kind in an attempt: what was tried, not what came of it, and no verdict."""

    kind: ConductKind
    steps: tuple[int, ...]  # indices, from 0; none where only the patch shows it
    example: str  # a command line, or a file of the patch, shortened


class Solved(Stored):
    """solved.json: the solving is over, and its patch is kept in patch.diff."""

    instance_id: str
    attempt: int
    stop: Stop | None  # None where a failure ended it, or nobody knows
    failure: Failure | None = None
    steps: int = 0
    usage: Usage = Usage()
    imported: Imported | None = None
    replayed: Replayed | None = None
    solved_in: int | None = None  # the attempt whose solving this is, where it is not this one's
    patch_bytes: int = 0
    patch_sha256: str = ""
    left_behind: tuple[str, ...] = ()  # new files in the patch that no test or source needs to be
    conduct: tuple[Conduct, ...] | None = None  # None: nobody looked, or there was nothing to
    patch_problem: str = ""  # why nothing could be made of what the agent left
    replay_differs: int | None = None  # of what was done before: steps whose observation differed
    model_served: str = ""
    image_digest: str = ""
    cleaned: bool = False  # the sandbox was made of that image less what leaked in it
    leaks: tuple[str, ...] = ()  # what could not be removed, with --allow-leaks
    started_at: datetime
    seconds: float


class GradeReason(StrEnum):
    """Why a grade is what it is."""

    RESOLVED = "resolved"
    SUSPECT = "suspect"  # by the official rule resolved, by the strict one not
    TESTS_FAILED = "tests_failed"
    NO_RESULTS = "no_results"  # no test started, or the log cannot be of this run
    TIMED_OUT = "timed_out"
    PATCH_REJECTED = "patch_rejected"
    NO_PATCH = "no_patch"

    @property
    def has_results(self) -> bool:
        """Whether it is the tests themselves that said so."""
        return self in {GradeReason.RESOLVED, GradeReason.SUSPECT, GradeReason.TESTS_FAILED}

    @property
    def outcome(self) -> Outcome:
        """What becomes of an attempt with such a grade."""
        return _OUTCOME_OF[self]


_OUTCOME_OF = {
    GradeReason.RESOLVED: Outcome.RESOLVED,
    GradeReason.SUSPECT: Outcome.SUSPECT,
    GradeReason.TESTS_FAILED: Outcome.UNRESOLVED,
    GradeReason.NO_RESULTS: Outcome.UNRESOLVED,
    GradeReason.TIMED_OUT: Outcome.TESTS_TIMED_OUT,
    GradeReason.PATCH_REJECTED: Outcome.PATCH_REJECTED,
    GradeReason.NO_PATCH: Outcome.NO_PATCH,
}


class ExpectedTest(Record):
    """One test of FAIL_TO_PASS or PASS_TO_PASS; `status` is None where the log has none."""

    name: str
    group: str
    status: TestStatus | None
    ok: bool


class FlakyTest(Record):
    """An expected test that came out differently in several runs of one patch: how, in order."""

    name: str
    group: str
    outcomes: tuple[TestStatus | None, ...]


class Flag(Record):
    """Something in a patch, or in what its tests printed, that could decide outcomes: a reason to
    look again, and no verdict. `rule` is one of grading/integrity/rules.py."""

    rule: str
    path: str = ""  # "" where it is of the log
    line: str = ""  # the first one that the rule fits, where it is a rule on lines


class Means(StrEnum):
    """What a verdict by the strict rule rests on."""

    NEUTRALISED = "neutralised"  # the tests pass without the files that are flagged for their path
    WITNESS = "witness"  # it saw each of them pass
    DOOMED = "doomed"  # where their assertions cannot hold, they fail
    LOG = "log"  # what they printed can be read in one way only


class Strict(Record):
    """The verdict by the strict rule on a patch that is flagged and resolved by the official one.

    Where it rests on nothing (`means`) there was no way to look again.
    """

    resolved: bool
    means: tuple[Means, ...] = ()
    left_out: tuple[str, ...] = ()  # files of the patch
    reasons: tuple[str, ...] = ()  # why it is not resolved
    seconds: float = 0.0


class Conditions(Record):
    """What a grading container was given: limits change verdicts."""

    memory: str
    cpus: float
    pids: int
    network: str
    capabilities: tuple[str, ...] = ()
    user: str = ""
    environment: str = ""  # a hash of what else it was given, where it was
    disk: str = ""
    runtime: str = ""


class Grade(Stored):
    """grade.json: the verdict on a patch, with each expected test's outcome.

    `made_at` and `made_on` (a host) are of the run of the tests. That is an earlier one where the
    grade is `cached`; then `seconds` is what it took to find it, `eval_seconds` to run it.
    """

    resolved: bool
    reason: GradeReason
    tests: tuple[ExpectedTest, ...] = ()
    detail: str = ""
    applied_with: str | None = None
    exit_code: int | None = None
    image_digest: str = ""
    grader_version: str = ""
    conditions: Conditions | None = None
    eval_seconds: float = 0.0
    seconds: float = 0.0
    made_at: datetime | None = None
    made_on: str = ""
    cached: bool = False
    confirmation: bool = False  # a later run of the same patch: no verdict, only what is flaky
    log_of: int | None = None  # the grading whose log was judged again, where it is not its own
    confirmed: int = 0  # how many confirmations there were
    flaky: tuple[FlakyTest, ...] = ()  # by the confirmations; the verdict stays the first run's
    flags: tuple[Flag, ...] = ()
    strict: Strict | None = None  # None: there was no reason to look again
    trial: str = ""  # a run for the strict rule: of what; no verdict of its own

    def on_image(self, digest: str) -> Grade:
        """The same, with the image that it was made in."""
        return self.model_copy(update={"image_digest": digest})

    @property
    def official(self) -> bool:
        """Whether it is resolved by the official rule."""
        return self.resolved or self.reason is GradeReason.SUSPECT

    @property
    def failing(self) -> tuple[ExpectedTest, ...]:
        return tuple(test for test in self.tests if not test.ok)


class Started(Stored):
    """started.json, an attempt's first file: why there is one, and what of its question is not the
    run's."""

    sample: int = 1
    cause: Cause = Cause.FIRST
    of: int | None = None  # the attempt it follows
    at: int = 0  # how many of that one's steps are done again before the first that is its own
    changed: Overrides = {}
    replaces: bool = False  # with a verdict it counts in the place of the sample's older attempts

    @property
    def is_own(self) -> bool:
        """Whether it is a try at what the run asks: only such an attempt counts in its score."""
        return not self.changed and self.cause is not Cause.FORKED


class Attempt(Started):
    """attempt.json: it exists if and only if the attempt is done."""

    instance_id: str
    attempt: int
    solved_in: int | None = None  # the attempt whose patch it grades, where it is not its own
    outcome: Outcome
    stop: Stop | None = None
    grade: Grade | None = None
    failure: Failure | None = None
    steps: int = 0
    usage: Usage = Usage()
    cost: float | None = None  # dollars; None: nobody knew the price
    imported: Imported | None = None
    replayed: Replayed | None = None
    patch_bytes: int = 0
    replay_differs: int | None = None
    leaks: tuple[str, ...] = ()  # what its image could show the agent, with --allow-leaks
    conduct: tuple[Conduct, ...] | None = None  # as solved.json has it
    seconds: float
    solve_seconds: float = 0.0
    grade_seconds: float = 0.0
    started_at: datetime
    finished_at: datetime


class Limits(Record):
    """Where an attempt is ended. Seconds are wall-clock; None is no limit."""

    steps: int = Field(default=250, ge=1)
    tokens: int | None = Field(default=None, ge=1)  # input + output, summed over all replies
    input_tokens: int | None = Field(default=None, ge=1)  # likewise
    output_tokens: int | None = Field(default=None, ge=1)
    cost: float | None = Field(default=None, gt=0)  # dollars
    context: int | None = Field(default=None, ge=1024)  # the model's, in tokens; None: not known
    seconds: float = Field(default=7200, gt=0)
    command_seconds: float = Field(default=60, gt=0)
    malformed: int = Field(default=5, ge=1)  # replies without a usable call, in a row
    eval_seconds: float = Field(default=1800, gt=0)
    observation_chars: int = Field(default=10_000, ge=200)  # shown of each observation


class Resources(Record):
    """What one container may use."""

    memory: str = Field(default="4g", pattern=r"^\d+(\.\d+)?[kmgKMG]?$")
    cpus: float = Field(default=2.0, gt=0)
    pids: int = Field(default=512, ge=32)
    disk: str = Field(default="10g", pattern=r"^\d+(\.\d+)?[kmgKMG]$")  # what it may write
    runtime: str = Field(default="", pattern=r"^[\w.-]*$")  # of the engine's; "": its default


class ImageOptions(Record):
    """Where images come from, what is required of them, and what builds and gradings may reach.

    Circumstances: which images a run had is in its digests.
    """

    # host[:port][/folder], in the place of the registry that an image's name has
    registry: str | None = Field(default=None, pattern=r"^[\w.-]+(:\d+)?(/[\w.-]+)*/?$")
    platform: str | None = Field(default=None, pattern=r"^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$")
    pin: Path | None = None  # a file of digests
    disk: ByteSize | None = Field(default=None, gt=0)  # what a run may bring onto the engine
    build_network: str = "none"
    build_args: Mapping[str, str] = {}
    index_url: str | None = None  # PIP_INDEX_URL
    ca_bundle: Path | None = None  # PEM
    proxy: bool = False  # HTTP_PROXY, HTTPS_PROXY and NO_PROXY as swerun has them

    @field_validator("build_args", mode="before")
    @classmethod
    def _named(cls, given: object) -> object:
        """Also as NAME=VALUE, each."""
        if not isinstance(given, list | tuple):
            return given
        if unnamed := [each for each in given if "=" not in str(each)]:
            raise ValueError(f"{unnamed[0]} is not NAME=VALUE")
        return dict(str(each).split("=", maxsplit=1) for each in given)


class LeakKind(StrEnum):
    """In what way an image could show an agent what came after its task's commit."""

    HEAD = "head"  # the work tree itself is of a later commit
    BRANCH = "branch"
    REMOTE_BRANCH = "remote branch"
    TAG = "tag"
    NOTE = "note"
    STASH = "stash"
    REPLACEMENT = "replacement"
    REFERENCE = "reference"  # any other
    POINTER = "pointer"  # ORIG_HEAD, FETCH_HEAD and the like
    REFLOG = "reflog"
    OBJECT = "object"  # to which nothing leads, or only one of the above
    STAGED = "staged"
    REMOTE = "remote"
    ALTERNATE = "alternate"
    WORKTREE = "worktree"
    LEFTOVER = "leftover"  # of a merge, a rebase, a fetch
    REPOSITORY = "repository"  # the project's, elsewhere
    COPY = "copy"  # of the project's files, in another version
    ARCHIVE = "archive"
    CACHE = "cache"  # of downloads
    UNREADABLE = "unreadable"


class Leak(Record):
    """One way, at `where` in the image (a path): `what` it is, the first of `count` such.

    `later` is how many days the newest of them is later than the base commit, where that is known;
    `stays` why it cannot be removed.
    """

    kind: LeakKind
    where: str
    what: str
    count: int = 1
    example: str = ""
    later: float | None = None
    stays: str = ""

    def __str__(self) -> str:
        more = f" and {self.count - 1} more" if self.count > 1 else ""
        example = f": {self.example}" if self.example else ""
        stays = f"; it stays: {self.stays}" if self.stays else ""
        return f"{self.kind}: {self.where}: {self.what}{more}{example}{self._age()}{stays}"

    def _age(self) -> str:
        if self.later is None:
            return ""
        word = "later" if self.later >= 0 else "earlier"
        return f" ({abs(self.later):.1f} days {word} than the base)"


class Sampling(Record):
    """Sent as given; what is None is left to the endpoint."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = None
    reasoning_effort: str | None = Field(default=None, min_length=1)  # whatever words it takes
    extra_body: Mapping[str, JsonValue] = {}


class Scaffold(Record):
    """Everything about the agent that is not the model."""

    agent: str = "bash"
    prompt_hash: str
    protocol: str
    tools: tuple[str, ...]
    api: str = "chat"  # what carries it: chat completions, or `responses`


class Question(Record):
    """What a run asks. Two runs with equal questions may be one; nothing else may."""

    model: str
    asked_for: str = ""  # what its endpoint calls it, where `model` is a models file's name for it
    dataset_hash: str
    scaffold: Scaffold | None  # None: the patch was given
    predictions: str = ""  # a hash of the patches, where they were given as predictions
    sampling: Sampling
    limits: Limits
    resources: Resources
    network: str = ""
    grade_network: str
    grading: str  # the version of the rules
    allow_leaks: bool = False  # images that cannot be cleaned are shown to the agent all the same
    # dotted keys of what nobody knows, of a run that was made elsewhere: their values mean nothing
    unknown: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _known(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Without values that mean nothing."""
        said: dict[str, Any] = handler(self)
        for key in self.unknown:
            inside, _, name = key.partition(".")
            if name and inside != "scaffold":  # whose keys have to be there
                said.get(inside, {}).pop(name, None)
            elif not name:
                said.pop(key, None)
        return said


class Selection(Record):
    """Which instances of a subset are meant. What is not given takes all of them.

    Applied in this order: `instances`, `filter`, `repo` and `difficulty`, all of which must hold;
    then `sample`; `shuffle`; `slice`; `limit`. `seed` is that of `sample` and `shuffle`.
    """

    instances: tuple[str, ...] = ()  # globs of ids
    filter: str | None = None  # a regular expression, found anywhere in an id
    repo: tuple[str, ...] = ()  # globs, of `owner/name` or of the name alone
    difficulty: tuple[str, ...] = ()
    sample: int | None = Field(default=None, ge=1)
    shuffle: bool = False
    slice: str | None = None  # a:b or a:b:c, as Python has it
    limit: int | None = Field(default=None, ge=1)
    seed: int = 0


class Stratum(Record):
    """One part of the population of a stratified sample, and what was drawn of it."""

    repo: str
    difficulty: str
    population: int
    sampled: tuple[str, ...]  # ids


class Configured(Record):
    """What a session was configured with: the keys of a configuration file, and nothing secret."""

    keys: Mapping[str, JsonValue] = {}  # what is not the default
    withheld: tuple[str, ...] = ()  # dotted keys of what was given, and may hold a secret


class Session(Record):
    """One process's work on a run: circumstances, never a reason to refuse."""

    started_at: datetime
    swerun: str
    python: str
    engine: str
    host: str
    jobs: int
    grade_jobs: int
    base_url: str = ""
    price: Price | None = None  # of the model's tokens, as far as it was known
    stop_when_resolved: bool = False
    continue_attempts: bool = False  # attempts that had been cut off were gone on with
    note: str = ""  # what the endpoint says of itself: "recorded conversations of ..."
    missing: tuple[str, ...] = ()  # what was chosen, but has no prediction, and so is not graded
    selection: Selection = Selection()
    strata: tuple[Stratum, ...] = ()  # of its selection, where that is a sample
    soundness: Mapping[str, Soundness] = {}  # of its instances, as far as this machine knew
    configured: Configured | None = None  # sessions of earlier versions have none
    changed: Overrides = {}  # as its attempts have it


class Members(Record):
    """The instances of one repository and difficulty."""

    repo: str
    difficulty: str
    instances: tuple[str, ...]


class RunRecord(Stored):
    """run.json: the question and its fingerprint, and the circumstances. No secrets ever."""

    name: str
    # of this folder alone: runs of one name may lie in many folders and share an engine
    id: str = Field(default_factory=lambda: uuid.uuid4().hex[:12])
    model: str
    subset: str
    source: str = ""  # what the subset was loaded from: "org/name@<commit>", or a path
    fingerprint: str
    question: Question
    selection: tuple[str, ...]
    samples: int = 1
    members: tuple[Members, ...] = ()  # of the selection; runs of earlier versions have none
    created_at: datetime
    sessions: tuple[Session, ...] = ()

    @property
    def own_sessions(self) -> tuple[Session, ...]:
        """Those that asked what the run asks, with nothing changed."""
        return tuple(session for session in self.sessions if not session.changed)

    @property
    def stops_when_resolved(self) -> bool:
        """Whether an instance needs no further sample once one has resolved it."""
        return self.own_sessions[-1].stop_when_resolved if self.own_sessions else False
