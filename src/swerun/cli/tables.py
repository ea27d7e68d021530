"""Reports as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from swerun.cli.figures import of_costs, of_samples, spent_here
from swerun.cli.live import duration
from swerun.cli.printable import plain
from swerun.records import ConductKind, Outcome, Soundness, Stop, Usage
from swerun.report.conduct import IN_WORDS
from swerun.report.estimate import Estimate
from swerun.report.summary import Report, Row

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

MARKS = {
    Outcome.RESOLVED: ("resolved", "green"),
    Outcome.SUSPECT: ("suspect", "red"),
    Outcome.UNRESOLVED: ("unresolved", "yellow"),
    Outcome.NO_PATCH: ("no patch", "yellow"),
    Outcome.PATCH_REJECTED: ("patch rejected", "yellow"),
    Outcome.TESTS_TIMED_OUT: ("tests timed out", "yellow"),
}


def side_by_side(reports: Sequence[Report]) -> Group:
    """One column a run: rates, causes, tokens, time; and the rule that says what counts."""
    from rich.console import Group
    from rich.table import Table

    made = Table(title=plain(title_of(reports)), title_justify="left")
    made.add_column("")
    for report in reports:
        made.add_column(plain(report.model + (f"\n({report.note})" if report.note else "")))
    for number, (label, cells) in enumerate(rows_of(reports)):
        made.add_row(label, *map(plain, cells), style="" if number else "bold")
    rules = "; ".join(dict.fromkeys(r.rule for r in reports))
    return Group(made, plain(f"What counts: {rules}.", "dim"))


def rows_of(reports: Sequence[Report]) -> Iterator[tuple[str, list[str]]]:
    """What the runs came to, a cell each: rates first, then what there is to say of causes, of
    stops, and of what it took."""
    yield "resolved / N", [_rate(r.resolved, r.n) for r in reports]
    yield "resolved / graded", [_rate(r.resolved, r.graded) for r in reports]
    if any(r.flagged for r in reports):
        yield "  by the official rule / N", [_rate(r.official, r.n) for r in reports]
    if any(r.estimate for r in reports):
        yield "estimate of all", [_estimate(r.estimate) for r in reports]
    yield from of_samples(reports)
    for label, counts in _counts(reports):
        if any(counts):
            yield f"  {label}", [str(count) for count in counts]
    for stop in sorted({stop for r in reports for stop in r.stops} - {"given"}):
        yield f"stopped: {stop.replace('_', ' ')}", [str(r.stops.get(stop, 0)) for r in reports]
    yield from _spent(reports)


def _spent(reports: Sequence[Report]) -> Iterator[tuple[str, list[str]]]:
    """Rows of what it took."""
    yield "steps", [str(r.steps) for r in reports]
    yield "tokens in / out", [_tokens(r.usage) for r in reports]
    if any(r.usage_all != r.usage for r in reports):
        yield "tokens, all attempts", [spent_here(r, _tokens(r.usage_all)) for r in reports]
    yield from of_costs(reports)
    yield "time, summed", [duration(r.seconds) for r in reports]
    if any(r.replay_differs is not None for r in reports):
        yield "replayed", [_replayed(r) for r in reports]


def by_instance(reports: Sequence[Report]) -> Table:
    """One row a sample of an instance that any of the runs was asked for, one column a run."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="dim")
    made.add_column("instance", no_wrap=True)
    is_known = any(row.soundness for r in reports for row in r.rows)
    if is_known:
        made.add_column("sound")
    for report in reports:
        made.add_column(plain(report.model))
    found = [{(row.instance_id, row.sample): row for row in r.rows} for r in reports]
    keys = sorted({key for rows in found for key in rows})
    several = any(sample > 1 for _, sample in keys)
    for instance_id, sample in keys:
        there = [rows.get((instance_id, sample)) for rows in found]
        sound = [_sound(there)] if is_known else []
        name = plain(instance_id + (f" #{sample}" if several else ""))
        made.add_row(name, *sound, *map(_cell, there))
    return made


