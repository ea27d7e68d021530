"""The statistics of comparisons: against statsmodels on known tables, and by simulation."""

from __future__ import annotations

import random
from statistics import fmean

import numpy as np
import pytest
from scipy.stats import bootstrap
from statsmodels.stats.contingency_tables import mcnemar as theirs
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from swerun.report.estimate import wilson
from swerun.report.statistics import (
    SIGNIFICANT,
    adjusted_wald,
    detectable,
    holm,
    mcnemar,
    paired_interval,
    sign_flips,
    smallest_significant,
)

# how many instances each repository of SWE-bench Verified has
VERIFIED = (231, 75, 44, 34, 32, 22, 22, 19, 10, 8, 2, 1)


@pytest.mark.parametrize(("only_a", "only_b"), [(80, 33), (5, 5), (0, 6), (1, 0), (12, 3), (0, 0)])
def test_mcnemar_is_what_statsmodels_says(only_a, only_b):
    table = [[7, only_a], [only_b, 9]]
    expected = theirs(table, exact=True).pvalue if only_a + only_b else 1.0
    assert mcnemar(only_a, only_b) == pytest.approx(expected)


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


@pytest.mark.parametrize("number", [1, 2, 3, 10, 100])
def test_holm_is_what_statsmodels_says(number):
    lot = random.Random(number)
    chances = [lot.choice([0.0, 1.0, 0.01, lot.random() ** 4]) for _ in range(number)]
    assert holm(chances) == pytest.approx(multipletests(chances, method="holm")[1])


@pytest.mark.parametrize(("resolved", "whole"), [(324, 500), (0, 9), (9, 9), (1, 3)])
def test_wilson_is_what_statsmodels_says(resolved, whole):
    expected = proportion_confint(resolved, whole, method="wilson")
    assert wilson(resolved / whole, whole) == pytest.approx(expected)


@pytest.mark.parametrize(("only_a", "only_b"), [(7, 1), (4, 4), (0, 9), (1, 0), (0, 0), (2, 1)])
def test_sign_flips_of_whole_differences_are_mcnemars_test(only_a, only_b):
    differences = [1.0] * only_a + [-1.0] * only_b + [0.0] * 5
    assert sign_flips(differences) == pytest.approx(mcnemar(only_a, only_b))


def test_sign_flips_of_many_fractions_come_close_to_a_t_test():
    from scipy.stats import ttest_1samp

    lot = random.Random(1)
    differences = [lot.choice([-1, -0.75, -0.5, 0, 0.25, 0.5, 0.75, 1]) + 0.08 for _ in range(300)]
    assert sign_flips(differences) == pytest.approx(ttest_1samp(differences, 0).pvalue, abs=0.02)


