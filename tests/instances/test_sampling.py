"""A stratified sample is as large as asked, as the whole is made up, and fair to everyone."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from swerun.instances.sampling import shares
from swerun.instances.selection import Subset, select
from swerun.records import Selection
from tests.instances.test_selection import instance

SIZES = st.lists(st.integers(1, 300), min_size=1, max_size=40)


@given(SIZES, st.floats(0, 1, exclude_max=True), st.data())
def test_every_stratum_gets_its_share_rounded_down_or_up_and_all_places_are_given(
    sizes, start, data
):
    number = data.draw(st.integers(1, sum(sizes)))
    places = shares(sizes, number, start)
    assert sum(places) == number
    for size, got in zip(sizes, places, strict=True):
        assert got in {size * number // sum(sizes), -(-size * number // sum(sizes))}


def test_places_that_are_left_go_by_the_remainders():
    given_ = Counter()
    for step in range(1000):
        given_.update(enumerate(shares([1, 2, 7], 5, step / 1000)))
    assert given_ == {(0, 1): 500, (0, 0): 500, (1, 1): 1000, (2, 3): 500, (2, 4): 500}


def test_every_instance_is_drawn_as_often_as_any_other():
    """Also those of strata that are too small for a place of their own."""
    made = [instance(f"a__a-{n}", "a/a", "hard") for n in range(2)]
    made += [instance(f"b__b-{n}", "b/b", "easy") for n in range(18)]
    subset = Subset("s", tuple(made), "")
    drawn = Counter(
        i.id
        for seed in range(2000)
        for i in select(subset, Selection(sample=4, seed=seed)).instances
    )
    # 4 of 20, 2000 times: 400 each; six standard deviations are 107
    assert all(abs(drawn[i.id] - 400) < 107 for i in made), drawn


def test_a_sample_of_all_is_all():
    made = tuple(instance(f"a__a-{n}", "a/a") for n in range(5))
    assert select(Subset("s", made, ""), Selection(sample=5)).instances == made
