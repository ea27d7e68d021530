"""Which samples of a run are tried again, and what that does to its score."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from swerun.engine.plan import rerun
from swerun.errors import InputError
from swerun.instances.selection import nearest
from swerun.ports import Planned
from swerun.records import Attempt, Instance, Outcome, Overrides, Stop
from swerun.report.summary import Report, Row, scored
from swerun.runs.store import RunStore

FAILED = frozenset(outcome for outcome in Outcome if not outcome.is_verdict)
UNRESOLVED = frozenset(Outcome) - FAILED - {Outcome.RESOLVED}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which samples are meant, by what counts of them: all of what is given has to hold."""

    ids: tuple[str, ...] = ()  # globs, one of which has to match
    outcomes: frozenset[Outcome] = frozenset()
    stops: frozenset[Stop] = frozenset()
    samples: tuple[int, ...] = ()


def meant(report: Report, wanted: Wanted) -> list[Row]:
    """The rows of a run that are meant. Instances that are only named are meant by their first
    sample. Raises InputError where nothing is, with what there is."""
    if wanted == Wanted(samples=wanted.samples):
        raise InputError(
            "which ones? Name them with -i, or by what became of them: --failed, --unresolved, "
            f"--outcome, --stop. {report.run} has {_there(report)}"
        )
    ids = sorted({row.instance_id for row in report.rows})
    for pattern in wanted.ids:
        if not any(fnmatchcase(instance_id, pattern) for instance_id in ids):
            raise InputError(f"{report.run} has no instance {pattern!r}.{nearest(pattern, ids)}")
    is_named = not (wanted.outcomes or wanted.stops)
    samples = wanted.samples or ((1,) if is_named else ())
    found = [
        row
        for row in report.rows
        if (not wanted.ids or any(fnmatchcase(row.instance_id, glob) for glob in wanted.ids))
        and (not wanted.outcomes or row.outcome in wanted.outcomes)
        and (not wanted.stops or row.stop in wanted.stops)
        and (not samples or row.sample in samples)
    ]
    if not found:
        raise InputError(f"nothing of {report.run} is all of that. It has {_there(report)}")
    return found


def _there(report: Report) -> str:
    """`3 resolved, 1 endpoint_failed, 2 not done; stopped by submitted (3), step_limit (1)`."""
    counts = [f"{number} {outcome}" for outcome, number in report.outcomes.items()]
    counts += [f"{report.pending} not done"] if report.pending else []
    stops = ", ".join(f"{stop} ({number})" for stop, number in report.stops.items())
    several = max((row.sample for row in report.rows), default=1)
    parts = [", ".join(counts) or "nothing yet"]
    parts += [f"stopped by {stops}"] if stops else []
    parts += [f"samples 1 to {several}"] if several > 1 else []
    return "; ".join(parts)


def planning(
    rows: Sequence[Row], say: Callable[[str], None], *, replaces: bool
) -> Callable[[RunStore, Mapping[str, Instance], Overrides], list[Planned]]:
    """A further attempt of each of the rows, and a line on what comes of it."""

    def plan(
        store: RunStore, instances: Mapping[str, Instance], changed: Overrides
    ) -> list[Planned]:
        if line := effect(rows, changed, replaces=replaces):
            say(line)
        samples = [(instances[row.instance_id], row.sample) for row in rows]
        past = {row.instance_id: store.past(row.instance_id) for row in rows}
        return rerun(samples, past, changed, replaces=replaces)

    return plan


def effect(rows: Sequence[Row], changed: Overrides, *, replaces: bool) -> str:
    """What new attempts of the rows do to the score of their run, in words. Raises InputError for
    those that cannot replace any."""
    asked = "; ".join(f"{key}: {old} -> {new}" for key, (old, new) in changed.items())
    if changed and replaces:
        raise InputError(f"--replace: it is another question now ({asked}), and an answer to it "
                         "never counts in this run")  # fmt: skip
    if changed:
        return f"Not what the run asks ({asked}): what comes of it does not count in its score."
    done = sum(row.outcome is not None and row.outcome.is_verdict for row in rows)
    if not done:
        return ""
    those = f"{done} of {len(rows)}" if len(rows) > 1 else "It"
    have, theirs = ("have", "theirs") if len(rows) > 1 else ("has", "it")
    if replaces:
        return f"{those} {have} a verdict: a new one counts in its place."
    return f"{those} {have} a verdict, and {theirs} stays what counts (--replace: the new one)."


@dataclass(frozen=True, slots=True)
class Rerun:
    """A sample that was tried again: what came of it (None: nothing yet), and what counts now."""

    instance_id: str
    sample: int
    attempt: Attempt | None
    counts: Attempt | None

    @property
    def counts_itself(self) -> bool:
        same = self.attempt and self.counts and self.attempt.attempt == self.counts.attempt
        return bool(same)


def results(store: RunStore, asked: Iterable[Planned]) -> list[Rerun]:
    """What came of the attempts that were asked for; of one that was retried, of the last."""
    counting = scored(store.outlines())
    found = []
    for planned in asked:
        instance_id, sample = planned.instance.id, planned.sample
        done = [
            past.done
            for past in store.past(instance_id)
            if past.done and past.number >= planned.number and past.started.sample == sample
        ]
        counts = counting.get((instance_id, sample))
        found.append(Rerun(instance_id, sample, done[-1] if done else None, counts))
    return found
