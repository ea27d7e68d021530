"""How often intervals hold the truth, and tests mislead: counted out where that can be done."""

from __future__ import annotations

import random
from math import sqrt
from statistics import fmean

import pytest
from scipy.stats import binom
from statsmodels.stats.power import normal_power_het

from swerun.report.estimate import wilson
from swerun.report.samples import interval
from swerun.report.statistics import (
    POWER,
    SIGNIFICANT,
    adjusted_wald,
    detectable,
    mcnemar,
    sign_flips,
)

RATES = [n / 40 for n in range(2, 39)]


@pytest.mark.parametrize("draws", [9, 50, 500])
def test_wilsons_interval_holds_the_true_rate_as_often_as_it_says(draws):
    """No simulation: each count that may be seen has its probability."""
    intervals = [wilson(seen / draws, draws) for seen in range(draws + 1)]
    held = [
        sum(
            binom.pmf(seen, draws, rate)
            for seen, (low, high) in enumerate(intervals)
            if low <= rate <= high
        )
        for rate in RATES
    ]
    assert fmean(held) == pytest.approx(0.95, abs=0.012)
    assert min(held) > 0.9


@pytest.mark.parametrize("alike", [0.2, 1.0, 50.0], ids=["alike", "between", "unlike"])
def test_the_interval_of_several_samples_holds_the_rate_of_all_such_instances(alike):
    """60 instances, 4 samples each; how hard an instance is is drawn: beta, with the mean 0.6."""
    lot, held = random.Random(3), 0
    for _ in range(400):
        hard = [lot.betavariate(0.6 * alike, 0.4 * alike) for _ in range(60)]
        low, high = interval([fmean(lot.random() < p for _ in range(4)) for p in hard], 4)
        held += low <= 0.6 <= high
    assert held >= 0.92 * 400


@pytest.mark.parametrize("differ", [1, 5, 6, 9, 20, 113])
def test_mcnemars_test_calls_no_more_differences_significant_than_it_says(differ):
    """Under no difference at all; it calls nearly as many where there are enough instances."""
    misled = sum(
        binom.pmf(ahead, differ, 0.5)
        for ahead in range(differ + 1)
        if mcnemar(ahead, differ - ahead) <= SIGNIFICANT
    )
    assert misled <= SIGNIFICANT
    assert (misled == 0) == (differ < 6)
    assert differ < 100 or misled > 0.6 * SIGNIFICANT


def test_sign_flips_call_no_more_differences_significant_than_they_say():
    """Means of two samples a side: differences are halves, and as likely above as below."""
    lot, misled = random.Random(4), 0
    for _ in range(300):
        sides = [[fmean(lot.random() < 0.5 for _ in range(2)) for _ in range(12)] for _ in "ab"]
        misled += sign_flips([a - b for a, b in zip(*sides, strict=True)]) <= SIGNIFICANT
    assert misled <= 0.08 * 300


@pytest.mark.parametrize(("only_a", "only_b", "neither"), [(20, 10, 70), (0, 0, 20), (6, 0, 3)])
def test_the_interval_of_a_difference_is_bonetts_and_prices(only_a, only_b, neither):
    """Written out for counts, as the paper has it: one instance more on either side."""
    number = only_a + only_b + neither + 2
    first, second = (only_a + 1) / number, (only_b + 1) / number
    half = 1.959964 * sqrt((first + second - (first - second) ** 2) / number)
    low, high = adjusted_wald([1.0] * only_a + [-1.0] * only_b + [0.0] * neither)
    assert low == pytest.approx(first - second - half, abs=1e-6)
    assert high == pytest.approx(min(1, first - second + half), abs=1e-6)


@pytest.mark.parametrize(("instances", "win", "lose"), [(500, 0.15, 0.1), (60, 0.3, 0.1)])
def test_the_detectable_difference_has_the_power_that_statsmodels_gives_it(instances, win, lose):
    wins, losses = round(win * instances), round(lose * instances)
    found = detectable([1.0] * wins + [-1.0] * losses + [0.0] * (instances - wins - losses))
    spread = (wins + losses) / instances
    given = {"std_null": sqrt(spread), "std_alternative": sqrt(spread - found**2)}
    power = normal_power_het(found, instances, SIGNIFICANT, **given)
    assert power == pytest.approx(POWER, abs=1e-6)
