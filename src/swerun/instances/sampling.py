"""A stratified sample: of each repository and difficulty as much as it is of the whole. Pure."""

from __future__ import annotations

import random
from collections.abc import Sequence

from swerun.records import Instance, Stratum


def sampled(drawn: Sequence[Instance], number: int, seed: int) -> tuple[Stratum, ...]:
    """`number` of the instances, `drawn` in an order by lot; all strata, also those without any.

    Each stratum gets the whole part of its share, and the places that are left go to the largest
    remainders by lot: one after another at equal steps on the line of all remainders, from a random
    start (systematic sampling, Cochran, Sampling Techniques, 3rd ed., chapter 8). So every instance
    has the same chance, number / all, to be in the sample. Were the largest remainders always the
    ones, no instance of a stratum whose share is under a half would ever be drawn.
    """
    strata: dict[tuple[str, str], list[Instance]] = {}
    for instance in drawn:
        strata.setdefault((instance.task.repo, instance.difficulty), []).append(instance)
    keys = sorted(strata)
    sizes = [len(strata[key]) for key in keys]
    places = shares(sizes, number, random.Random(seed).random())  # noqa: S311 -- no secret
    return tuple(
        Stratum(
            repo=repo,
            difficulty=difficulty,
            population=len(members),
            sampled=tuple(sorted(i.id for i in members[:places_of])),
        )
        for (repo, difficulty), places_of in zip(keys, places, strict=True)
        for members in [strata[repo, difficulty]]
    )


def shares(sizes: Sequence[int], number: int, start: float) -> list[int]:
    """How many of `number` places each stratum gets; `start` in [0, 1) is the lot.

    In whole numbers, of 1 / all: the line of the remainders is as long as there are places left.
    """
    whole = sum(sizes)
    floors = [size * number // whole for size in sizes]
    remainders = [size * number % whole for size in sizes]
    mark, at, places = int(start * whole), 0, []
    for floor, remainder in zip(floors, remainders, strict=True):
        at += remainder
        places.append(floor + (at > mark))
        mark += whole if at > mark else 0
    return places
