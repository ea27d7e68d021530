"""The record of a run that no swerun ever made: what benchmarks give a RunStore to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from swerun.records import Limits, Question, Resources, RunRecord, Sampling

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def plain_run(name: str, model: str, selection: Sequence[str], samples: int = 1) -> RunRecord:
    question = Question(
        model=model,
        dataset_hash="0",
        scaffold=None,
        sampling=Sampling(),
        limits=Limits(),
        resources=Resources(),
        network="none",
        grade_network="none",
        grading="1",
    )
    return RunRecord(
        name=name,
        model=model,
        subset="verified",
        fingerprint="0",
        question=question,
        selection=tuple(selection),
        samples=samples,
        created_at=NOW,
    )
