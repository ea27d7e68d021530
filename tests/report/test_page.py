"""A report as a page to hand on."""

from __future__ import annotations

import pytest

from swerun.cli.tables import rows_of
from swerun.records import Conduct, ConductKind, Grade, GradeReason, Members
from swerun.report.page import page, rate
from swerun.report.sheet import markdown
from swerun.report.summary import RULE, summarise
from swerun.report.why import why
from tests.fakes import an_attempt
from tests.report.test_summary import a_run

SEARCH = Conduct(kind=ConductKind.HISTORY, steps=(1, 4), example="git log --all")
ATTEMPTS = [
    an_attempt("a", 1, "resolved", stop="submitted", conduct=(SEARCH,)),
    an_attempt("b", 1, "no_patch", stop="step_limit"),
    an_attempt("c", 1, "endpoint_failed"),
]
MEMBERS = (
    Members(repo="org/one", difficulty="", instances=("a",)),
    Members(repo="org/two", difficulty="easy", instances=("b", "c")),
    Members(repo="org/two", difficulty="hard", instances=("d",)),
)


def text(run, attempts):
    report = summarise(run, attempts)
    figures = [(label.strip(), cell) for label, (cell,) in rows_of([report])]
    return markdown(page(report, run, why(run, attempts, ()), figures))


RUN = a_run("a", "b", "c", "d").model_copy(update={"members": MEMBERS})
PAGE = text(RUN, ATTEMPTS)


@pytest.mark.parametrize(
    "line",
    [
        "### m on sample: 1/4 = 25.0 % resolved",
        "| resolved / N | 1/4 = 25.0 % |\n| 95 %, Wilson | 4.6 to 69.9 % |",
        "| resolved / graded | 1/2 = 50.0 % |\n| 95 %, Wilson | 9.5 to 90.5 % |",
        "| stopped: step limit | 1 |",
        "| not done | 1 |",
        "| no patch: step limit | 1 | b |",
        "| endpoint failed | 1 | c |",
        "| org/two | 3 | 0/3 = 0.0 % | 0.0 to 56.1 % |\n| org/one | 1 | 1/1 = 100.0 % |",
        "### What the agents did",
        "| searched history | a | 1 | 2, 5 | git log --all |",
        "| searched history | 1 |",
        "| limits.steps | 250 |",
        "Fingerprint: f  ",
        f"What counts: {RULE}.",
    ],
)
def test_the_page_says_what_came_of_it_where_and_what_it_asked(line):
    assert line in PAGE


def test_several_samples_of_an_instance_are_no_more_instances():
    run = a_run("a", "b", samples=2)
    attempts = [
        an_attempt(instance, number, outcome, sample=number)
        for instance, outcome in (("a", "resolved"), ("b", "unresolved"))
        for number in (1, 2)
    ]
    found = rate(summarise(run, attempts).rows)
    assert (found.part, found.whole) == (2, 4)
    alone = rate(summarise(a_run("a", "b"), attempts[::2]).rows)
    assert (found.low, found.high) == (alone.low, alone.high), "samples that agree add nothing"


def test_a_run_of_which_nothing_is_done_yet_has_a_page():
    page = text(a_run("a"), [])
    assert "0/1 = 0.0 % resolved" in page
    assert "| resolved / graded | none |\n| 95 %, Wilson |  |" in page
    assert "Repositories" not in page


def test_what_models_wrote_cannot_break_a_table():
    grade = Grade(resolved=False, reason=GradeReason.TESTS_FAILED)
    page = text(a_run("a|b\nc"), [an_attempt("a|b\nc", 1, "unresolved", grade=grade)])
    assert "a\\|b<br>c" in page
