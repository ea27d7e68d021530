"""From a sample to all: the estimate, its interval, and how often that is right."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swerun.instances.selection import Subset, select
from swerun.records import Selection, Stratum
from swerun.report.estimate import estimated, wilson
from swerun.report.summary import summarise
from tests.fakes import an_attempt, an_instance
from tests.report.test_summary import a_run


def stratum(population, *sampled, repo="a/a"):
    return Stratum(repo=repo, difficulty="", population=population, sampled=sampled)


@pytest.mark.parametrize(
    ("rate", "draws", "low", "high"),
    [
        # Newcombe, Statistics in Medicine 17 (1998), table I, method 3: the score interval
        (81 / 263, 263, 0.2553, 0.3662),
        (15 / 148, 148, 0.0624, 0.1605),
        (0 / 20, 20, 0.0000, 0.1611),
        (1 / 29, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_wilsons_as_published(rate, draws, low, high):
    assert wilson(rate, draws) == pytest.approx((low, high), abs=5e-5)


def test_the_estimate_is_the_mean_of_what_was_drawn_and_has_a_verdict():
    strata = (stratum(60, "a", "b", "c"), stratum(40, "d", "e", repo="b/b"))
    found = estimated(strata, {"a": 1.0, "b": 0.0, "c": 1.0, "d": 0.5, "other": 1.0})
    assert (found.rate, found.sampled, found.population) == (0.625, 4, 100)
    assert found.low < found.rate < found.high


def test_nothing_is_estimated_of_nothing():
    assert estimated((), {"a": 1.0}) is None
    assert estimated((stratum(60, "a"),), {}) is None


def test_what_was_drawn_whole_is_known():
    found = estimated((stratum(2, "a", "b"),), {"a": 1.0, "b": 0.0})
    assert (found.rate, found.low, found.high) == (0.5, 0.5, 0.5)


@given(st.integers(1, 60), st.integers(1, 60))
def test_the_interval_holds_the_rate_and_is_smaller_the_more_is_drawn(one, more):
    ids = [str(n) for n in range(max(one, more))]
    found = [
        estimated(
            (stratum(61, *ids[:n]),),
            dict.fromkeys(ids[: n // 2], 1.0) | dict.fromkeys(ids[n // 2 : n], 0.0),
        )
        for n in sorted((one, more))
    ]
    for each in found:
        assert 0 <= each.low <= each.rate <= each.high <= 1
    if one // 2 * more == more // 2 * one:  # the same rate
        widths = [each.high - each.low for each in found]
        assert widths[0] >= widths[1] - 1e-12


@pytest.mark.parametrize("number", [20, 60])
def test_of_many_samples_nineteen_in_twenty_intervals_hold_the_true_rate(number):
    """Strata of very different sizes and rates, as of Verified: django has nearly half."""
    chance = random.Random(1)
    made, solved = [], {}
    for repo, size, rate in (("d/d", 90, 0.7), ("s/s", 60, 0.4), ("m/m", 30, 0.2), ("f/f", 3, 1.0)):
        for n in range(size):
            instance = an_instance(f"{repo[0]}-{n}")
            task = instance.task.model_copy(update={"repo": repo})
            made.append(instance.model_copy(update={"task": task}))
            solved[instance.id] = float(chance.random() < rate)
    true = sum(solved.values()) / len(solved)
    subset, rates, held = Subset("s", tuple(made), ""), [], 0
    for seed in range(400):
        found = estimated(select(subset, Selection(sample=number, seed=seed)).strata, solved)
        rates.append(found.rate)
        held += found.low <= true <= found.high
    assert abs(sum(rates) / len(rates) - true) < 0.02  # four standard errors
    assert held >= 0.94 * 400


def with_sessions(run, *drawn):
    """The run, with a session for the strata of each of its samples."""
    session = {
        "started_at": run.created_at,
        "swerun": "0",
        "python": "3",
        "engine": "local",
        "host": "h",
        "jobs": 1,
        "grade_jobs": 1,
    }
    sessions = [session | {"strata": strata} for strata in drawn]
    return run.model_validate(run.model_dump() | {"sessions": sessions})


def test_a_report_estimates_from_the_newest_sample_alone():
    run = a_run("a", "b", "c")
    drawn = ([stratum(10, "c")], [stratum(9, "a", "b")], [])
    run = with_sessions(run, *drawn)
    attempts = [an_attempt("a"), an_attempt("b", 1, "unresolved"), an_attempt("c")]
    report = summarise(run, attempts)
    assert (report.estimate.rate, report.estimate.population) == (0.5, 9)
    assert summarise(a_run("a"), attempts).estimate is None


def test_several_tries_on_an_instance_are_one_draw_and_failures_that_excuse_are_none():
    run = a_run("a", "b", samples=2)
    run = with_sessions(run, [stratum(9, "a", "b")])
    attempts = [
        an_attempt("a", 1, "resolved", sample=1),
        an_attempt("a", 2, "unresolved", sample=2),
        an_attempt("b", 1, "endpoint_failed", sample=1),
    ]
    estimate = summarise(run, attempts).estimate
    assert (estimate.rate, estimate.sampled) == (0.5, 1)
