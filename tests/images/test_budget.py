"""What fits into a budget, what goes for it, what waits: a table, with an MB for a unit."""

from __future__ import annotations

import pytest

from swerun.images.budget import Answer, Decision, Stock, Wanted, decide

COME, WAIT, NEVER = Answer.COME, Answer.WAIT, Answer.NEVER


def image(**layers):
    return Wanted(layers)


A, B, C = image(base=50, a=10), image(base=50, b=20), image(other=40, c=5)


@pytest.mark.parametrize(
    ("stock", "used"),
    [
        (Stock(100, {}), 0),
        (Stock(100, {"a": A}), 60),
        (Stock(100, {"a": A, "b": B}), 80),  # what they share counts once
        (Stock(100, {"a": A, "b": B}, before={"base"}), 30),  # and what was there before not at all
        # while it comes, what is packed and what is guessed count too; but not what is there
        (Stock(100, {"a": Wanted({"a": 10}, {"a": 4})}), 14),
        (Stock(100, {"b": Wanted({}, guessed=9)}), 9),
        (Stock(100, {"a": A, "b": Wanted(B.layers, {"base": 30, "b": 7})}), 87),
        (Stock(100, {"b": Wanted(B.layers, {"base": 30, "b": 7})}, before={"base"}), 27),
        # two that come with a layer that they share
        (Stock(100, dict.fromkeys("ab", Wanted({"x": 10}, {"x": 4}))), 14),
    ],
)
def test_a_layer_counts_once(stock, used):
    assert stock.used() == used


@pytest.mark.parametrize(
    ("stock", "new", "decision"),
    [
        (Stock(100, {}), A, Decision(COME, (), 60)),
        (Stock(100, {"a": A}, held={"a"}), B, Decision(COME, (), 70)),
        # nobody needs a any more, and it is in the way
        (Stock(100, {"a": A}), C, Decision(COME, ("a",), 45)),
        # the oldest first, and no more than needed
        (
            Stock(100, {"c": C, "b": image(b=20), "x": image(x=30)}),
            image(n=40),
            Decision(COME, ("c",), 40),
        ),
        # somebody uses a
        (Stock(100, {"a": A}, held={"a"}), C, Decision(WAIT, (), 45)),
        # b is idle and not needed, but would not make enough room
        (Stock(100, {"a": A, "b": B}, held={"a"}), image(n=60), Decision(WAIT, (), 60)),
        # an attempt is left to make on a, but none is under way: it goes, and comes back
        (Stock(100, {"a": A}, due={"a"}), C, Decision(COME, ("a",), 45)),
        # what is done goes before what is due, and what is due not while another is in use
        (
            Stock(100, {"a": A, "b": image(b=20)}, due={"a"}),
            image(n=40),
            Decision(COME, ("b",), 40),
        ),
        (Stock(100, {"a": A, "x": image(x=30)}, held={"x"}, due={"a"}), C, Decision(WAIT, (), 45)),
        # what is there already costs nothing
        (Stock(100, {"a": A}, held={"a"}, before={"other"}), C, Decision(COME, (), 5)),
        # too large for ever
        (Stock(100, {}), image(n=101), Decision(NEVER, (), 101)),
        (Stock(100, {}), Wanted({"n": 60}, {"n": 41}), Decision(NEVER, (), 101)),
        (Stock(100, {}), image(n=100), Decision(COME, (), 100)),
    ],
)
def test_decisions(stock, new, decision):
    assert decide(stock, new) == decision


def test_whatever_is_decided_the_budget_is_held():
    """Every order of six images of two families, in a budget of two to four of them."""
    images = {f"{n}": image(**{f"base{n % 2}": 30, f"own{n}": 10}) for n in range(6)}
    for limit in (40, 50, 80, 100):
        here: dict[str, Wanted] = {}
        for name, new in images.items():
            decision = decide(Stock(limit, here), new)
            assert decision.answer is COME
            here = {n: w for n, w in here.items() if n not in decision.go} | {name: new}
            assert Stock(limit, here).used() <= limit
