"""Grades in words, and what became of them when their logs were judged again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from swerun.cli.printable import plain

if TYPE_CHECKING:
    from rich.table import Table

    from swerun.records import Grade, TestStatus
    from swerun.regrade import Change, Regraded

NAMED = 3  # tests that are named of a change


def in_words(grade: Grade) -> Iterator[str]:
    """What a grade says, a line each: why, which expected tests failed, which are flaky."""
    if grade.detail:
        yield grade.detail
    if grade.cached:
        yield f"these tests ran before, on {grade.made_on} at {grade.made_at:%Y-%m-%d %H:%M} UTC"
    for test in grade.failing:
        yield f"{test.group}  {test.name}  {_status(test.status)}"
    yield from _integrity(grade)
    for each in grade.flaky:
        seen = ", ".join(map(_status, each.outcomes))
        yield f"flaky: {each.group}  {each.name}  {seen}"


def _integrity(grade: Grade) -> Iterator[str]:
    """What could decide outcomes in the patch, and what came of looking again."""
    for flag in grade.flags:
        what = " ".join(filter(None, (flag.path, flag.line)))
        yield f"flagged: {flag.rule}  {what}"
    if grade.strict is None:
        return
    if grade.strict.left_out:
        yield f"strict rule: without {', '.join(grade.strict.left_out)}"
    on = ", ".join(grade.strict.means) or "nothing: there was no way to look again"
    yield f"strict rule: {'resolved' if grade.strict.resolved else 'not resolved'}, by {on}"
    yield from (f"suspect: {reason}" for reason in grade.strict.reasons)


def gist(found: Regraded) -> str:
    """How many logs were judged again, in one line."""
    logs = f"{found.judged} log{'' if found.judged == 1 else 's'} judged again"
    without = f"; {found.without} as before: no log decides them" if found.without else ""
    changed = f"{len(found.changes)} changed" if found.changes else "nothing changed"
    return f"{logs}: {changed}{without}"


def changes(found: Sequence[Change]) -> Table:
    """A row each: what a grade was, what it is, and the tests that made the difference."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("instance", "attempt", "was", "is", "tests that differ"):
        made.add_column(heading, overflow="fold")
    for each in found:
        more = len(each.tests) - NAMED
        tests = ", ".join(each.tests[:NAMED]) + (f" and {more} more" if more > 0 else "")
        row = (each.instance_id, str(each.attempt), _verdict(each.old), _verdict(each.new), tests)
        made.add_row(*map(plain, row))
    return made


def _verdict(grade: Grade) -> str:
    return grade.reason.value.replace("_", " ")


def _status(status: TestStatus | None) -> str:
    return status.value if status else "not in the log"
