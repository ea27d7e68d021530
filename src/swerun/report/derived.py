"""The files of a run that can be made again: report.json and predictions.jsonl."""

from __future__ import annotations

from swerun.report.predictions import predictions
from swerun.report.summary import Report, summarise
from swerun.runs.store import RunStore


def derive(store: RunStore) -> Report:
    """Write both from what is stored, and return the report.

    Predictions hold the scored attempt of each instance's first sample, where it has a verdict:
    what swerun does not grade, nobody else is asked to.
    """
    run = store.record()
    report = summarise(run, list(store.attempts()), store.unfinished_usage())
    patches = {
        row.instance_id: store.patch(row.instance_id, row.attempt)
        for row in report.rows
        if row.attempt and row.outcome and row.outcome.is_verdict and row.sample == 1
    }
    store.derive("report.json", (report.model_dump_json(indent=1) + "\n").encode())
    store.derive("predictions.jsonl", predictions(run.model, patches))
    return report
