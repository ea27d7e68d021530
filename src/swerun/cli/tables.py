"""Reports as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from swerun.cli.live import duration
from swerun.records import Outcome
from swerun.report.summary import Report, Row

if TYPE_CHECKING:
    from rich.table import Table

MARKS = {
    Outcome.RESOLVED: ("resolved", "green"),
    Outcome.UNRESOLVED: ("unresolved", "yellow"),
    Outcome.NO_PATCH: ("no patch", "yellow"),
    Outcome.PATCH_REJECTED: ("patch rejected", "yellow"),
    Outcome.TESTS_TIMED_OUT: ("tests timed out", "yellow"),
}


def side_by_side(reports: Sequence[Report]) -> Table:
    """One column a run: rates, causes, tokens, time."""
    from rich.table import Table

    made = Table(title=f"{reports[0].subset}: {reports[0].n} instances", title_justify="left")
    made.add_column("")
    for report in reports:
        made.add_column(report.model + (f"\n({report.note})" if report.note else ""))
    made.add_row("resolved / N", *(_rate(r.resolved, r.n) for r in reports), style="bold")
    made.add_row("resolved / graded", *(_rate(r.resolved, r.graded) for r in reports))
    for outcome in Outcome:
        if outcome is not Outcome.RESOLVED and any(outcome in r.outcomes for r in reports):
            counts = (str(r.outcomes.get(outcome, 0)) for r in reports)
            made.add_row(f"  {outcome.value.replace('_', ' ')}", *counts)
    if any(r.pending for r in reports):
        made.add_row("  not done", *(str(r.pending) for r in reports))
    stops = sorted({stop for r in reports for stop in r.stops} - {"given"})
    for stop in stops:
        made.add_row(
            f"stopped: {stop.replace('_', ' ')}", *(str(r.stops.get(stop, 0)) for r in reports)
        )
    made.add_row("steps", *(str(r.steps) for r in reports))
    made.add_row("tokens in / out", *(_tokens(r) for r in reports))
    made.add_row("time, all attempts", *(duration(r.seconds) for r in reports))
    if any(r.replay_differs is not None for r in reports):
        made.add_row("replayed", *(_replayed(r) for r in reports))
    return made


def by_instance(reports: Sequence[Report]) -> Table:
    """One row an instance, one column a run."""
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False, header_style="dim")
    made.add_column("instance", no_wrap=True)
    for report in reports:
        made.add_column(report.model)
    for rows in zip(*(report.rows for report in reports), strict=False):
        sample = f" #{rows[0].sample}" if rows[0].sample > 1 else ""
        cells = (Text(text, style=style) for text, style in map(_cell, rows))
        made.add_row(rows[0].instance_id + sample, *cells)
    return made


def _cell(row: Row) -> tuple[str, str]:
    if row.outcome is None:
        return "not done", "dim"
    text, style = MARKS.get(row.outcome, (row.outcome.value.replace("_", " "), "red"))
    if row.outcome is Outcome.UNRESOLVED and row.failing:
        text += f", {row.failing} test{'s' if row.failing > 1 else ''} failing"
    stop = f", {row.stop.value.replace('_', ' ')}" if row.stop and row.stop != "submitted" else ""
    return text + ("" if row.stop == "given" else f"{stop}, {row.steps} steps"), style


def _rate(part: int, whole: int) -> str:
    return f"{part}/{whole} = {100 * part / whole:.1f} %" if whole else "none"


def _tokens(report: Report) -> str:
    usage = report.usage
    if not report.steps:
        return "none"
    if usage.unreported >= report.steps:
        return "not reported"
    said = f"{usage.input_tokens:,} / {usage.output_tokens:,}"
    return said + (f" ({usage.unreported} replies not reported)" if usage.unreported else "")


def _replayed(report: Report) -> str:
    if report.replay_differs is None:
        return ""
    return f"{report.replay_differs} of {report.steps} steps differ"
