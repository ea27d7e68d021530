"""What several samples of each instance come to: pass@k, and the mean with its interval. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import comb
from statistics import fmean, pvariance

from swerun.records import Record
from swerun.report.estimate import CONFIDENCE, wilson


class PassAt(Record):
    """The chance that of k samples of an instance one at least resolves it, over `instances`."""

    k: int
    rate: float
    instances: int


class Samples(Record):
    """`mean`, with its interval, is over instances of the part of their samples that resolved them.

    None where the samples were stopped once one had resolved an instance: how many there are then
    depends on how they came out, and only pass@k of all of them can be told.
    """

    pass_at: tuple[PassAt, ...]
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float = CONFIDENCE
    stopped_early: bool = False


def pass_at(samples: int, resolved: int, k: int) -> float:
    """The unbiased estimate from so many samples, 1 - C(n - c, k) / C(n, k): Chen et al.,
    Evaluating Large Language Models Trained on Code, arXiv 2107.03374, section 2.1."""
    return 1 - comb(samples - resolved, k) / comb(samples, k)


def several(verdicts: Mapping[str, Sequence[bool]], most: int, *, stopped: bool) -> Samples | None:
    """From which samples of each instance were resolved, of those that have a verdict. `most` is
    how many were asked for; `stopped` that they end once one is resolved.

    pass@k is over the instances that have k verdicts, or that are resolved where `stopped`. None
    where there is one sample of each, or nothing.
    """
    if most < 2 or not any(verdicts.values()):
        return None
    if stopped:
        known = [any(v) for v in verdicts.values() if any(v) or len(v) >= most]
        only = PassAt(k=most, rate=fmean(known), instances=len(known)) if known else None
        return Samples(pass_at=(only,) if only else (), stopped_early=True)
    rates = [fmean(v) for v in verdicts.values() if v]
    low, high = interval(rates, most)
    passes = (_pass_at(verdicts, k) for k in range(1, most + 1))
    return Samples(pass_at=tuple(p for p in passes if p), mean=fmean(rates), low=low, high=high)


def _pass_at(verdicts: Mapping[str, Sequence[bool]], k: int) -> PassAt | None:
    rates = [pass_at(len(v), sum(v), k) for v in verdicts.values() if len(v) >= k]
    return PassAt(k=k, rate=fmean(rates), instances=len(rates)) if rates else None


def interval(rates: Sequence[float], samples: int) -> tuple[float, float]:
    """Of the mean of instances' rates, which are of so many samples each.

    Samples of one instance are alike, so that the error is that of clusters (Miller, Adding Error
    Bars to Evals, arXiv 2411.00640, section 2.2). The interval is Wilson's for as many independent
    draws as have the same error: the number of instances where their samples always agree, and
    never more than there are samples.
    """
    mean, between = fmean(rates), pvariance(rates)
    draws = len(rates) * mean * (1 - mean) / between if between else float("inf")
    if mean in {0, 1}:  # nothing shows how alike they are
        draws = len(rates)
    return wilson(mean, min(draws, len(rates) * samples))
