"""From attempts to numbers. Pure: delete report.json and it comes back the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean

from swerun.records import (
    Attempt,
    Conduct,
    ConductKind,
    Outcome,
    Price,
    RunRecord,
    Soundness,
    Stop,
    Stored,
    Stratum,
    Usage,
)
from swerun.report.costs import paid, repriced, summed
from swerun.report.estimate import Estimate, estimated
from swerun.report.samples import Samples, several

UNSEEN = "flagged, and not graded by the strict rule"
RULE = (
    "per sample the first attempt with a verdict, or the newest with one that --replace made, else "
    "the newest; never the best, and none that was asked otherwise or forked"
)


class Row(Stored):
    """What counts of one sample of one instance."""

    instance_id: str
    sample: int
    attempt: int | None  # None: not begun, or cut off
    outcome: Outcome | None
    stop: Stop | None = None
    steps: int = 0
    usage: Usage = Usage()
    patch_bytes: int = 0
    failing: int = 0  # expected tests that did not do what they should
    flaky: int = 0  # expected tests that did it in one run and not in another, as --confirm found
    cached: bool = False  # the tests ran for an earlier grade
    leaks: int = 0  # in the image that the agent saw, and was allowed to
    flags: int = 0  # of what could decide outcomes
    conduct: tuple[Conduct, ...] | None = None  # None: there was nothing to look at, or nobody did
    solve_seconds: float = 0.0
    grade_seconds: float = 0.0
    why: str = ""  # the failure's words, or what makes it suspect
    cost: float | None = None  # dollars
    spared: bool = False  # --stop-when-resolved: not needed any more
    soundness: Soundness | None = None  # of the instance, where the run's machine knew
    replaced: int | None = None  # the attempt that counted before this one was made to replace it


class Report(Stored):
    """report.json. `sum(outcomes.values()) + pending == n`, always."""

    run: str
    model: str
    subset: str
    rule: str = RULE
    note: str = ""
    n: int  # instances x samples
    graded: int
    resolved: int  # by the strict rule
    official: int = 0  # by the official rule alone
    flagged: int = 0  # samples with something in them that could decide outcomes
    pending: int
    spared: int = 0  # of the pending ones and those that were cancelled: not needed any more
    missing: int = 0  # instances that were chosen, but had no prediction, and so are not in n
    flaky: int = 0  # samples with flaky tests
    cached: int = 0  # samples whose tests ran for an earlier grade
    replaced: int = 0  # samples whose verdict is that of a rerun, in the place of an older one
    leaks: int = 0  # samples whose image could show the agent what came after the base commit
    audited: int = 0  # samples whose steps were looked at for what the agent did
    conduct: Mapping[str, int] = {}  # of them, by kind, those in which there was such
    outcomes: dict[str, int]
    stops: dict[str, int]
    usage: Usage  # of the attempts that count
    usage_all: Usage  # of all attempts that were made here: what was used up
    price: Price | None = None  # what the costs are made with
    cost: float | None = None  # dollars, of the attempts that count; None: not known of all
    cost_all: float | None = None  # of all attempts that were made here
    samples: Samples | None = None  # where several were asked for
    attempts: int
    steps: int
    seconds: float  # summed over the attempts that count
    replay_differs: int | None = None
    estimate: Estimate | None = None  # of all that the newest sample was drawn from
    rows: tuple[Row, ...]

    @property
    def rate(self) -> float:
        """resolved / N: over everything asked, so that a flaky machine cannot improve a score."""
        return self.resolved / self.n if self.n else 0.0

    @property
    def official_rate(self) -> float:
        """The same by the official rule."""
        return self.official / self.n if self.n else 0.0

    @property
    def cost_per_resolved(self) -> float | None:
        """Dollars of all attempts that count, over what they resolved."""
        return self.cost / self.resolved if self.cost is not None and self.resolved else None

    @property
    def graded_rate(self) -> float:
        """resolved / graded: over what got a verdict."""
        return self.resolved / self.graded if self.graded else 0.0


def scored(attempts: Iterable[Attempt]) -> dict[tuple[str, int], Attempt]:
    """By instance and sample the attempt that counts, by RULE."""
    chosen: dict[tuple[str, int], Attempt] = {}
    for attempt in sorted(attempts, key=lambda a: a.attempt):
        key = attempt.instance_id, attempt.sample
        there = chosen.get(key)
        is_open = there is None or not there.outcome.is_verdict
        if attempt.is_own and (is_open or (attempt.replaces and attempt.outcome.is_verdict)):
            chosen[key] = attempt
    return chosen


def replaced(attempts: Iterable[Attempt]) -> dict[tuple[str, int], Attempt]:
    """By instance and sample the attempt with a verdict that counted before another replaced it."""
    known = list(attempts)
    if not any(a.replaces for a in known):
        return {}
    first = scored(a.model_copy(update={"replaces": False}) for a in known)
    return {
        key: first[key]
        for key, counts in scored(known).items()
        if counts.attempt != first[key].attempt and first[key].outcome.is_verdict
    }


def summarise(
    run: RunRecord,
    attempts: Sequence[Attempt],
    unfinished: Usage | None = None,
    price: Price | None = None,
) -> Report:
    """The report of a run from its finished attempts, over all of its selection.

    `unfinished` is what the others have used up so far. With `price` all costs are made with it;
    without, they are what was known when the attempts were made.
    """
    attempts = repriced(attempts, price) if price else attempts
    price = price or price_of(run)
    chosen, before = scored(attempts), replaced(attempts)
    wanted = [(i, s) for i in run.selection for s in range(1, run.samples + 1)]
    known = {i: sound for session in run.sessions for i, sound in session.soundness.items()}
    rows = tuple(
        _row(i, s, chosen.get((i, s))).model_copy(
            update={
                "soundness": known.get(i),
                "replaced": before[i, s].attempt if (i, s) in before else None,
            }
        )
        for i, s in wanted
    )
    newest, stops = run.own_sessions[-1:], run.stops_when_resolved
    rows = _with_spared(rows) if stops else rows
    counted = [chosen[key] for key in wanted if key in chosen]
    outcomes = Counter(a.outcome for a in counted)
    differs = [a.replay_differs for a in counted if a.replay_differs is not None]
    return Report(
        run=run.name,
        model=run.model,
        subset=run.subset,
        note=newest[0].note if newest else "",
        n=len(wanted),
        graded=sum(a.outcome.is_verdict for a in counted),
        resolved=outcomes[Outcome.RESOLVED],
        official=outcomes[Outcome.RESOLVED] + outcomes[Outcome.SUSPECT],
        flagged=sum(row.flags > 0 for row in rows),
        pending=len(wanted) - len(counted),
        missing=len({i for s in run.sessions for i in s.missing} - set(run.selection)),
        flaky=sum(row.flaky > 0 for row in rows),
        cached=sum(row.cached for row in rows),
        replaced=sum(row.replaced is not None for row in rows),
        leaks=sum(row.leaks > 0 for row in rows),
        audited=sum(row.conduct is not None for row in rows),
        conduct=_conduct(rows),
        outcomes={o.value: outcomes[o] for o in Outcome if outcomes[o]},
        stops=dict(sorted(Counter(a.stop.value for a in counted if a.stop).items())),
        usage=sum((a.usage for a in counted), Usage()),
        usage_all=sum((a.usage for a in paid(attempts)), unfinished or Usage()),
        price=price,
        cost=summed(counted),
        cost_all=summed(paid(attempts), unfinished, price),
        spared=sum(row.spared for row in rows),
        samples=several(_verdicts(rows), run.samples, stopped=stops),
        attempts=len(attempts),
        steps=sum(a.steps for a in counted),
        seconds=round(sum(a.solve_seconds + a.grade_seconds for a in counted), 1),
        replay_differs=sum(differs) if differs else None,
        estimate=estimated(newest_strata(run), _rates(rows)),
        rows=rows,
    )


def _conduct(rows: Sequence[Row]) -> dict[str, int]:
    found = Counter(each.kind for row in rows for each in row.conduct or ())
    return {kind.value: found[kind] for kind in ConductKind if found[kind]}


def newest_strata(run: RunRecord) -> tuple[Stratum, ...]:
    """Those of the newest session that drew a sample; none where none did."""
    return next((s.strata for s in reversed(run.sessions) if s.strata), ())


def price_of(run: RunRecord) -> Price | None:
    """What its newest session that knew a price had it at."""
    return next((s.price for s in reversed(run.own_sessions) if s.price), None)


def _with_spared(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows where those that need not be made are told apart: another sample resolved theirs."""
    resolved = {row.instance_id for row in rows if row.outcome is Outcome.RESOLVED}
    return tuple(
        row.model_copy(update={"spared": row.instance_id in resolved})
        if row.outcome in {None, Outcome.CANCELLED}
        else row
        for row in rows
    )