@pytest.mark.parametrize("differ", range(1, 120))
def test_the_smallest_significant_lead_is_significant_and_none_smaller_is(differ):
    ahead = smallest_significant(differ)
    leads = range(differ % 2, differ + 1, 2)
    enough = [n for n in leads if mcnemar((differ + n) // 2, (differ - n) // 2) <= SIGNIFICANT]
    assert ahead == min(enough, default=None)


def test_the_interval_is_the_same_every_time_and_another_with_another_seed():
    differences, repos = drawn(random.Random(3), [0.05] * 12)
    first = paired_interval(differences, repos, 0)
    assert first == paired_interval(differences, repos, 0)
    assert first.by == "repository"
    assert first != paired_interval(differences, repos, 1)


def test_of_few_repositories_instances_are_drawn():
    assert paired_interval([1.0, 0.0, -1.0, 1.0], ["a", "b", "c", "d"], 0).by == "instance"


def test_where_repositories_agree_the_interval_is_that_of_instances():
    differences, repos = [1.0, 0.0, 0.0, 0.0] * 6, [str(i // 4) for i in range(24)]
    interval = paired_interval(differences, repos, 0)
    assert (interval.low, interval.high) == adjusted_wald(differences)


def test_of_few_repositories_that_differ_the_interval_is_wider_than_their_percentiles():
    sums, sizes = np.array([9.0, 1, -4, 0, 6, 2]), np.array([20.0] * 6)
    differences, repos = [], []
    for repo, total in enumerate(sums):
        sign, number = (1.0 if total > 0 else -1.0), int(abs(total))
        differences += [sign] * number + [0.0] * (20 - number)
        repos += [str(repo)] * 20
    plain = bootstrap(
        (sums, sizes),
        lambda a, b, axis=-1: a.sum(axis) / b.sum(axis),
        paired=True,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    interval = paired_interval(differences, repos, 0)
    assert interval.low < plain.low - 0.01
    assert interval.high > plain.high + 0.01


def test_few_instances_that_all_agree_do_not_look_certain():
    low, high = adjusted_wald([1.0] * 9)
    assert low < 0.6
    assert high == 1.0
    low, high = adjusted_wald([0.0] * 9)
    assert low < -0.2 < 0.2 < high


def test_an_interval_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no differences"):
        paired_interval([], [], 0)


@pytest.mark.parametrize("spread", [0.0, 0.05], ids=["repositories alike", "repositories differ"])
def test_the_interval_holds_the_truth_as_often_as_it_says(spread):
    """300 comparisons of Verified's shape; where repositories differ, instances alone would not."""
    lot, truth, held, naive = random.Random(2), 0.05, 0, 0
    for _ in range(300):
        differences, repos = drawn(lot, [lot.gauss(truth, spread) for _ in VERIFIED])
        interval = paired_interval(differences, repos, 0)
        held += interval.low <= truth <= interval.high
        low, high = adjusted_wald(differences)
        naive += low <= truth <= high
    assert held >= 0.92 * 300
    assert spread == 0 or naive < 0.88 * 300


@pytest.mark.parametrize("chances", [(0.7, 0.0), (0.3, 0.1), (0.05, 0.02), (0.95, 0.0)])
@pytest.mark.parametrize("instances", [9, 20, 50])
def test_the_interval_of_few_instances_holds_the_truth_as_often_as_it_says(instances, chances):
    lot, held = random.Random(4), 0
    for _ in range(500):
        low, high = adjusted_wald([once(lot, *chances) for _ in range(instances)])
        held += low <= chances[0] - chances[1] <= high
    assert held >= 0.92 * 500


def test_a_detectable_difference_is_found_four_times_of_five():
    lot = random.Random(5)
    win, lose = 0.15, 0.10
    seen = [once(lot, win, lose) for _ in range(500)]
    needed = detectable(seen)
    assert needed is not None
    spread = fmean(d * d for d in seen)
    wins, losses = (spread + needed) / 2, (spread - needed) / 2
    found = 0
    for _ in range(300):
        again = [once(lot, wins, losses) for _ in range(500)]
        found += mcnemar(again.count(1.0), again.count(-1.0)) <= SIGNIFICANT
    assert 0.7 <= found / 300 <= 0.88


@pytest.mark.parametrize("differences", [[], [0.0] * 9, [1.0, -1.0]])
def test_too_little_shows_no_difference_at_all(differences):
    assert detectable(differences) is None


def test_nothing_is_drawn_from_numpys_own_seed():
    """A seed of the process would make a comparison depend on what was compared before."""
    np.random.seed(0)
    before = np.random.get_state()[1].tolist()
    paired_interval(*drawn(random.Random(3), [0.05] * 12), 0)
    assert np.random.get_state()[1].tolist() == before


def once(lot, win, lose):
    at = lot.random()
    return 1.0 if at < win else -1.0 if at < win + lose else 0.0


def drawn(lot, means):
    """A difference for each instance of Verified's repositories, a quarter of them not zero."""
    differences, repos = [], []
    for repo, (size, mean) in enumerate(zip(VERIFIED, means, strict=True)):
        win = max(0.0, min(0.25, (0.25 + mean) / 2))
        differences += [once(lot, win, 0.25 - win) for _ in range(size)]
        repos += [str(repo)] * size
    return differences, repos
