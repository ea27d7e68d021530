"""Reports as a terminal shows them."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from swerun.cli.figures import pairs
from swerun.cli.tables import by_instance, side_by_side
from swerun.records import (
    Conduct,
    ConductKind,
    Failure,
    Fault,
    Flag,
    FlakyTest,
    Grade,
    GradeReason,
    Session,
    Soundness,
    TestStatus,
    Usage,
)
from swerun.report.compare import compared
from swerun.report.estimate import Estimate
from swerun.report.summary import summarise
from tests.fakes import an_attempt
from tests.report.test_compare import NO, YES, A, B, a_side
from tests.report.test_summary import a_run


def a_report(*attempts, model="m", selection=("a", "b"), samples=1):
    report = summarise(a_run(*selection, samples=samples), attempts)
    return report.model_copy(update={"model": model})


def drawn(made, width=120):
    out = StringIO()
    Console(file=out, width=width).print(made)
    return out.getvalue()


def rows(made):
    """By first cell the other cells, of a table with or without borders."""
    lines = (line.strip().strip("│┃") for line in drawn(made).splitlines())
    cells = ([c.strip() for c in line.replace("┃", "│").split("│")] for line in lines)
    return {first: others for first, *others in cells}


def lines(made):
    return [" ".join(line.split()) for line in drawn(made).splitlines()]


def usage(tokens, unreported=0):
    return Usage(input_tokens=tokens, output_tokens=1 if tokens else 0, unreported=unreported)


def test_each_verdict_stands_beside_its_own_instance_also_where_selections_differ():
    one = a_report(an_attempt("b"), model="one", selection=("b",))
    two = a_report(
        an_attempt("a", outcome="no_patch"), an_attempt("b", outcome="unresolved"), model="two"
    )
    assert lines(by_instance([one, two])) == [
        "instance one two",
        "a not asked no patch, 0 steps",
        "b resolved, 0 steps unresolved, 0 steps",
    ]
    assert lines(by_instance([two, one]))[1] == "a no patch, 0 steps not asked"


def test_samples_are_told_apart_also_where_one_run_has_more_of_them():
    one = a_report(an_attempt("a"), model="one", selection=("a",))
    two = a_report(an_attempt("a", 2, sample=2), model="two", selection=("a",), samples=2)
    assert lines(by_instance([one, two])) == [
        "instance one two",
        "a #1 resolved, 0 steps not done",
        "a #2 not asked resolved, 0 steps",
    ]


def test_the_title_counts_instances_not_samples_and_those_of_all_reports():
    one = a_report(model="one", selection=("a",), samples=3)
    two = a_report(model="two", selection=("a", "b"))
    assert lines(side_by_side([one]))[0] == "sample: 1 instance"
    assert lines(side_by_side([one, two]))[0] == "sample: 2 instances"


def test_both_rates_and_the_causes_beside_them_are_shown():
    failure = Failure(fault=Fault.ENDPOINT, error="EndpointError", message="no", retry=False)
    report = a_report(an_attempt("a"), an_attempt("b", outcome="endpoint_failed", failure=failure))
    seen = rows(side_by_side([report]))
    assert seen["resolved / N"] == ["1/2 = 50.0 %"]
    assert seen["resolved / graded"] == ["1/1 = 100.0 %"]
    assert seen["endpoint failed"] == ["1"]


def test_what_qualifies_the_rates_has_a_row_where_there_is_some():
    report = a_report(an_attempt("a"))
    told = {"missing": 3, "flaky": 1, "cached": 2}
    seen = rows(side_by_side([report.model_copy(update=told), report]))
    assert seen["no prediction, not in N"] == ["3", "0"]
    assert seen["with flaky tests"] == ["1", "0"]
    assert seen["graded from the cache"] == ["2", "0"]
    assert "with flaky tests" not in rows(side_by_side([report]))


def test_flaky_tests_are_told_beside_their_instance():
    flaky = FlakyTest(name="t", group="FAIL_TO_PASS", outcomes=(TestStatus.FAILED, None))
    grade = Grade(resolved=False, reason=GradeReason.TESTS_FAILED, flaky=(flaky,))
    report = a_report(an_attempt("a", outcome="unresolved", grade=grade, stop="given"))
    assert lines(by_instance([report]))[1] == "a unresolved, 1 flaky"


def test_the_time_is_said_to_be_a_sum():
    report = a_report(an_attempt("a", solve_seconds=60, grade_seconds=65))
    seen = rows(side_by_side([report]))
    assert seen["time, summed"] == ["2:05"]
    assert "time, all attempts" not in seen


def test_what_the_run_cost_is_shown_where_it_is_more_than_what_counts():
    failure = Failure(fault=Fault.ENDPOINT, error="EndpointError", message="no", retry=True)
    first = an_attempt("a", outcome="endpoint_failed", failure=failure, usage=usage(1000))
    retried = a_report(first, an_attempt("a", 2, usage=usage(50), steps=1), model="retried")
    smooth = a_report(an_attempt("a", usage=usage(50), steps=1), model="smooth")
    seen = rows(side_by_side([retried, smooth]))
    assert seen["tokens in / out"] == ["50 / 1", "50 / 1"]
    assert seen["tokens, all attempts"] == ["1,050 / 2", "50 / 1"]
    assert "tokens, all attempts" not in rows(side_by_side([smooth]))


def test_tokens_that_nobody_reported_are_not_shown_as_none():
    def shown(*attempts):
        return rows(side_by_side([a_report(*attempts)]))["tokens in / out"]

    assert shown() == ["none"]
    assert shown(an_attempt("a", steps=2, usage=usage(0, unreported=2))) == ["not reported"]
    assert shown(an_attempt("a", steps=2, usage=usage(9, unreported=1))) == [
        "9 / 1 (1 replies not reported)"
    ]


def test_brackets_in_names_are_no_markup():
    report = a_report(model="m[/x][red]", selection=("a[/b]",))
    assert "m[/x][red]" in drawn(side_by_side([report]))
    assert lines(by_instance([report])) == ["instance m[/x][red]", "a[/b] not done"]


def test_what_is_known_of_an_instance_stands_beside_its_verdict():
    attempts = [an_attempt("a"), an_attempt("b")]
    session = Session.model_construct(soundness={"a": Soundness.SOUND, "b": Soundness.FLAKY})
    run = a_run("a", "b").model_copy(update={"sessions": (session,)})
    known = summarise(run, attempts)
    other = a_report(*attempts, model="other")
    assert lines(by_instance([known, other])) == [
        "instance sound m other",
        "a sound resolved, 0 steps resolved, 0 steps",
        "b flaky resolved, 0 steps resolved, 0 steps",
    ]
    assert lines(by_instance([other]))[0] == "instance other"


def test_an_estimate_stands_beside_the_rates_with_its_interval_and_what_it_is_of():
    estimate = Estimate(
        rate=0.6, low=0.42316, high=0.754, confidence=0.95, sampled=30, population=2294
    )
    one = a_report(an_attempt("a")).model_copy(update={"estimate": estimate})
    told = rows(side_by_side([one, a_report(an_attempt("a"), model="two")]))
    assert told["estimate of all"] == ["60.0 % of 2,294 (95 %: 42.3 to 75.4 %)", ""]
    assert "estimate of all" not in rows(side_by_side([a_report(an_attempt("a"))]))


def test_where_something_is_flagged_both_rules_have_their_rate():
    flags = (Flag(rule="conftest", path="conftest.py"),)
    grade = Grade(resolved=False, reason=GradeReason.SUSPECT, flags=flags)
    suspect = a_report(an_attempt("a"), an_attempt("b", outcome="suspect", grade=grade))
    there = rows(side_by_side([suspect]))
    assert there["resolved / N"] == ["1/2 = 50.0 %"]
    assert there["by the official rule / N"] == ["2/2 = 100.0 %"]
    assert (there["suspect"], there["flagged"]) == (["1"], ["1"])
    assert "b suspect, 0 steps" in lines(by_instance([suspect]))
    assert "by the official rule / N" not in rows(side_by_side([a_report(an_attempt("a"))]))


def test_two_runs_are_a_row_with_what_only_one_of_them_resolved():
    text = drawn(pairs(compared([A, B])))
    assert "the same instances, first samples; p is McNemar's, exact" in text
    assert "Holm" not in text
    assert rows(pairs(compared([A, B])))["model of a"] == ["1", "2", "1", "2", "0", "1"]


def test_of_several_runs_each_pair_has_the_p_that_is_corrected_for_all_of_them():
    more = a_side("c", dict.fromkeys(A.trials, (YES, NO)))
    text = drawn(pairs(compared([A, B, more])))
    assert "the same instances, all samples; p by sign flips" in text
    assert "Holm" in text
    assert text.count("model of c") == 2


def test_what_agents_did_has_a_row_where_there_was_some_and_is_said_beside_its_instance():
    search = Conduct(kind=ConductKind.HISTORY, steps=(0, 4), example="git log --all")
    added = Conduct(kind=ConductKind.ADDED_TESTS, steps=(), example="tests/test_a.py")
    made = a_report(an_attempt("a", conduct=(search, added), steps=5), an_attempt("b", conduct=()))
    counts = rows(side_by_side([made, a_report(an_attempt("a"))]))
    assert counts["searched history"] == ["1", "0"]
    assert counts["added to tests"] == ["1", "0"]
    assert "tried the network" not in counts
    assert "a resolved, searched history, 5 steps" in lines(by_instance([made]))
    assert "b resolved, 0 steps" in lines(by_instance([made]))
