"""From attempts to numbers, by table."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swerun.records import (
    Conduct,
    ConductKind,
    Flag,
    FlakyTest,
    Grade,
    GradeReason,
    Limits,
    Outcome,
    Price,
    Question,
    Resources,
    RunRecord,
    Sampling,
    Session,
    Strict,
    TestStatus,
    Usage,
)
from swerun.report.predictions import predictions
from swerun.report.summary import UNSEEN, scored, summarise
from tests.fakes import NOW, an_attempt

VERDICTS = [outcome for outcome in Outcome if outcome.is_verdict]


def a_run(*selection, samples=1):
    question = Question(
        model="m",
        dataset_hash="0",
        scaffold=None,
        sampling=Sampling(),
        limits=Limits(),
        resources=Resources(),
        network="none",
        grade_network="none",
        grading="1",
    )
    return RunRecord(
        name="r",
        model="m",
        subset="sample",
        fingerprint="f",
        question=question,
        selection=selection,
        samples=samples,
        created_at=NOW,
    )


def test_the_first_attempt_with_a_verdict_counts_never_the_best():
    attempts = [
        an_attempt("a", 1, "endpoint_failed"),
        an_attempt("a", 2, "unresolved"),
        an_attempt("a", 3, "resolved"),
    ]
    assert scored(attempts)["a", 1].attempt == 2


def test_without_any_verdict_the_newest_counts():
    attempts = [an_attempt("a", 2, "sandbox_failed"), an_attempt("a", 1, "image_failed")]
    assert scored(attempts)["a", 1].outcome is Outcome.SANDBOX_FAILED


CHANGED = {"changed": {"limits.steps": (250, 9)}}
REPLACES = {"replaces": True}


@pytest.mark.parametrize(
    ("attempts", "counts", "replaced"),
    [
        ([("unresolved", {}), ("resolved", {})], 1, None),
        ([("unresolved", {}), ("resolved", REPLACES)], 2, 1),
        ([("resolved", {}), ("unresolved", REPLACES)], 2, 1),  # the newest, also where it is worse
        ([("unresolved", {}), ("resolved", REPLACES), ("no_patch", REPLACES)], 3, 1),
        ([("unresolved", {}), ("resolved", REPLACES), ("no_patch", {})], 2, 1),
        ([("unresolved", {}), ("endpoint_failed", REPLACES)], 1, None),
        ([("endpoint_failed", {}), ("resolved", REPLACES)], 2, None),
        ([("endpoint_failed", {}), ("resolved", {"cause": "rerun"})], 2, None),
        ([("endpoint_failed", {}), ("resolved", CHANGED), ("unresolved", {})], 3, None),
        ([("unresolved", {}), ("resolved", CHANGED | REPLACES)], 1, None),
        ([("endpoint_failed", {}), ("resolved", {"cause": "forked"})], 1, None),
        ([("resolved", CHANGED)], None, None),
    ],
)
def test_only_what_answers_the_runs_question_counts_and_replaces_when_told_to(
    attempts, counts, replaced
):
    made = [an_attempt("a", n, outcome, **why) for n, (outcome, why) in enumerate(attempts, 1)]
    report = summarise(a_run("a"), made)
    (row,) = report.rows
    assert (row.attempt, row.replaced) == (counts, replaced)
    assert report.replaced == (replaced is not None)
    assert (report.attempts, report.pending) == (len(made), counts is None)


def test_a_session_that_asked_otherwise_says_nothing_of_the_run():
    session = Session(
        started_at=NOW, swerun="0", python="3", engine="e", host="h", jobs=1, grade_jobs=1
    )
    own = session.model_copy(update={"note": "own", "price": Price(input=1, output=2)})
    other = session.model_copy(update={"note": "other", "price": Price(input=5, output=5)})
    other = other.model_copy(update={"changed": {"model": ("m", "n")}, "stop_when_resolved": True})
    run = a_run("a", samples=2).model_copy(update={"sessions": (own, other)})
    attempts = [an_attempt("a", usage=Usage(input_tokens=10**6), cost=5, changed=other.changed)]
    report = summarise(run, attempts)
    assert (report.note, report.price.output, report.spared) == ("own", 2, 0)
    assert summarise(run, attempts, price=Price(input=9, output=9)).cost_all == 5


def test_both_rates_and_the_causes_are_said():
    attempts = [
        an_attempt("a", 1, "resolved"),
        an_attempt("b", 1, "unresolved"),
        an_attempt("c", 1, "image_failed"),
    ]
    report = summarise(a_run("a", "b", "c", "d"), attempts)
    assert (report.n, report.graded, report.resolved, report.pending) == (4, 2, 1, 1)
    assert (report.rate, report.graded_rate) == (0.25, 0.5)
    assert report.outcomes == {"resolved": 1, "unresolved": 1, "image_failed": 1}


def test_what_a_failed_attempt_cost_is_in_the_cost_of_the_run_and_not_in_the_scored_usage():
    spent = Usage(input_tokens=100)
    attempts = [
        an_attempt("a", 1, "endpoint_failed", usage=spent),
        an_attempt("a", 2, "resolved", usage=spent),
    ]
    report = summarise(a_run("a"), attempts)
    assert (report.usage.input_tokens, report.usage_all.input_tokens) == (100, 200)


def test_what_is_flaky_what_was_cached_and_what_had_no_prediction_is_counted():
    flaky = FlakyTest(name="t", group="FAIL_TO_PASS", outcomes=(TestStatus.FAILED, None))
    grade = Grade(resolved=False, reason=GradeReason.TESTS_FAILED, cached=True, flaky=(flaky,))
    attempts = [
        an_attempt("a", outcome="unresolved", grade=grade),
        an_attempt("b", outcome="unresolved", grade=grade.model_copy(update={"flaky": ()})),
    ]
    session = Session(
        started_at=NOW, swerun="0", python="3", engine="e", host="h", jobs=1, grade_jobs=1
    )
    sessions = [session.model_copy(update={"missing": ids}) for ids in (("b", "c"), ("c", "d"))]
    run = a_run("a", "b").model_copy(update={"sessions": sessions})
    report = summarise(run, attempts)
    assert (report.n, report.flaky, report.cached, report.missing) == (2, 1, 2, 2)
    assert [(row.flaky, row.cached) for row in report.rows] == [(1, True), (0, True)]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 2), st.sampled_from(list(Outcome))))
)
def test_every_sample_is_counted_exactly_once(drawn):
    attempts = [
        an_attempt(who, number, outcome, sample=sample)
        for number, (who, sample, outcome) in enumerate(drawn, 1)
    ]
    report = summarise(a_run("a", "b", "c", samples=2), attempts)
    assert sum(report.outcomes.values()) + report.pending == report.n == 6
    assert report.graded == sum(report.outcomes.get(o.value, 0) for o in VERDICTS)


def test_predictions_are_in_the_benchmarks_format():
    lines = predictions("m", {"b": b"diff b", "a": b"\xff"}).decode().splitlines()
    first, second = map(json.loads, lines)
    assert second == {"instance_id": "b", "model_name_or_path": "m", "model_patch": "diff b"}
    assert first["model_patch"] == "\ufffd"


def graded(outcome, **more):
    reason = GradeReason.SUSPECT if outcome == "suspect" else GradeReason.RESOLVED
    flags = (Flag(rule="conftest", path="conftest.py"),)
    return Grade(resolved=reason is GradeReason.RESOLVED, reason=reason, flags=flags, **more)


def test_both_rules_have_their_figure_and_what_is_suspect_counts_by_the_official_one_alone():
    strict = Strict(resolved=False, reasons=("without conftest.py: 0/1", "and more"))
    attempts = [
        an_attempt("a", outcome="resolved"),
        an_attempt("b", outcome="suspect", grade=graded("suspect", strict=strict)),
        an_attempt("c", outcome="suspect", grade=graded("suspect")),
        an_attempt("d", outcome="resolved", grade=graded("resolved")),
        an_attempt("e", outcome="unresolved"),
    ]
    report = summarise(a_run(*"abcde"), attempts)
    assert (report.resolved, report.official, report.graded, report.flagged) == (2, 4, 5, 3)
    assert (report.rate, report.official_rate, report.graded_rate) == (0.4, 0.8, 0.4)
    assert report.outcomes["suspect"] == 2
    why = {row.instance_id: row.why for row in report.rows if row.why}
    assert why == {"b": "without conftest.py: 0/1; and more", "c": UNSEEN}


def test_what_agents_did_is_counted_by_kind_over_the_samples_that_were_looked_at():
    one, two = (
        Conduct(kind=kind, steps=(1,), example="x")
        for kind in (ConductKind.HISTORY, ConductKind.NETWORK)
    )
    attempts = [
        an_attempt("a", conduct=(one, two)),
        an_attempt("b", outcome="unresolved", conduct=(one,)),
        an_attempt("c", conduct=()),
        an_attempt("d"),  # of an earlier version
    ]
    report = summarise(a_run("a", "b", "c", "d"), attempts)
    assert (report.audited, report.conduct) == (3, {"history": 2, "network": 1})
    assert (report.resolved, report.official) == (3, 3)
    assert [row.conduct for row in report.rows] == [(one, two), (one,), (), None]
