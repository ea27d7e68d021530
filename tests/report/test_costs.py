"""What attempts cost, and when that is not known."""

from __future__ import annotations

import pytest

from swerun.records import Price, Replayed, Session, Usage
from swerun.report.costs import paid, summed
from swerun.report.summary import summarise
from tests.fakes import NOW, an_attempt
from tests.report.test_summary import a_run

USED = Usage(input_tokens=10**6, output_tokens=10**5)
PRICE = Price(input=2, output=10, source="flags")


def session(**more):
    circumstances = {"swerun": "0", "python": "3", "engine": "local", "host": "h"}
    return Session(started_at=NOW, jobs=1, grade_jobs=1, **circumstances, **more)


def test_costs_are_summed_where_all_are_known_and_are_not_known_where_one_is_not():
    known, unknown = an_attempt("a", usage=USED, cost=3.0), an_attempt("b", usage=USED)
    assert summed([known, known]) == 6
    assert summed([known, unknown]) is None
    assert summed([known, an_attempt("c")]) == 3  # it used nothing
    assert summed([]) == 0


def test_what_is_under_way_costs_too():
    assert summed([], USED, PRICE) == 3
    assert summed([], USED) is None


def test_a_report_has_what_was_paid_and_what_a_resolved_instance_cost():
    attempts = [
        an_attempt("a", 1, "endpoint_failed", usage=USED, cost=3.0),
        an_attempt("a", 2, usage=USED, cost=3.0),
        an_attempt("b", 1, "unresolved", usage=USED, cost=3.0),
        an_attempt("b", 2, "resolved", usage=USED, cost=3.0, solved_in=1),  # paid for already
    ]
    run = a_run("a", "b").model_copy(update={"sessions": (session(price=PRICE),)})
    report = summarise(run, attempts, USED)
    assert (report.cost, report.cost_per_resolved, report.cost_all) == (6, 6, 12)
    assert report.price == PRICE


def test_a_run_without_a_price_is_priced_later():
    run = a_run("a")
    attempts = [an_attempt("a", usage=USED)]
    before, after = summarise(run, attempts), summarise(run, attempts, None, PRICE)
    assert (before.cost, before.price) == (None, None)
    assert (after.cost, after.price, after.rows[0].cost) == (3, PRICE, 3)


def test_what_nobody_reported_has_no_cost():
    assert PRICE.cost(Usage(unreported=3)) is None
    assert PRICE.cost(Usage()) == 0
    assert PRICE.cost(USED + Usage(unreported=1)) == pytest.approx(3)


def test_samples_that_are_not_needed_any_more_are_told_from_those_that_are_not_done():
    attempts = [
        an_attempt("a", 1, "unresolved", sample=1),
        an_attempt("a", 2, "resolved", sample=2),
        an_attempt("a", 3, "cancelled", sample=3),
        an_attempt("b", 1, "unresolved", sample=1),
    ]
    run = a_run("a", "b", samples=4)
    stopping = run.model_copy(update={"sessions": (session(stop_when_resolved=True),)})
    report = summarise(stopping, attempts)
    assert (report.spared, report.pending, report.n) == (2, 4, 8)
    assert [row.sample for row in report.rows if row.spared] == [3, 4]
    assert [p.k for p in report.samples.pass_at] == [4]
    assert summarise(run, attempts).spared == 0


def test_replies_that_were_given_again_are_not_paid_again():
    again = Replayed(steps=3, usage=USED, cost=3.0)
    first = an_attempt("a", 1, "unresolved", usage=USED, cost=3.0)
    forked = an_attempt("a", 2, usage=USED + USED, cost=6.0, cause="continued", replayed=again)
    assert [a.usage for a in paid([first, forked])] == [USED, USED]
    assert summed(paid([first, forked])) == 6
    report = summarise(a_run("a"), [first, forked], None, PRICE)
    assert (report.usage_all, report.cost_all) == (USED + USED, 6)
    dearer = Price(input=4, output=20)
    assert summarise(a_run("a"), [first, forked], None, dearer).cost_all == 12
    unknown = forked.model_copy(update={"cost": None})
    assert summed(paid([unknown])) is None
