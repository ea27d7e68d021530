"""What agents did, in words and as a table: for whoever wants to read those steps. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from swerun.records import Attempt, Conduct, ConductKind, Record
from swerun.report.sheet import Sheet

IN_WORDS: Mapping[ConductKind, str] = {
    ConductKind.HISTORY: "searched history",
    ConductKind.NETWORK: "tried the network",
    ConductKind.COPY: "sought the project elsewhere",
    ConductKind.TESTS: "changed tests",
    ConductKind.ADDED_TESTS: "added to tests",
}
LISTED = 100  # rows of a table
NAMED = 8  # steps that are named of many
NOTE = "What was tried, not what came of it: no verdict depends on it."


class Done(Record):
    """What one attempt did, of one kind."""

    instance_id: str
    attempt: int
    conduct: Conduct


def done(attempts: Iterable[Attempt]) -> tuple[Done, ...]:
    """By kind, in the order of the attempts."""
    found = [
        Done(instance_id=attempt.instance_id, attempt=attempt.attempt, conduct=each)
        for attempt in attempts
        for each in attempt.conduct or ()
    ]
    order = list(ConductKind)
    return tuple(sorted(found, key=lambda each: order.index(each.conduct.kind)))


def numbered(conduct: Conduct) -> str:
    """Its steps, counted from 1 as `swerun show` does: `2, 5 and 3 more`."""
    more = len(conduct.steps) - NAMED
    named = ", ".join(str(index + 1) for index in conduct.steps[:NAMED])
    return f"{named} and {more:,} more" if more > 0 else named or "only in the patch"


def conduct_sheet(title: str, found: Sequence[Done]) -> Iterator[Sheet]:
    """None where there is nothing to tell."""
    rows = tuple(
        (
            IN_WORDS[each.conduct.kind],
            each.instance_id,
            str(each.attempt),
            numbered(each.conduct),
            each.conduct.example,
        )
        for each in found[:LISTED]
    )
    more = len(found) - LISTED
    notes = (NOTE, *([f"{more:,} more are in report.json."] if more > 0 else []))
    if rows:
        yield Sheet(
            title, ("the agent", "instance", "attempt", "steps", "for example"), rows, notes
        )
