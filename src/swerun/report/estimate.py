"""From a stratified sample to the rate of all that it was drawn from, with its interval. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import NormalDist, fmean

from swerun.records import Record, Stratum

CONFIDENCE = 0.95


class Estimate(Record):
    """The resolved rate of `population` instances, as far as `sampled` of them tell it."""

    rate: float
    low: float
    high: float
    confidence: float
    sampled: int  # with a verdict
    population: int


def estimated(strata: Sequence[Stratum], rates: Mapping[str, float]) -> Estimate | None:
    """`rates` says by instance which part of its samples was resolved, where it has a verdict.

    Every instance had the same chance to be drawn, so the mean of the sample is the estimate. The
    interval is Wilson's (J. Am. Stat. Assoc. 22, 1927) for as many independent draws as tell what
    these tell of a finite population, n (N - 1) / (N - n) (Cochran, Sampling Techniques, 3rd ed.,
    section 2.6). It is a little wide: a sample in proportion to its strata is as exact as one
    without strata, or more (section 5.6); how much more, strata with one draw cannot show. None
    where nothing of the sample has a verdict.
    """
    drawn = [rates[i] for stratum in strata for i in stratum.sampled if i in rates]
    population = sum(stratum.population for stratum in strata)
    if not drawn:
        return None
    rate = fmean(drawn)
    low, high = wilson(rate, _draws(len(drawn), population))
    return Estimate(
        rate=rate,
        low=low,
        high=high,
        confidence=CONFIDENCE,
        sampled=len(drawn),
        population=population,
    )


def _draws(sampled: int, population: int) -> float | None:
    """None is as many as one likes: everything was drawn."""
    return None if sampled == population else sampled * (population - 1) / (population - sampled)


def wilson(rate: float, draws: float | None, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The score interval of a rate that was seen in so many independent draws."""
    if draws is None:
        return rate, rate
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (rate + z * z / (2 * draws)) / (1 + z * z / draws)
    half = z * sqrt(rate * (1 - rate) / draws + z * z / (4 * draws * draws)) / (1 + z * z / draws)
    return max(0.0, middle - half), min(1.0, middle + half)
