"""What several samples, costs and pairs of runs come to, as the words of a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from swerun.cli.printable import plain
from swerun.records import Price, Usage
from swerun.report.compare import MCNEMAR
from swerun.report.samples import PassAt, Samples
from swerun.report.summary import Report

if TYPE_CHECKING:
    from rich.table import Table

    from swerun.report.compare import Comparison

EARLY = "none: stopped once resolved"


def of_samples(reports: Sequence[Report]) -> Iterator[tuple[str, list[str]]]:
    """Rows of runs with several samples: pass@k for each k, and the mean."""
    found = [report.samples for report in reports]
    if not any(found):
        return
    for k in sorted({each.k for samples in found if samples for each in samples.pass_at}):
        yield f"pass@{k}", [_pass_at(samples, k) for samples in found]
    yield "mean of samples", [_mean(samples) for samples in found]


def _pass_at(samples: Samples | None, k: int) -> str:
    passes: tuple[PassAt, ...] = samples.pass_at if samples else ()
    found = next((each for each in passes if each.k == k), None)
    if found is None:
        return EARLY if samples and samples.stopped_early else ""
    return f"{100 * found.rate:.1f} % of {found.instances:,}"


def _mean(samples: Samples | None) -> str:
    """`60.0 % (95 %: 42.3 to 75.4 %)`."""
    if samples is None:
        return ""
    if samples.mean is None or samples.low is None or samples.high is None:
        return EARLY
    interval = f"{100 * samples.low:.1f} to {100 * samples.high:.1f} %"
    return f"{100 * samples.mean:.1f} % ({100 * samples.confidence:.0f} %: {interval})"


def of_costs(reports: Sequence[Report]) -> Iterator[tuple[str, list[str]]]:
    """Rows of what runs cost, where that is known of any, and is something."""
    if not any(report.cost or report.cost_all for report in reports):
        return
    yield "cost", [_dollars(r.cost, r.usage) for r in reports]
    yield "cost per resolved", [_dollars(r.cost_per_resolved, r.usage) for r in reports]
    if any(r.cost_all != r.cost for r in reports):
        whole = [spent_here(r, _dollars(r.cost_all, r.usage_all)) for r in reports]
        yield "cost, all attempts", whole
    yield "price of M in / cached / out", [_price(r.price) for r in reports]


def spent_here(report: Report, said: str) -> str:
    """`said`, but of a run that was made elsewhere, which has used up nothing here."""
    is_elsewhere = report.usage_all == Usage() != report.usage
    return "none here" if is_elsewhere else said


def _dollars(amount: float | None, usage: Usage) -> str:
    if amount is None:
        return "not known"
    digits = 2 if amount >= 1 else 4
    return f"${amount:,.{digits}f}" + (" and more, not reported" if usage.unreported else "")


def _price(price: Price | None) -> str:
    if price is None:
        return "not known"
    cached = price.input if price.cached is None else price.cached
    return f"${price.input:g} / {cached:g} / {price.output:g} ({price.source})"


def pairs(made: Comparison) -> Table:
    """A row for each two runs, the one above the other as A and B."""
    from rich.table import Table

    exact = all(pair.test == MCNEMAR for pair in made.pairs)
    tested = "first samples; p is McNemar's, exact" if exact else "all samples; p by sign flips"
    table = Table(title=f"the same instances, {tested}", title_justify="left")
    table.add_column("A, B", overflow="fold")
    headings = ["both", "only A", "only B", "neither", "left out", "p"]
    for heading in [*headings, "Holm"] if len(made.pairs) > 1 else headings:
        table.add_column(heading)
    models = {side.name: side.model for side in made.sides}
    for pair in made.pairs:
        counts = (pair.both, pair.only_a, pair.only_b, pair.neither)
        chances = [pair.p] if pair.p_holm is None else [pair.p, pair.p_holm]
        table.add_row(
            plain(f"{models[pair.a]}\n{models[pair.b]}"),
            *(f"{count:.4g}" for count in counts),
            str(made.left_out),
            *(f"{chance:.3g}" for chance in chances),
        )
    return table
