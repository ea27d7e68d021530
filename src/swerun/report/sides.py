"""What a comparison is between: what a run, or a published result, made of each instance. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from swerun.records import Attempt, Outcome, RunRecord
from swerun.report.summary import scored

# owner__repo, with or without something before it, and the number or commit after it
_ID = re.compile(
    r"(?:instance_)?(?P<owner>.+?)__(?P<repo>.+?)"
    r"(?:-\d+|-[0-9a-f]{40}(?:-.*)?|\.[0-9a-f]{8}\..*)"  # number; commit; commit and kind of bug
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one sample of an instance. None is what is not known."""

    outcome: Outcome | None  # None: not done
    steps: int | None = None
    tokens: int | None = None
    seconds: float | None = None
    cost: float | None = None  # dollars

    @property
    def resolved(self) -> bool:
        return self.outcome is Outcome.RESOLVED

    @property
    def graded(self) -> bool:
        return self.outcome is not None and self.outcome.is_verdict


@dataclass(frozen=True, slots=True)
class Side:
    """One of what is compared; `run` is None where it is a published result."""

    name: str
    model: str
    trials: Mapping[str, Sequence[Trial]]
    run: RunRecord | None = None
    source: str = ""  # of a published one

    def done(self, instance_id: str) -> list[Trial]:
        """Its samples that came to an end, whatever end."""
        return [trial for trial in self.trials[instance_id] if trial.outcome]

    def rate(self, instance_id: str) -> float:
        """Which part of those was resolved."""
        return fmean(trial.resolved for trial in self.done(instance_id))


@dataclass(frozen=True, slots=True)
class Kind:
    """What an instance is one of; difficulty is "" where nobody said."""

    repo: str
    difficulty: str = ""


def side_of(run: RunRecord, attempts: Iterable[Attempt]) -> Side:
    """Of each sample of a run the attempt that counts.

    Where samples end once one is resolved, of the first alone: how many others there are depends on
    how they came out.
    """
    counting = scored(attempts)
    samples = range(1, 2 if run.stops_when_resolved else run.samples + 1)
    trials = {
        instance_id: tuple(_trial(counting.get((instance_id, sample))) for sample in samples)
        for instance_id in run.selection
    }
    return Side(run.name, run.model, trials, run)


def _trial(attempt: Attempt | None) -> Trial:
    if attempt is None or attempt.outcome is Outcome.CANCELLED:  # the next session makes it anew
        return Trial(None)
    return Trial(
        outcome=attempt.outcome,
        steps=attempt.steps,
        tokens=None if attempt.usage.unreported else attempt.usage.total,
        seconds=attempt.solve_seconds + attempt.grade_seconds if _is_timed(attempt) else None,
        cost=attempt.cost,
    )


def _is_timed(attempt: Attempt) -> bool:
    return attempt.imported is None or attempt.imported.seconds is not None


def kinds_of(sides: Sequence[Side], ids: Iterable[str]) -> dict[str, Kind]:
    """Of each instance what the runs among the sides know; else its repository by its id."""
    known = {
        instance_id: Kind(group.repo, group.difficulty)
        for side in sides
        if side.run
        for group in side.run.members
        for instance_id in group.instances
    }
    return {i: known.get(i) or Kind(repo_of(i)) for i in ids}


def repo_of(instance_id: str) -> str:
    """owner/name as an id of SWE-bench's form has it; an id of another form is its own."""
    found = _ID.fullmatch(instance_id)
    return f"{found['owner']}/{found['repo']}" if found else instance_id
