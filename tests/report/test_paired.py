"""Two runs on the same instances."""

from __future__ import annotations

import pytest

from swerun.report.paired import paired
from swerun.report.statistics import mcnemar
from swerun.report.summary import summarise
from tests.fakes import an_attempt
from tests.report.test_summary import a_run


def a_report(samples=1, **outcomes):
    attempts = [an_attempt(name, outcome=outcome) for name, outcome in outcomes.items()]
    return summarise(a_run(*outcomes, samples=samples), attempts)


def test_the_four_counts_are_of_instances_with_a_verdict_in_both():
    a = a_report(i="resolved", j="resolved", k="no_patch", m="unresolved", x="endpoint_failed")
    b = a_report(
        i="resolved", j="unresolved", k="resolved", m="no_patch", x="resolved", y="no_patch"
    )
    pair = paired(a, b)
    assert (pair.both, pair.only_a, pair.only_b, pair.neither, pair.left_out) == (1, 1, 1, 1, 2)
    assert pair.p == 1


@pytest.mark.parametrize(
    ("only_a", "only_b", "p"),
    [
        (0, 0, 1.0),
        (1, 1, 1.0),
        (5, 0, 2 * 0.5**5),
        (0, 5, 2 * 0.5**5),
        (2, 8, 2 * (1 + 10 + 45) / 1024),
        # what scipy.stats.binomtest of scipy 1.17.1 said of these
        (12, 32, 0.003657766827927844),
        (40, 60, 0.05688793364098089),
        (1000, 1200, 2.1817026407914194e-05),
    ],
)
def test_p_is_exact_and_two_sided(only_a, only_b, p):
    assert mcnemar(only_a, only_b) == pytest.approx(p, rel=1e-9)
