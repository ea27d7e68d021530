"""Runs and published results side by side, and in pairs on the instances they have in common. Pure.

What is not done on either side is left out of it; what is done and has no verdict counts as not
resolved, as it does in resolved/N.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean
from typing import TypeVar

from swerun.errors import InputError
from swerun.records import Record, Stored
from swerun.report.estimate import CONFIDENCE
from swerun.report.samples import interval
from swerun.report.sides import Kind, Side, kinds_of
from swerun.report.statistics import (
    detectable,
    holm,
    mcnemar,
    paired_interval,
    sign_flips,
    smallest_significant,
)
from swerun.runs.questions import differences

MCNEMAR, FLIPS = "McNemar, exact", "sign flips"
ASKED = {"model", "asked_for", "predictions"}  # what may differ: it is what is compared
SEED = 0
N = TypeVar("N", int, float)


class Rate(Record):
    """`part` of `whole` samples, and where the rate lies with CONFIDENCE, by Wilson.

    Several samples of an instance are fewer draws than so many instances, as far as they are alike.
    """

    part: int
    whole: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        return self.part / self.whole if self.whole else 0.0


class Figures(Record):
    """One side on the common instances. Sums; None where not all of it is known."""

    name: str
    model: str
    published: str = ""  # where a published one is from
    samples: int  # of the instance that has most
    resolved: Rate  # of all samples
    graded: Rate  # of those with a verdict
    steps: int | None
    tokens: int | None
    seconds: float | None
    cost: float | None  # dollars
    elsewhere: int = 0  # its own instances that another side has not
    undone: int = 0  # instances of its own that have no end yet
    alone: tuple[str, ...] = ()  # resolved in some sample, and by no other side in any

    @property
    def cost_per_resolved(self) -> float | None:
        if self.cost is None or not self.resolved.part:
            return None
        return self.cost / self.resolved.part


class Pair(Record):
    """Two sides, instance by instance. Where there are several samples, the four counts are means
    over all pairings of a sample of one with a sample of the other."""

    a: str
    b: str
    both: float
    only_a: float
    only_b: float
    neither: float
    test: str
    p: float
    p_holm: float | None = None  # corrected for the number of pairs, where there are several
    difference: float  # rate of a - rate of b
    low: float
    high: float
    drawn: str  # what the interval's bootstrap drew: repository or instance
    significant_from: float | None  # the smallest difference that would be, as they differ here
    detectable: float | None  # the smallest that would be found to be, four times of five
    ids_only_a: tuple[str, ...]  # resolved by one in some sample, by the other in none
    ids_only_b: tuple[str, ...]
    unlike: tuple[str, ...] = ()  # what else than the model differs


class Group(Record):
    """The instances of a repository, or of a difficulty, and each side's rate on them."""

    by: str
    name: str
    instances: int
    rates: tuple[float, ...]


