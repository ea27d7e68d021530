"""What a lower limit would have left of a run's score, and what it would have cost. Pure.

An attempt that went on past the limit counts as not resolved: its patch of that moment was never
taken or graded, so a curve is a lower bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal

from swerun.errors import InputError
from swerun.records import Record, Stored
from swerun.report.sides import Side, Trial

By = Literal["steps", "cost"]
_ROUND = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


@dataclass(frozen=True, slots=True)
class Spent:
    """What each step of an attempt used up, in order; None where it is not known."""

    tokens: Sequence[int] | None
    cost: Sequence[float] | None = None


class Point(Record):
    """With `limit`: resolved, and the sums over all samples; None where they are not known."""

    limit: float
    resolved: int
    rate: float
    ended: int  # samples that the limit would have ended
    tokens: int | None
    cost: float | None


class Curve(Stored):
    """One side's. `n` is its samples that came to an end: each point's rate is of those."""

    name: str
    by: By
    n: int
    unknown: int = 0  # of them, those of which nobody knows how far they went: not resolved
    points: tuple[Point, ...]


def curve(side: Side, by: By, spent: Mapping[tuple[str, int], Spent] | None = None) -> Curve:
    """`spent` is by instance and number of the sample, from 1; without it a step limit has no cost.

    Raises InputError where nothing is known of what the samples used up.
    """
    trials = {(i, n): t for i, all_ in side.trials.items() for n, t in enumerate(all_, 1)}
    done = {key: trial for key, trial in trials.items() if trial.outcome}
    known = [used for trial in done.values() if (used := _used(trial, by)) is not None]
    if not known or not max(known):
        raise InputError(f"{side.name} does not say what {by} its attempts took")
    return Curve(
        name=side.name,
        by=by,
        n=len(done),
        unknown=len(done) - len(known),
        points=tuple(_point(k, by, done, spent or {}) for k in limits(max(known), by)),
    )


def limits(most: float, by: By) -> Iterator[float]:
    """Round numbers, ever further apart, up to the first at which nothing would have changed."""
    unit = 1.0 if by == "steps" else 0.01
    while True:
        for part in _ROUND:
            limit = round(part * unit, 4)
            if by == "cost" or limit.is_integer():
                yield limit
                if limit >= most:
                    return
        unit *= 10


def _used(trial: Trial, by: By) -> float | None:
    return trial.steps if by == "steps" else trial.cost


def _point(
    limit: float,
    by: By,
    done: Mapping[tuple[str, int], Trial],
    spent: Mapping[tuple[str, int], Spent],
) -> Point:
    within = [trial for trial in done.values() if _within(trial, by, limit)]
    resolved = sum(trial.resolved for trial in within)
    costs = [_cost(trial, by, limit, spent.get(key)) for key, trial in done.items()]
    tokens = [_tokens(trial, by, limit, spent.get(key)) for key, trial in done.items()]
    return Point(
        limit=limit,
        resolved=resolved,
        rate=resolved / len(done),
        ended=len(done) - len(within),
        tokens=None if None in tokens else sum(t for t in tokens if t is not None),
        cost=None if None in costs else sum(c for c in costs if c is not None),
    )


def _within(trial: Trial, by: By, limit: float) -> bool:
    used = _used(trial, by)
    return used is not None and used <= limit


def _cost(trial: Trial, by: By, limit: float, spent: Spent | None) -> float | None:
    """A limit on cost ends an attempt with the step that reaches it."""
    if by == "cost" and trial.cost is not None:
        if spent is None or spent.cost is None:
            return min(trial.cost, limit)  # to within a step
        return next((sum_ for sum_ in accumulate(spent.cost) if sum_ >= limit), trial.cost)
    if _within(trial, by, limit):
        return trial.cost
    return sum(spent.cost[: int(limit)]) if spent and spent.cost is not None else None


def _tokens(trial: Trial, by: By, limit: float, spent: Spent | None) -> int | None:
    if _within(trial, by, limit):
        return trial.tokens
    if spent and spent.tokens is not None and by == "steps":
        return sum(spent.tokens[: int(limit)])
    return None
