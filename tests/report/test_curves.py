"""What a lower limit would have left, by table."""

from __future__ import annotations

import pytest

from swerun.errors import InputError
from swerun.records import Outcome
from swerun.report.curves import Spent, curve, limits
from swerun.report.sides import Side, Trial


def a_side(*trials):
    return Side("s", "m", {f"i{n}": (trial,) for n, trial in enumerate(trials)})


def yes(steps, cost=None, tokens=None):
    return Trial(Outcome.RESOLVED, steps=steps, cost=cost, tokens=tokens)


def no(steps, cost=None):
    return Trial(Outcome.UNRESOLVED, steps=steps, cost=cost)


def at(made, limit):
    return next(point for point in made.points if point.limit == limit)


def test_what_took_longer_than_the_limit_is_not_resolved():
    made = curve(a_side(yes(3), yes(10), no(20)), "steps")
    assert [(p.limit, p.resolved, p.ended) for p in made.points] == [
        (1, 0, 3),
        (2, 0, 3),
        (3, 1, 2),
        (5, 1, 2),
        (7, 1, 2),
        (10, 2, 1),
        (15, 2, 1),
        (20, 2, 0),
    ]
    assert made.points[-1].rate == pytest.approx(2 / 3)


def test_what_each_step_used_up_is_what_a_limit_of_steps_would_have_cost():
    side = a_side(yes(2, cost=0.3, tokens=30), yes(3, cost=0.9, tokens=60))
    spent = {
        ("i0", 1): Spent([10, 20], [0.1, 0.2]),
        ("i1", 1): Spent([10, 20, 30], [0.1, 0.3, 0.5]),
    }
    made = curve(side, "steps", spent)
    assert at(made, 2).cost == pytest.approx(0.3 + 0.4)
    assert at(made, 2).tokens == 30 + 30
    assert made.points[-1].cost == pytest.approx(1.2)
    assert at(curve(side, "steps"), 2).cost is None  # a guess is no figure


def test_tokens_that_were_not_reported_are_not_none():
    spent = {("i0", 1): Spent(None)}
    assert at(curve(a_side(yes(2)), "steps", spent), 1).tokens is None


def test_a_limit_of_cost_ends_with_the_step_that_reaches_it():
    side = a_side(yes(3, cost=0.9), yes(1, cost=0.1))
    spent = {("i0", 1): Spent([1, 1, 1], [0.1, 0.3, 0.5]), ("i1", 1): Spent([1], [0.1])}
    made = curve(side, "cost", spent)
    point = at(made, 0.2)
    assert (point.resolved, point.ended) == (1, 1)
    assert point.cost == pytest.approx(0.4 + 0.1)
    assert at(curve(side, "cost"), 0.2).cost == pytest.approx(0.2 + 0.1)


def test_samples_of_which_nothing_is_known_count_as_not_resolved_and_are_counted():
    made = curve(a_side(yes(2), yes(None)), "steps")
    assert (made.n, made.unknown, made.points[-1].resolved) == (2, 1, 1)


def test_the_last_limit_changes_nothing():
    assert list(limits(250, "steps"))[-1] == 300
    assert list(limits(0.06, "cost"))[-1] == 0.07
    assert list(limits(1, "steps")) == [1]


@pytest.mark.parametrize("trials", [(Trial(Outcome.RESOLVED),), (yes(0),)])
def test_a_run_that_took_no_steps_has_no_curve(trials):
    with pytest.raises(InputError, match="does not say what steps"):
        curve(a_side(*trials), "steps")
