"""What of a run is handed to others: the attempts that count, with their evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from swerun.records import Attempt
from swerun.report.summary import scored
from swerun.runs.grades import newest
from swerun.runs.store import RunStore


def counting(store: RunStore) -> Iterator[Attempt]:
    """Of each instance's first sample the attempt that counts, where it has a verdict: those that
    the run's predictions.jsonl is of, by instance."""
    chosen = {
        (attempt.instance_id, attempt.attempt)
        for (_, sample), attempt in scored(store.outlines()).items()
        if sample == 1 and attempt.outcome.is_verdict
    }
    for attempt in store.attempts():
        if (attempt.instance_id, attempt.attempt) in chosen:
            yield attempt


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an attempt's verdict was made of; None is what there was not, or what is gone."""

    patch: bytes
    script: bytes | None = None
    log: bytes | None = None


def evidence_of(store: RunStore, attempt: Attempt) -> Evidence:
    key = attempt.instance_id, attempt.attempt
    graded = newest(store.grades(*key))
    if graded is None:
        return Evidence(store.patch(*key))
    return Evidence(store.patch(*key), graded.script() or None, graded.log() or None)
