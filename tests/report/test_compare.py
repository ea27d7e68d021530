"""Sides, pairs and what is said of them, by table."""

from __future__ import annotations

import pytest

from swerun.errors import InputError
from swerun.records import Limits, Members, Outcome, Session
from swerun.report.compare import compared, unlike
from swerun.report.compare_sheets import instances_csv, sheets
from swerun.report.sheet import Sheet, markdown
from swerun.report.sides import Kind, Side, Trial, kinds_of, repo_of, side_of
from tests.fakes import NOW, an_attempt
from tests.report.test_summary import a_run

A_SESSION = Session(
    started_at=NOW, swerun="0", python="3", engine="local", host="h", jobs=1, grade_jobs=1
)
YES, NO, FAULT, UNDONE = (
    Trial(Outcome.RESOLVED, steps=3, tokens=10, seconds=1.0, cost=0.5),
    Trial(Outcome.UNRESOLVED, steps=5, tokens=20, seconds=2.0, cost=0.25),
    Trial(Outcome.ENDPOINT_FAILED),
    Trial(None),
)


def a_side(name, trials, **run):
    """`trials` by instance: one, or several samples."""
    each = {i: t if isinstance(t, tuple) else (t,) for i, t in trials.items()}
    return Side(name, f"model of {name}", each, a_run(*each).model_copy(update=run))


def ids(number):
    return [f"org__repo-{i}" for i in range(number)]


A = a_side("a", dict(zip(ids(6), [YES, YES, YES, NO, NO, FAULT], strict=True)))
B = a_side("b", dict(zip(ids(6), [YES, NO, NO, YES, NO, NO], strict=True)))


def test_each_instance_is_in_one_of_the_four_counts():
    (pair,) = compared([A, B]).pairs
    assert (pair.both, pair.only_a, pair.only_b, pair.neither) == (1, 2, 1, 2)
    assert pair.difference == pytest.approx(1 / 6)
    assert (pair.ids_only_a, pair.ids_only_b) == (tuple(ids(3)[1:]), (ids(4)[3],))
    assert pair.test == "McNemar, exact"
    assert pair.p == 1.0
    assert pair.p_holm is None


def test_a_failure_that_is_no_verdict_is_in_n_and_not_in_graded():
    first, _ = compared([A, B]).sides
    assert (first.resolved.part, first.resolved.whole) == (3, 6)
    assert (first.graded.part, first.graded.whole) == (3, 5)
    assert first.resolved.low < 0.5 < first.resolved.high


def test_only_what_all_have_done_is_compared_and_the_rest_is_counted():
    more = a_side("more", {**B.trials, "org__repo-9": YES, "org__repo-10": UNDONE})
    part = a_side("part", {i: B.trials[i] for i in ids(2)})
    made = compared([A, more, part])
    assert made.instances == 2
    assert [side.elsewhere for side in made.sides] == [4, 5, 0]
    assert [side.undone for side in made.sides] == [0, 1, 0]
    assert made.left_out == 6


def test_sides_without_a_common_instance_are_refused_with_what_each_has():
    other = a_side("other", {"x": YES})
    with pytest.raises(InputError, match="a has 6, other has 1"):
        compared([A, other])


def test_more_than_two_runs_are_corrected_and_each_is_compared_with_each():
    made = compared([A, B, a_side("c", A.trials)])
    assert [(p.a, p.b) for p in made.pairs] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert all(p.p_holm is not None and p.p_holm >= p.p for p in made.pairs)


def test_published_results_are_compared_with_the_first_run_alone():
    others = [Side(name, name, A.trials, source="board") for name in ("x", "y")]
    assert [(p.a, p.b) for p in compared([A, B, *others]).pairs] == [
        ("a", "b"),
        ("a", "x"),
        ("a", "y"),
    ]
    assert [(p.a, p.b) for p in compared(others).pairs] == [("x", "y")]


def test_several_samples_make_parts_of_an_instance():
    samples = dict.fromkeys(ids(8), (YES, NO, NO, NO))
    many, one = a_side("many", samples), a_side("one", dict.fromkeys(ids(8), NO))
    made = compared([many, one])
    (pair,) = made.pairs
    assert (pair.only_a, pair.neither, pair.test) == (2.0, 6.0, "sign flips")
    assert (made.sides[0].resolved.part, made.sides[0].resolved.whole) == (8, 32)
    assert pair.ids_only_a == tuple(ids(8))


def test_samples_that_always_agree_are_no_more_than_one():
    alike = {i: (YES,) * 4 if n < 2 else (NO,) * 4 for n, i in enumerate(ids(8))}
    once = {i: trials[0] for i, trials in alike.items()}
    first, second = compared([a_side("alike", alike), a_side("once", once)]).sides
    assert (first.resolved.low, first.resolved.high) == (second.resolved.low, second.resolved.high)


def test_of_samples_that_end_once_one_is_resolved_the_first_counts():
    session = A_SESSION.model_copy(update={"stop_when_resolved": True})
    run = a_run("x", samples=2).model_copy(update={"sessions": (session,)})
    attempts = [an_attempt("x", 1, "unresolved"), an_attempt("x", 2, "resolved", sample=2)]
    (trial,) = side_of(run, attempts).trials["x"]
    assert trial.outcome is Outcome.UNRESOLVED


