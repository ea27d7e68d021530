"""The statistics of paired comparisons, by scipy. Pure and repeatable: what is drawn is seeded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import fmean
from typing import TYPE_CHECKING

from swerun.report.estimate import CONFIDENCE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIGNIFICANT = 1 - CONFIDENCE
POWER = 0.8
RESAMPLES = 9_999
FEWEST_CLUSTERS = 5  # below it, what differs between repositories cannot be told from a sample
_BATCH = 500  # resamples at once: of 10,000 instances they are 40 MB


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float
    by: str  # what was drawn again: repository or instance


def mcnemar(only_a: int, only_b: int) -> float:
    """McNemar's exact test: how likely so uneven a split is where both are as good.

    Two-sided, over the instances on which they differ (McNemar, Psychometrika 12, 1947).
    """
    from scipy.stats import binomtest

    differ = only_a + only_b
    return float(binomtest(only_a, differ).pvalue) if differ else 1.0


def sign_flips(differences: Sequence[float]) -> float:
    """The same question where several samples make the differences fractions of one.

    Were both as good, each instance's difference could as well have had the other sign: the share
    of all such choices, or of RESAMPLES of them, whose mean is at least as far from zero. With one
    sample each it is McNemar's exact test.
    """
    import numpy as np
    from scipy.stats import permutation_test

    seen = np.array([each for each in differences if each])
    if seen.size < 2:
        return 1.0  # permutation_test wants two; of one, both signs are as far
    found = permutation_test(
        (seen,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=_BATCH,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


def paired_interval(differences: Sequence[float], clusters: Sequence[str], seed: int) -> Interval:
    """Where the mean difference lies with CONFIDENCE: a paired bootstrap, clustered.

    Whole clusters (repositories) are drawn again, since what a model makes of one issue of a
    repository tells of its others. Their quantiles are taken further out, as Student's t asks for
    so few draws (Hesterberg, The American Statistician 69, 2015, section 4.3, "expanded percentile
    interval"), and the interval is no narrower than that of `adjusted_wald`, which alone is given
    where there are fewer than FEWEST_CLUSTERS. Raises ValueError for no differences.
    """
    if not differences:
        raise ValueError("there are no differences")
    low, high = adjusted_wald(differences)
    members: dict[str, list[float]] = {}
    for difference, cluster in zip(differences, clusters, strict=True):
        members.setdefault(cluster, []).append(difference)
    if len(members) < FEWEST_CLUSTERS:
        return Interval(low, high, by="instance")
    drawn = _bootstrapped(
        [sum(found) for found in members.values()], [len(found) for found in members.values()], seed
    )
    return Interval(min(low, drawn[0]), max(high, drawn[1]), by="repository")


def adjusted_wald(differences: Sequence[float]) -> tuple[float, float]:
    """The interval of a mean of paired differences, were the instances independent.

    With two more instances, one won by each side, so that few that all agree do not look certain
    (Bonett and Price, J. Educ. Behav. Stat. 37, 2012, for differences that are -1, 0 or 1).
    """
    from scipy.stats import norm

    number = len(differences) + 2
    mean = sum(differences) / number
    spread = (sum(d * d for d in differences) + 2) / number - mean * mean
    half = float(norm.isf((1 - CONFIDENCE) / 2)) * sqrt(spread / number)
    return max(-1.0, mean - half), min(1.0, mean + half)


def _expanded(draws: int) -> float:
    """The confidence to ask percentiles for, so that of so many draws they cover CONFIDENCE."""
    from scipy.stats import norm, t

    further = sqrt(draws / (draws - 1)) * t.ppf((1 + CONFIDENCE) / 2, draws - 1)
    return float(1 - 2 * norm.sf(further))


def _bootstrapped(sums: Sequence[float], sizes: Sequence[int], seed: int) -> tuple[float, float]:
    """Of the ratio of the sums to the sizes of clusters that are drawn with replacement."""
    import numpy as np
    from scipy.stats import bootstrap

    found = bootstrap(
        (np.array(sums, dtype=float), np.array(sizes, dtype=float)),
        _ratio,
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=_expanded(len(sums)),
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def _ratio(sums: Floats, sizes: Floats, axis: int = -1) -> Floats:
    ratio: Floats = sums.sum(axis=axis) / sizes.sum(axis=axis)
    return ratio


def holm(chances: Sequence[float]) -> list[float]:
    """P-values that hold together (Holm, Scand. J. Statist. 6, 1979), in the order given."""
    order = sorted(range(len(chances)), key=lambda i: chances[i])
    adjusted, least = [0.0] * len(chances), 0.0
    for rank, i in enumerate(order):
        least = max(least, min(1.0, (len(chances) - rank) * chances[i]))
        adjusted[i] = least
    return adjusted


def smallest_significant(differ: int) -> int | None:
    """By how many instances one must be ahead, of `differ` on which they differ, to be significant.

    None where not even all of them would do.
    """
    from scipy.stats import binom

    rare = int(binom.ppf(SIGNIFICANT / 2, differ, 0.5))
    fewest = rare if binom.cdf(rare, differ, 0.5) <= SIGNIFICANT / 2 else rare - 1
    return differ - 2 * fewest if fewest >= 0 and differ else None


def detectable(differences: Sequence[float]) -> float | None:
    """The smallest true difference that as many instances show as significant, POWER of the time.

    It follows from how much they differ instance by instance (Connor, Biometrics 43, 1987). None
    where they do not differ at all, or no difference is large enough.
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    spread = fmean(d * d for d in differences) if differences else 0.0
    sure, seen = norm.isf(SIGNIFICANT / 2), norm.isf(1 - POWER)

    def short(difference: float) -> float:
        noise = sure * sqrt(spread) + seen * sqrt(max(0.0, spread - difference * difference))
        return float(difference * sqrt(len(differences)) - noise)

    if not spread or short(sqrt(spread)) < 0:
        return None
    return float(brentq(short, 0.0, sqrt(spread)))
