"""What can be made again of a run: its report, report.json and predictions.jsonl."""

from __future__ import annotations

from swerun.records import Price
from swerun.report.curves import Spent
from swerun.report.predictions import predictions
from swerun.report.sides import Side, side_of
from swerun.report.summary import Report, price_of, scored, summarise
from swerun.report.why import Why, why
from swerun.runs.store import RunStore


def reported(store: RunStore, price: Price | None = None) -> Report:
    """The report of what is stored, with nothing written; with `price` at that price."""
    return summarise(store.record(), list(store.outlines()), store.unfinished_usage(), price)


def side(store: RunStore) -> Side:
    """The run as a side of a comparison."""
    return side_of(store.record(), store.outlines())


def reasons(store: RunStore) -> Why:
    """Why it came out as it did."""
    attempts = list(store.outlines())
    steps = (
        (attempt.instance_id, step)
        for attempt in scored(attempts).values()
        for step in store.steps(attempt.instance_id, attempt.solved_in or attempt.attempt)
    )
    return why(store.record(), attempts, steps)


def spent(store: RunStore) -> dict[tuple[str, int], Spent]:
    """What each step of the attempts that count used up, by instance and sample."""
    price = price_of(store.record())
    found = {}
    for key, attempt in scored(store.outlines()).items():
        steps = store.steps(attempt.instance_id, attempt.solved_in or attempt.attempt)
        usages = [step.reply.usage for step in steps]
        costs = [cost for usage in usages if price and (cost := price.cost(usage)) is not None]
        is_known = price is not None and len(costs) == len(usages)
        tokens = None if any(u.unreported for u in usages) else [u.total for u in usages]
        found[key] = Spent(tokens, costs if is_known else None)
    return found


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
