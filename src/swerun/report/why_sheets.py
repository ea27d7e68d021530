"""Why a run came out as it did, as tables. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from swerun.report.compare_sheets import dollars
from swerun.report.conduct import conduct_sheet
from swerun.report.sheet import Sheet
from swerun.report.why import Extreme, Tally, Why

NAMED = 4  # instances that are named of many


def sheets(found: Why) -> Iterator[Sheet]:
    yield tallies_sheet(f"{found.run}: {found.attempts:,} samples", "outcome, cause", found.causes)
    for heading, tallies in (("stop", found.stops), ("failing command", found.commands)):
        if tallies:
            yield tallies_sheet("", heading, tallies)
    yield from conduct_sheet("", found.conduct)
    if found.slowest:
        yield _extremes("slowest", [f"{e.amount:,.1f} s" for e in found.slowest], found.slowest)
    if found.dearest:
        is_money = found.dearest_by == "dollars"
        amounts = [
            dollars(e.amount) if is_money else f"{e.amount:,.0f} tokens" for e in found.dearest
        ]
        yield _extremes("dearest", amounts, found.dearest)


def tallies_sheet(title: str, heading: str, tallies: Sequence[Tally]) -> Sheet:
    rows = tuple((each.what, f"{each.times:,}", _named(each.instances)) for each in tallies)
    return Sheet(title, (heading, "times", "instances"), rows)


def _named(instances: Sequence[str]) -> str:
    more = len(instances) - NAMED
    named = ", ".join(instances[:NAMED])
    return f"{named} and {more:,} more" if more > 0 else named


def _extremes(heading: str, amounts: Sequence[str], extremes: Sequence[Extreme]) -> Sheet:
    rows = tuple(
        (amount, e.instance_id, str(e.attempt), e.outcome.value.replace("_", " "), str(e.steps))
        for amount, e in zip(amounts, extremes, strict=True)
    )
    return Sheet("", (heading, "instance", "attempt", "outcome", "steps"), rows)
