"""What of a run is handed to others: the attempts that count, with their evidence."""

from __future__ import annotations

from collections.abc import Iterator

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


def log_of(store: RunStore, attempt: Attempt) -> bytes | None:
    """What its tests printed; None where none were run, or it is gone."""
    graded = newest(store.grades(attempt.instance_id, attempt.attempt))
    return graded.log() if graded else None
