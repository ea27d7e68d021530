"""What can be made again of a run: its report, report.json and predictions.jsonl."""

from __future__ import annotations

from swerun.report.predictions import predictions
from swerun.report.summary import Report, summarise
from swerun.runs.store import RunStore


def reported(store: RunStore) -> Report:
    """The report of what is stored, with nothing written."""
    return summarise(store.record(), list(store.attempts()), store.unfinished_usage())


def derive(store: RunStore) -> Report:
    """Write both from what is stored, and return the report.

    Predictions hold the scored attempt of each instance's first sample, where it has a verdict:
    what swerun does not grade, nobody else is asked to.
    """
    report = reported(store)
    patches = {
        row.instance_id: store.patch(row.instance_id, row.attempt)
        for row in report.rows
        if row.attempt and row.outcome and row.outcome.is_verdict and row.sample == 1
    }
    store.derive("report.json", (report.model_dump_json(indent=1) + "\n").encode())
    store.derive("predictions.jsonl", predictions(report.model, patches))
    return report
