"""Which samples a rerun means, and what it says of the score."""

from __future__ import annotations

import pytest

from swerun.errors import InputError
from swerun.records import Outcome, Stop
from swerun.report.summary import Row, summarise
from swerun.rerun import FAILED, UNRESOLVED, Wanted, effect, meant
from tests.fakes import an_attempt
from tests.report.test_summary import a_run

REPORT = summarise(
    a_run("a", "b", "c", "d", samples=2),
    [
        an_attempt("a", 1, "resolved", sample=1, stop=Stop.SUBMITTED),
        an_attempt("a", 2, "unresolved", sample=2, stop=Stop.STEPS),
        an_attempt("b", 1, "no_patch", sample=1, stop=Stop.STEPS),
        an_attempt("b", 2, "endpoint_failed", sample=2),
        an_attempt("c", 1, "cancelled", sample=1),
        an_attempt("c", 2, "tests_timed_out", sample=2, stop=Stop.SUBMITTED),
    ],
)


def found(*ids, outcomes=(), stops=(), samples=()):
    wanted = Wanted(ids, frozenset(outcomes), frozenset(stops), samples)
    return [f"{row.instance_id}{row.sample}" for row in meant(REPORT, wanted)]


def test_every_outcome_is_failed_unresolved_or_resolved():
    assert {*FAILED, *UNRESOLVED, Outcome.RESOLVED} == set(Outcome)
    assert not FAILED & UNRESOLVED


def test_what_is_named_is_meant_by_its_first_sample_unless_another_is():
    assert found("a", "d") == ["a1", "d1"]
    assert found("a", samples=(2,)) == ["a2"]
    assert found("[ab]", samples=(1, 2)) == ["a1", "a2", "b1", "b2"]


def test_what_became_of_them_means_each_sample_of_which_it_is_true():
    assert found(outcomes=FAILED) == ["b2", "c1"]
    assert found(outcomes=UNRESOLVED) == ["a2", "b1", "c2"]
    assert found(stops={Stop.STEPS}) == ["a2", "b1"]


def test_all_of_what_is_given_has_to_hold():
    assert found(outcomes=FAILED | UNRESOLVED, stops={Stop.STEPS}) == ["a2", "b1"]
    assert found("a", outcomes=UNRESOLVED) == ["a2"]
    assert found(outcomes=UNRESOLVED, samples=(2,)) == ["a2", "c2"]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, r"^which ones\? .* r has 1 resolved, .* 2 not done; stopped by .*; samples 1 to 2$"),
        ({"samples": (1,)}, r"^which ones\?"),
        ({"stops": {Stop.COST}}, r"stopped by step_limit \(2\), submitted \(2\)"),
        ({"outcomes": {Outcome.SUSPECT}}, "nothing of r is all of that. It has 1 resolved"),
        ({"outcomes": FAILED, "stops": {Stop.STEPS}}, "nothing of r is all of that"),
    ],
)
def test_where_nothing_is_meant_it_is_said_what_there_is(wanted, said):
    with pytest.raises(InputError, match=said):
        found(**wanted)


def test_a_name_that_is_none_of_the_runs_is_refused_also_beside_others():
    with pytest.raises(InputError, match="r has no instance 'x'"):
        found("a", "x")


def a_row(outcome):
    return Row(instance_id="a", sample=1, attempt=1, outcome=outcome)


DONE, OPEN = a_row(Outcome.UNRESOLVED), a_row(Outcome.ENDPOINT_FAILED)
CHANGED = {"limits.steps": (250, 9)}


@pytest.mark.parametrize(
    ("rows", "changed", "replaces", "said"),
    [
        ([OPEN], {}, False, ""),
        ([OPEN], {}, True, ""),
        ([DONE], {}, False, "It has a verdict, and it stays what counts (--replace: the new one)."),
        ([DONE, OPEN], {}, False, "1 of 2 have a verdict, and theirs stays what counts"),
        ([DONE], {}, True, "It has a verdict: a new one counts in its place."),
        ([OPEN], CHANGED, False, "Not what the run asks (limits.steps: 250 -> 9): what comes of"),
    ],
)
def test_what_new_attempts_do_to_the_score_is_said(rows, changed, replaces, said):
    line = effect(rows, changed, replaces=replaces)
    assert line.startswith(said)
    assert bool(line) == bool(said)


def test_an_answer_to_another_question_replaces_nothing():
    with pytest.raises(InputError, match=r"another question now \(limits\.steps: 250 -> 9\)"):
        effect([OPEN], CHANGED, replaces=True)
