"""Which instances are meant: by table, and in an order that stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swerun.errors import InputError
from swerun.instances.selection import Subset, select
from swerun.records import Selection
from tests.fakes import an_instance


def instance(instance_id, repo, difficulty=""):
    made = an_instance(instance_id)
    task = made.task.model_copy(update={"repo": repo})
    return made.model_copy(update={"task": task, "difficulty": difficulty})


INSTANCES = tuple(
    instance(f"{repo.replace('/', '__')}-{number}", repo, level)
    for repo in ("Django/django", "psf/requests", "sympy/sympy")
    for number, level in enumerate(("<15 min fix", "15 min - 1 hour", "1-4 hours", ">4 hours"))
)
SUBSET = Subset("verified", INSTANCES, "")


def chosen(**selection):
    found = select(SUBSET, Selection(**selection)).instances
    return [f"{i.task.repo[0]}{i.id[-1]}" for i in found]


ALL = ["D0", "D1", "D2", "D3", "p0", "p1", "p2", "p3", "s0", "s1", "s2", "s3"]


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ({}, ALL),
        ({"instances": ("*-1",)}, ["D1", "p1", "s1"]),
        ({"instances": ("psf__*", "*-3")}, ["D3", "p0", "p1", "p2", "p3", "s3"]),
        ({"filter": "^psf|-0$"}, ["D0", "p0", "p1", "p2", "p3", "s0"]),
        ({"repo": ("psf/requests",)}, ["p0", "p1", "p2", "p3"]),
        ({"repo": ("requests", "SYMPY")}, ["p0", "p1", "p2", "p3", "s0", "s1", "s2", "s3"]),
        ({"repo": ("django/*",)}, ["D0", "D1", "D2", "D3"]),
        ({"repo": ("*s*",)}, ["p0", "p1", "p2", "p3", "s0", "s1", "s2", "s3"]),
        ({"difficulty": ("<15 min fix",)}, ["D0", "p0", "s0"]),
        ({"difficulty": (">4 Hours", "1-4 hours")}, ["D2", "D3", "p2", "p3", "s2", "s3"]),
        ({"slice": "2:5"}, ["D2", "D3", "p0"]),
        ({"slice": ":2"}, ["D0", "D1"]),
        ({"slice": "10:"}, ["s2", "s3"]),
        ({"slice": "-2:"}, ["s2", "s3"]),
        ({"slice": "::5"}, ["D0", "p1", "s2"]),
        ({"slice": "::-6"}, ["s3", "p1"]),
        ({"limit": 2}, ["D0", "D1"]),
        ({"limit": 99}, ALL),
        ({"repo": ("psf/*",), "difficulty": ("1-4 hours",)}, ["p2"]),
        ({"instances": ("*-2", "*-3"), "filter": "sympy", "limit": 1}, ["s2"]),
        ({"filter": "psf", "slice": "1:", "limit": 2}, ["p1", "p2"]),
    ],
)
def test_what_is_selected(selection, found):
    assert chosen(**selection) == found


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"instances": ("psf__requests-9",)}, "'psf__requests-9'. Did you mean psf__requests-"),
        ({"filter": "("}, r"--filter \(: no regular expression: missing \)"),
        ({"filter": "flask"}, "--filter leaves none of the 12 instances"),
        ({"repo": ("djagno/django",)}, "of the repository 'djagno/django'. Did you mean Django/dj"),
        ({"repo": ("nothing",)}, "Did you mean Django/django, psf/requests, sympy/sympy"),
        ({"difficulty": ("15 min fix",)}, "the difficulty '15 min fix'. Did you mean <15 min fix"),
        ({"difficulty": ("easy",)}, "Did you mean 1-4 hours, 15 min - 1 hour, <15 min fix, >4 h"),
        ({"instances": ("psf*",), "repo": ("sympy",)}, "--repo leaves none of the 4 instances"),
        ({"slice": "12:"}, "--slice 12: leaves none of 12"),
        ({"slice": "a:b"}, "--slice a:b: it is start:stop"),
        ({"slice": "5"}, "--slice 5: it is start:stop"),
        ({"slice": "::0"}, "--slice ::0: it is start:stop"),
        ({"sample": 13}, "--sample 13: there are only 12 instances"),
        ({"sample": 3, "limit": 2}, "--sample and --limit: what is cut off a sample"),
        ({"sample": 3, "slice": ":2"}, "--sample and --slice: what is cut off a sample"),
    ],
)
def test_what_means_none_is_answered_with_what_there_is(selection, said):
    with pytest.raises(InputError, match=said):
        select(SUBSET, Selection(**selection))


def test_a_subset_that_does_not_say_how_difficult_it_is_says_so():
    plain = Subset("lite", (instance("a", "a/a"),), "")
    with pytest.raises(InputError, match="lite does not say how difficult"):
        select(plain, Selection(difficulty=("<15 min fix",)))


def test_a_shuffle_is_the_same_for_a_seed_and_another_for_another():
    assert chosen(shuffle=True, seed=1) == chosen(shuffle=True, seed=1)
    assert chosen(shuffle=True, seed=1) != chosen(shuffle=True, seed=2)
    assert sorted(chosen(shuffle=True, seed=1)) == ALL
    # a run is gone on with by the same command, with whatever Python there is then
    assert chosen(shuffle=True, limit=4) == ["D3", "p3", "s0", "s3"]


def test_the_first_of_a_shuffle_are_among_the_first_of_more():
    assert chosen(shuffle=True, limit=5) == chosen(shuffle=True, limit=9)[:5]
    assert chosen(shuffle=True, slice="2:4") == chosen(shuffle=True)[2:4]


def test_a_sample_is_in_the_order_of_the_subset_and_may_be_shuffled():
    drawn = chosen(sample=6, seed=3)
    assert drawn == sorted(drawn)
    assert len(drawn) == 6
    assert sorted(chosen(sample=6, seed=3, shuffle=True)) == drawn


def test_a_sample_is_of_what_the_filters_leave():
    found = select(SUBSET, Selection(sample=2, repo=("psf/*",)))
    assert sum(stratum.population for stratum in found.strata) == 4
    assert {i.task.repo for i in found.instances} == {"psf/requests"}
    assert select(SUBSET, Selection()).strata == ()


@given(st.integers(1, 12), st.integers(0, 50))
def test_strata_say_what_was_drawn_of_how_many(number, seed):
    found = select(SUBSET, Selection(sample=number, seed=seed))
    ids = sorted(i for stratum in found.strata for i in stratum.sampled)
    assert ids == sorted(i.id for i in found.instances)
    assert sum(stratum.population for stratum in found.strata) == len(INSTANCES)
    assert len(ids) == number
