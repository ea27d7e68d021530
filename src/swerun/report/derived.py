"""What can be made again of a run: its report, report.json and predictions.jsonl."""

from __future__ import annotations

from swerun.records import Price
from swerun.report.predictions import predictions
from swerun.report.summary import Report, summarise
from swerun.runs.store import RunStore


def reported(store: RunStore, price: Price | None = None) -> Report:
    """The report of what is stored, with nothing written; with `price` at that price."""
    return summarise(store.record(), list(store.outlines()), store.unfinished_usage(), price)


def derive(store: RunStore, price: Price | None = None) -> Report:
    """Write both from what is stored, and return the report, with `price` at that price.

    Predictions hold the scored attempt of each instance's first sample, where it has a verdict:
    what swerun does not grade, nobody else is asked to.
    """
    report = reported(store, price)
    patches = {
        row.instance_id: store.patch(row.instance_id, row.attempt)
        for row in report.rows
        if row.attempt and row.outcome and row.outcome.is_verdict and row.sample == 1
    }
    store.derive("report.json", (report.model_dump_json(indent=1) + "\n").encode())
    store.derive("predictions.jsonl", predictions(report.model, patches))
    return report