def _sound(rows: Sequence[Row | None]) -> Text:
    """What the runs knew of an instance; they may be of different machines."""
    known = dict.fromkeys(row.soundness for row in rows if row and row.soundness)
    styles = {Soundness.BROKEN: "red", Soundness.FLAKY: "yellow"}
    return plain(", ".join(known), next((styles[k] for k in known if k in styles), "dim"))


def _counts(reports: Sequence[Report]) -> Iterator[tuple[str, list[int]]]:
    """What there may be to count in each report, and is worth a row where there is some."""
    for outcome in Outcome:
        if outcome is not Outcome.RESOLVED:
            yield outcome.value.replace("_", " "), [r.outcomes.get(outcome, 0) for r in reports]
    yield "not done", [r.pending for r in reports]
    yield "not needed: resolved before", [r.spared for r in reports]
    yield "no prediction, not in N", [r.missing for r in reports]
    yield "flagged", [r.flagged for r in reports]
    yield "with flaky tests", [r.flaky for r in reports]
    yield "graded from the cache", [r.cached for r in reports]
    yield "replaced by a rerun", [r.replaced for r in reports]
    yield "in images with leaks", [r.leaks for r in reports]
    for kind, words in IN_WORDS.items():
        yield words, [r.conduct.get(kind.value, 0) for r in reports]


def title_of(reports: Sequence[Report]) -> str:
    subsets = ", ".join(dict.fromkeys(r.subset for r in reports))
    number = len({row.instance_id for r in reports for row in r.rows})
    return f"{subsets}: {number} instance{'' if number == 1 else 's'}"


def _cell(row: Row | None) -> Text:
    if row is None:
        return plain("not asked", "dim")
    if row.spared:
        return plain("not needed", "dim")
    if row.outcome is None:
        return plain("not done", "dim")
    text, style = MARKS.get(row.outcome, (row.outcome.value.replace("_", " "), "red"))
    text += "".join(f", {each}" for each in _counted(row))
    if row.stop is Stop.GIVEN:
        return plain(text, style)
    if row.stop and row.stop is not Stop.SUBMITTED:
        text += f", {row.stop.value.replace('_', ' ')}"
    return plain(f"{text}, {row.steps} step{'' if row.steps == 1 else 's'}", style)


def _counted(row: Row) -> Iterator[str]:
    """What of a row is counted beside its outcome."""
    if row.outcome is Outcome.UNRESOLVED and row.failing:
        yield f"{row.failing} test{'s' if row.failing > 1 else ''} failing"
    if row.flaky:
        yield f"{row.flaky} flaky"
    if row.leaks:
        yield f"{row.leaks} leak{'s' if row.leaks > 1 else ''}"
    for each in row.conduct or ():
        if each.kind is not ConductKind.ADDED_TESTS:
            yield IN_WORDS[each.kind]


def _rate(part: int, whole: int) -> str:
    return f"{part}/{whole} = {100 * part / whole:.1f} %" if whole else "none"


def _estimate(estimate: Estimate | None) -> str:
    """`60.0 % of 500 (95 %: 42.3 to 75.4 %)`."""
    if estimate is None:
        return ""
    low, high = 100 * estimate.low, 100 * estimate.high
    interval = f"{100 * estimate.confidence:.0f} %: {low:.1f} to {high:.1f} %"
    return f"{100 * estimate.rate:.1f} % of {estimate.population:,} ({interval})"


def _tokens(usage: Usage) -> str:
    if not usage.total:
        return "not reported" if usage.unreported else "none"
    said = f"{usage.input_tokens:,} / {usage.output_tokens:,}"
    return said + (f" ({usage.unreported} replies not reported)" if usage.unreported else "")


def _replayed(report: Report) -> str:
    if report.replay_differs is None:
        return ""
    return f"{report.replay_differs} of {report.steps} steps differ"