class Comparison(Stored):
    """What `swerun compare --json` prints."""

    instances: int  # that all sides have in common
    left_out: int = 0  # that only some of them have, or have done
    confidence: float = CONFIDENCE
    sides: tuple[Figures, ...]
    pairs: tuple[Pair, ...]
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A side with its rate on each of the common instances."""

    side: Side
    rates: Sequence[float]


def compared(sides: Sequence[Side]) -> Comparison:
    """Raises InputError for sides that have no instance in common."""
    ids = common(sides)
    if not ids:
        raise InputError(f"there is no instance that all of them have done: {_counts(sides)}")
    kinds = kinds_of(sides, ids)
    repos = [kinds[i].repo for i in ids]
    lines = [_Line(side, [side.rate(i) for i in ids]) for side in sides]
    pairs = [_pair(a, b, ids, repos) for a, b in _pairs(lines)]
    if len(pairs) > 1:
        corrected = holm([pair.p for pair in pairs])
        pairs = [
            pair.model_copy(update={"p_holm": p}) for pair, p in zip(pairs, corrected, strict=True)
        ]
    return Comparison(
        instances=len(ids),
        left_out=len({i for side in sides for i in side.trials}) - len(ids),
        sides=tuple(_figures(line.side, ids, _alone(line, lines, ids)) for line in lines),
        pairs=tuple(pairs),
        groups=tuple(_groups(lines, ids, kinds)),
    )


def common(sides: Sequence[Side]) -> list[str]:
    """The instances of which every side has done a sample."""
    return sorted(set.intersection(*({i for i in side.trials if side.done(i)} for side in sides)))


def _counts(sides: Sequence[Side]) -> str:
    return ", ".join(f"{side.name} has {len(common([side]))}" for side in sides)


def _pairs(lines: Sequence[_Line]) -> Iterator[tuple[_Line, _Line]]:
    """Of runs each with each; of published results each with the first run, if there is one."""
    runs = [line for line in lines if line.side.run]
    published = [line for line in lines if not line.side.run]
    yield from combinations(runs or published, 2)
    if runs:
        yield from ((runs[0], line) for line in published)


def _alone(line: _Line, lines: Sequence[_Line], ids: Sequence[str]) -> tuple[str, ...]:
    others = [other.rates for other in lines if other is not line]
    return tuple(
        instance_id
        for at, instance_id in enumerate(ids)
        if line.rates[at] and not any(rates[at] for rates in others)
    )


def _figures(side: Side, ids: Sequence[str], alone: tuple[str, ...]) -> Figures:
    done = [side.done(i) for i in ids]
    trials = [trial for each in done for trial in each]
    return Figures(
        name=side.name,
        model=side.model,
        published=side.source,
        samples=max(len(side.trials[i]) for i in ids),
        resolved=rate_of([[trial.resolved for trial in each] for each in done]),
        graded=rate_of([[trial.resolved for trial in each if trial.graded] for each in done]),
        steps=_sum(trial.steps for trial in trials),
        tokens=_sum(trial.tokens for trial in trials),
        seconds=_sum(trial.seconds for trial in trials),
        cost=_sum(trial.cost for trial in trials),
        elsewhere=sum(bool(side.done(i)) for i in side.trials) - len(ids),
        undone=sum(not side.done(i) for i in side.trials),
        alone=alone,
    )


def rate_of(by_instance: Iterable[Sequence[bool]]) -> Rate:
    """From which samples of each instance were resolved."""
    seen = [each for each in by_instance if each]
    low, high = interval([fmean(each) for each in seen], max(map(len, seen))) if seen else (0, 1)
    return Rate(part=sum(map(sum, seen)), whole=sum(map(len, seen)), low=low, high=high)


def _sum(values: Iterable[N | None]) -> N | None:
    known = list(values)
    return None if None in known else sum(each for each in known if each is not None)


def _pair(a: _Line, b: _Line, ids: Sequence[str], repos: Sequence[str]) -> Pair:
    rates = list(zip(a.rates, b.rates, strict=True))
    both = sum(x * y for x, y in rates)
    only_a, only_b = sum(a.rates) - both, sum(b.rates) - both
    differences = [x - y for x, y in rates]
    likely = paired_interval(differences, repos, SEED)
    binary = all(rate in {0.0, 1.0} for rate in (*a.rates, *b.rates))
    enough = smallest_significant(round(only_a + only_b)) if binary else None
    return Pair(
        a=a.side.name,
        b=b.side.name,
        both=both,
        only_a=only_a,
        only_b=only_b,
        neither=len(ids) - both - only_a - only_b,
        test=MCNEMAR if binary else FLIPS,
        p=mcnemar(round(only_a), round(only_b)) if binary else sign_flips(differences),
        difference=fmean(differences),
        low=likely.low,
        high=likely.high,
        drawn=likely.by,
        significant_from=None if enough is None else enough / len(ids),
        detectable=detectable(differences),
        ids_only_a=tuple(i for i, (x, y) in zip(ids, rates, strict=True) if x and not y),
        ids_only_b=tuple(i for i, (x, y) in zip(ids, rates, strict=True) if y and not x),
        unlike=unlike(a.side, b.side),
    )


def unlike(a: Side, b: Side) -> tuple[str, ...]:
    """What of two questions differs besides the model, as `key: of a -> of b`."""
    if a.run is None or b.run is None:
        return tuple(
            f"{side.name} is published ({side.source}): nothing is known of its question"
            for side in (a, b)
            if side.run is None
        )
    differing = differences(a.run.question, b.run.question, besides=ASKED)
    return (*differing, *filter(None, map(_unknown, (a, b))))


def _unknown(side: Side) -> str:
    """What nobody knows of its question; "" where all is known."""
    question = side.run.question if side.run else None
    if question and question.unknown:
        return f"{side.name} was made elsewhere, and nobody knows {', '.join(question.unknown)}"
    if question and question.predictions and question.scaffold is None:
        return f"{side.name} is of predictions, and nobody knows how they were made"
    return ""


def _groups(
    lines: Sequence[_Line], ids: Sequence[str], kinds: Mapping[str, Kind]
) -> Iterator[Group]:
    """By repository, the largest first; by difficulty, where it is known."""
    for by, names in (
        ("repository", {i: kinds[i].repo for i in ids}),
        ("difficulty", {i: kinds[i].difficulty for i in ids if kinds[i].difficulty}),
    ):
        members: dict[str, list[int]] = {}
        for at, instance_id in enumerate(ids):
            if instance_id in names:
                members.setdefault(names[instance_id], []).append(at)
        for name in sorted(members, key=lambda name: (-len(members[name]), name)):
            rates = tuple(fmean(line.rates[at] for at in members[name]) for line in lines)
            yield Group(by=by, name=name, instances=len(members[name]), rates=rates)
