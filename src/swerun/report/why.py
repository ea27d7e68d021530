"""Why a run came out as it did: what became of its samples, what went wrong on the way. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from swerun.command_line import commands
from swerun.records import Attempt, GradeReason, Outcome, Record, RunRecord, Step, Stored
from swerun.report.conduct import Done, done
from swerun.report.summary import scored

TOP = 10  # of each list
FIX = "FAIL_TO_PASS"
# commands that come before the one that is meant
_BEFORE = {"cd", "export", "source", ".", "set", "echo", "true", "sleep", "mkdir"}
_SUBCOMMANDS = {"git", "pip", "pip3", "npm", "npx", "cargo", "go", "make", "conda", "hg", "tox"}


class Tally(Record):
    """How often something was so, and of which instances."""

    what: str
    times: int
    instances: tuple[str, ...]


class Extreme(Record):
    """One attempt that took much."""

    instance_id: str
    attempt: int
    amount: float
    outcome: Outcome
    steps: int


class Why(Stored):
    """What `swerun why --json` prints. Of the attempts that count, one a sample."""

    run: str
    attempts: int
    causes: tuple[Tally, ...]  # each attempt in one
    stops: tuple[Tally, ...]
    commands: tuple[Tally, ...]  # programs that failed, and how
    conduct: tuple[Done, ...] = ()  # what their agents did
    slowest: tuple[Extreme, ...]  # seconds, solving and grading
    dearest: tuple[Extreme, ...]  # dollars, or tokens where no price is known
    dearest_by: str


def why(run: RunRecord, attempts: Iterable[Attempt], steps: Iterable[tuple[str, Step]]) -> Why:
    """`steps` are those of the attempts that count, each with its instance."""
    chosen = list(scored(attempts).values())
    has_costs = any(attempt.cost for attempt in chosen)
    return Why(
        run=run.name,
        attempts=len(chosen),
        causes=_tallied((cause(a), a.instance_id) for a in chosen),
        stops=_tallied((_words(a.stop), a.instance_id) for a in chosen if a.stop),
        commands=_tallied(_failures(steps))[:TOP],
        conduct=done(chosen),
        slowest=_most(chosen, {id(a): a.solve_seconds + a.grade_seconds for a in chosen}),
        dearest=_most(
            chosen, {id(a): (a.cost or 0.0) if has_costs else a.usage.total for a in chosen}
        ),
        dearest_by="dollars" if has_costs else "tokens",
    )


def cause(attempt: Attempt) -> str:
    """An outcome with what is behind it: which tests, which error, which stop."""
    said = _words(attempt.outcome)
    if attempt.failure:
        return f"{said}: {attempt.failure.error}"
    if attempt.outcome is Outcome.UNRESOLVED and attempt.grade:
        return f"{said}: {_of_tests(attempt)}"
    if attempt.outcome is Outcome.NO_PATCH and (ended := attempt.stop or _ended(attempt)):
        return f"{said}: {_words(ended)}"
    return said


def _ended(attempt: Attempt) -> str:
    """How, in the words of who made it elsewhere."""
    return attempt.imported.ended if attempt.imported else ""


def _of_tests(attempt: Attempt) -> str:
    assert attempt.grade
    if attempt.grade.reason is GradeReason.NO_RESULTS:
        return "no test started with the patch"
    failing = {test.group == FIX for test in attempt.grade.failing}
    if failing == {True, False}:
        return "not fixed, and something else broken"
    return "not fixed" if failing == {True} else "fixed, but something else broken"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _tallied(seen: Iterable[tuple[str, str]]) -> tuple[Tally, ...]:
    """The most frequent first."""
    found: dict[str, list[str]] = {}
    for what, instance_id in seen:
        found.setdefault(what, []).append(instance_id)
    return tuple(
        Tally(what=what, times=len(ids), instances=tuple(dict.fromkeys(ids)))
        for what, ids in sorted(found.items(), key=lambda each: (-len(each[1]), each[0]))
    )


def _most(attempts: Sequence[Attempt], amounts: Mapping[int, float]) -> tuple[Extreme, ...]:
    ordered = sorted(attempts, key=lambda a: -amounts[id(a)])
    return tuple(
        Extreme(
            instance_id=a.instance_id,
            attempt=a.attempt,
            amount=amounts[id(a)],
            outcome=a.outcome,
            steps=a.steps,
        )
        for a in ordered[:TOP]
        if amounts[id(a)]
    )


def _failures(steps: Iterable[tuple[str, Step]]) -> Iterator[tuple[str, str]]:
    """`grep: exit code 1`, `pytest: timed out`; a call that is not run is no command."""
    for instance_id, step in steps:
        commands = {call.id: str(call.arguments.get("command", "")) for call in step.reply.calls}
        for seen in step.observations:
            command = commands.get(seen.call_id, "")
            if command and seen.timed_out:
                yield f"{program(command)}: timed out", instance_id
            elif command and seen.exit_code:
                yield f"{program(command)}: exit code {seen.exit_code}", instance_id


def program(command: str) -> str:
    """What a command line is there to run: `cd /x && python -m pytest -q` is `python -m pytest`.

    Of several the first, whichever of them failed: a shell does not say.
    """
    found = [each.words for each in commands(command) if each.words]
    meant = (words for words in found if words[0] not in _BEFORE)
    words = next(meant, found[0] if found else command.split())
    if not words:
        return ""
    name = words[0].rpartition("/")[2]
    if name.startswith("python") and len(words) > 1:
        if words[1] == "-m":
            return " ".join([name, *words[1:3]])
        return f"{name} {words[1]}" if words[1] in {"-c", "-"} else name
    if name in _SUBCOMMANDS and len(words) > 1 and not words[1].startswith("-"):
        return f"{name} {words[1]}"
    return name
