"""pass@k, and the mean of several samples with its interval."""

from __future__ import annotations

from itertools import combinations
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swerun.report.estimate import wilson
from swerun.report.samples import interval, pass_at, several


@given(st.lists(st.booleans(), min_size=1, max_size=7), st.integers(1, 7))
def test_pass_at_k_is_the_part_of_all_choices_of_k_samples_that_have_a_resolved_one(samples, k):
    if k <= len(samples):
        chosen = [any(each) for each in combinations(samples, k)]
        assert pass_at(len(samples), sum(samples), k) == pytest.approx(fmean(chosen))


def test_each_k_is_over_the_instances_that_have_as_many_verdicts():
    verdicts = {"a": [True, False, False], "b": [False, False], "c": [], "d": [True, True, True]}
    made = several(verdicts, 3, stopped=False)
    assert [(p.k, p.instances) for p in made.pass_at] == [(1, 3), (2, 3), (3, 2)]
    assert made.pass_at[0].rate == pytest.approx((1 / 3 + 0 + 1) / 3)
    assert made.pass_at[1].rate == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert made.pass_at[2].rate == 1
    assert made.mean == pytest.approx(made.pass_at[0].rate)
    assert made.low < made.mean < made.high


def test_one_sample_of_each_has_no_pass_at_k():
    assert several({"a": [True]}, 1, stopped=False) is None
    assert several({}, 3, stopped=False) is None


def test_samples_that_ended_with_the_first_resolved_one_have_neither_a_mean_nor_a_smaller_k():
    verdicts = {"a": [True], "b": [False, False, True], "c": [False, False, False]}
    made = several(verdicts | {"d": [False]}, 3, stopped=True)  # d is not done
    assert [(p.k, p.rate, p.instances) for p in made.pass_at] == [(3, pytest.approx(2 / 3), 3)]
    assert (made.mean, made.low, made.stopped_early) == (None, None, True)


@pytest.mark.parametrize(
    ("rates", "draws"),
    [
        ([1, 0, 0, 1], 4),  # the samples of each always agree: they tell no more than one does
        ([0.5] * 4, 12),  # they tell as much as if they were of as many instances, and no more
        ([1.0] * 4, 4),
        ([0.0] * 4, 4),
    ],
)
def test_the_interval_is_as_wide_as_the_samples_are_alike(rates, draws):
    assert interval(rates, 3) == pytest.approx(wilson(fmean(rates), draws))


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1))
def test_the_mean_lies_in_its_interval_and_more_samples_never_widen_it(rates):
    low, high = interval(rates, 2)
    alone_low, alone_high = wilson(fmean(rates), len(rates))
    assert low - 1e-9 <= fmean(rates) <= high + 1e-9
    assert alone_low - 1e-9 <= low
    assert high <= alone_high + 1e-9
