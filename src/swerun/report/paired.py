"""Two runs on the same instances, side by side: who resolved what the other did not. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from swerun.records import Outcome, Record
from swerun.report.statistics import mcnemar
from swerun.report.summary import Report, Row


class Paired(Record):
    """Of the first sample of each instance that has a verdict in both runs.

    `p` is McNemar's, exact and two-sided: how often a difference at least as large would come about
    between `only_a` and `only_b`, if each of these instances were as likely the one as the other.
    """

    a: str
    b: str
    both: int
    only_a: int
    only_b: int
    neither: int
    left_out: int  # instances with a verdict in one run at most
    p: float


def paired(a: Report, b: Report) -> Paired:
    first, second = _resolved(a), _resolved(b)
    common = first.keys() & second.keys()
    counts = [sum((first[i], second[i]) == pair for i in common) for pair in _PAIRS]
    both, only_a, only_b, neither = counts
    return Paired(
        a=a.model,
        b=b.model,
        both=both,
        only_a=only_a,
        only_b=only_b,
        neither=neither,
        left_out=len({row.instance_id for row in (*a.rows, *b.rows)} - common),
        p=mcnemar(only_a, only_b),
    )


_PAIRS = ((True, True), (True, False), (False, True), (False, False))


def _resolved(report: Report) -> Mapping[str, bool]:
    return {row.instance_id: _is(row) for row in report.rows if row.sample == 1 and _judged(row)}


def _judged(row: Row) -> bool:
    return row.outcome is not None and row.outcome.is_verdict


def _is(row: Row) -> bool:
    return row.outcome is Outcome.RESOLVED