def _verdicts(rows: Iterable[Row]) -> dict[str, list[bool]]:
    """By instance which of its samples were resolved, of those that have a verdict."""
    seen: dict[str, list[bool]] = {}
    for row in rows:
        if row.outcome and row.outcome.is_verdict:
            seen.setdefault(row.instance_id, []).append(row.outcome is Outcome.RESOLVED)
    return seen


def _rates(rows: Iterable[Row]) -> dict[str, float]:
    """By instance which part of its samples was resolved, of those that have a verdict."""
    return {instance_id: fmean(resolved) for instance_id, resolved in _verdicts(rows).items()}


def _row(instance_id: str, sample: int, attempt: Attempt | None) -> Row:
    if attempt is None:
        return Row(instance_id=instance_id, sample=sample, attempt=None, outcome=None)
    return Row(
        instance_id=instance_id,
        sample=sample,
        attempt=attempt.attempt,
        outcome=attempt.outcome,
        stop=attempt.stop,
        steps=attempt.steps,
        usage=attempt.usage,
        cost=attempt.cost,
        patch_bytes=attempt.patch_bytes,
        failing=len(attempt.grade.failing) if attempt.grade else 0,
        flaky=len(attempt.grade.flaky) if attempt.grade else 0,
        cached=attempt.grade.cached if attempt.grade else False,
        leaks=len(attempt.leaks),
        flags=len(attempt.grade.flags) if attempt.grade else 0,
        conduct=attempt.conduct,
        solve_seconds=attempt.solve_seconds,
        grade_seconds=attempt.grade_seconds,
        why=_why(attempt),
    )


def _why(attempt: Attempt) -> str:
    if attempt.failure:
        return attempt.failure.message
    if attempt.outcome is not Outcome.SUSPECT:
        return ""
    strict = attempt.grade.strict if attempt.grade else None
    return "; ".join(strict.reasons) if strict else UNSEEN