def test_a_sample_that_was_stopped_is_not_done():
    side = side_of(a_run("x"), [an_attempt("x", 1, "cancelled")])
    assert side.done("x") == []


def test_a_sample_that_is_not_done_is_no_failure():
    made = compared([a_side("a", {"x": (YES, UNDONE)}), a_side("b", {"x": NO})])
    assert made.sides[0].resolved.rate == 1.0


def test_costs_are_summed_and_unknown_where_one_is():
    first, second = compared([A, B]).sides
    assert (second.cost, second.cost_per_resolved) == (2.0, 1.0)
    assert (second.steps, second.tokens, second.seconds) == (26, 100, 10.0)
    assert (first.cost, first.cost_per_resolved) == (None, None)


def test_alone_is_who_resolved_what_nobody_else_did():
    made = compared([A, B, a_side("c", {**A.trials, ids(2)[1]: NO})])
    assert [side.alone for side in made.sides] == [(ids(2)[1],), (ids(4)[3],), ()]


def test_repositories_and_difficulties_come_from_the_run_else_the_repository_from_the_id():
    members = (Members(repo="o/n", difficulty="hard", instances=tuple(ids(2))),)
    knowing = a_side("k", A.trials, members=members)
    made = compared([B, knowing])
    assert [(g.by, g.name, g.instances) for g in made.groups] == [
        ("repository", "org/repo", 4),
        ("repository", "o/n", 2),
        ("difficulty", "hard", 2),
    ]
    assert made.groups[1].rates == (0.5, 1.0)
    assert kinds_of([B], ["z__y-1"]) == {"z__y-1": Kind("z/y")}


@pytest.mark.parametrize(
    ("instance_id", "repo"),
    [
        ("scikit-learn__scikit-learn-10297", "scikit-learn/scikit-learn"),
        ("swerun-sample__cronline-14", "swerun-sample/cronline"),
        ("pydata__xarray-2905", "pydata/xarray"),
        (f"instance_NodeBB__NodeBB-{'04998908ba' * 4}-vnan", "NodeBB/NodeBB"),
        ("oauthlib__oauthlib.1fd52536.combine_file__09vl", "oauthlib/oauthlib"),
        ("something else", "something else"),
    ],
)
def test_an_id_says_its_repository(instance_id, repo):
    assert repo_of(instance_id) == repo


def test_what_else_than_the_model_differs_is_named_by_its_key():
    question = A.run.question
    other = question.model_copy(
        update={"model": "m2", "limits": Limits(steps=7), "network": "bridge"}
    )
    changed = a_side("x", A.trials, question=other)
    assert unlike(A, changed) == ("limits.steps: 250 -> 7", "network: none -> bridge")
    assert unlike(A, B) == ()
    (published,) = unlike(A, Side("p", "p", A.trials, source="board"))
    assert published.startswith("p is published (board)")


def test_a_run_is_a_side_by_the_attempts_that_count():
    attempts = [
        an_attempt("x", 1, "endpoint_failed"),
        an_attempt("x", 2, "unresolved"),
        an_attempt("x", 3, "resolved"),
        an_attempt("y", 1, "resolved", sample=2),
    ]
    side = side_of(a_run("x", "y", samples=2), attempts)
    assert [t.outcome for t in side.trials["x"]] == [Outcome.UNRESOLVED, None]
    assert [t.outcome for t in side.trials["y"]] == [None, Outcome.RESOLVED]
    assert side.done("x")[0].cost is None


def test_a_comparison_in_markdown_is_tables_with_as_many_cells_everywhere():
    made = compared([A, B, a_side("c", A.trials), a_side("d|e", B.trials)])
    text = markdown(sheets(made))
    assert "6 instances in common" in text
    assert "d\\|e" in text
    tables = [block for block in text.split("\n\n") if block.startswith("|")]
    for table in tables:
        widths = {line.replace("\\|", "").count("|") for line in table.splitlines()}
        assert len(widths) == 1, table
    assert len(tables) == 3


def test_a_sheet_turned_has_its_rows_as_columns():
    sheet = Sheet("t", ("", "x", "y"), (("p", "1", "2"), ("q", "3", "4")))
    turned = sheet.turned()
    assert (turned.headings, turned.rows) == (("", "p", "q"), (("x", "1", "3"), ("y", "2", "4")))


def test_as_csv_there_is_a_row_for_each_instance():
    lines = instances_csv([A, B], ids(2)).splitlines()
    assert lines == [
        "instance_id,repository,difficulty,a,b",
        "org__repo-0,org/repo,,1,1",
        "org__repo-1,org/repo,,1,0",
    ]


def test_what_is_suspect_counts_as_not_resolved():
    attempts = [an_attempt("a", outcome="suspect"), an_attempt("b")]
    side = side_of(a_run("a", "b"), attempts)
    assert (side.rate("a"), side.rate("b")) == (0, 1)
    assert [trial.graded for trials in side.trials.values() for trial in trials] == [True, True]
