"""A run's report as a page to hand on: what came of it, where, and what it asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from swerun.records import Outcome, RunRecord
from swerun.report.compare import Rate, rate_of
from swerun.report.compare_sheets import between, part
from swerun.report.conduct import conduct_sheet
from swerun.report.sheet import Sheet
from swerun.report.summary import Report, Row
from swerun.report.why import Why
from swerun.report.why_sheets import tallies_sheet
from swerun.runs.questions import flat

INTERVAL = "95 %, Wilson"
LEFT_OUT = {"model", "asked_for"}  # of the question: the title has it


def page(
    report: Report, run: RunRecord, found: Why, figures: Iterable[tuple[str, str]]
) -> Iterator[Sheet]:
    """`figures` are what else there is to say of the whole, each with what it is."""
    overall, graded = rate(report.rows), rate(report.rows, graded=True)
    intervals = {"resolved / N": between(overall), "resolved / graded": between(graded)}
    rows = list[tuple[str, str]]()
    for label, figure in figures:
        rows.append((label, figure))
        if label in intervals:
            rows.append((INTERVAL, intervals[label]))
    title = f"{report.model} on {report.subset}: {part(overall)} resolved"
    yield Sheet(title, ("", report.run), tuple(rows), (report.note,) if report.note else ())
    yield tallies_sheet("Outcomes", "outcome, cause", found.causes)
    yield from conduct_sheet("What the agents did", found.conduct)
    yield from _repositories(report.rows, run)
    yield _question(run, report.rule)


def rate(rows: Iterable[Row], *, graded: bool = False) -> Rate:
    """Over everything asked, or over what got a verdict."""
    seen: dict[str, list[bool]] = {}
    for row in rows:
        if not graded or (row.outcome and row.outcome.is_verdict):
            seen.setdefault(row.instance_id, []).append(row.outcome is Outcome.RESOLVED)
    return rate_of(seen.values())


def _repositories(rows: Sequence[Row], run: RunRecord) -> Iterator[Sheet]:
    """The largest first; nothing of a run of an earlier version, which did not say."""
    repo_of = {i: group.repo for group in run.members for i in group.instances}
    groups: dict[str, list[Row]] = {}
    for row in rows:
        if row.instance_id in repo_of:
            groups.setdefault(repo_of[row.instance_id], []).append(row)
    if groups:
        made = (
            (repo, str(len({row.instance_id for row in of})), part(rate(of)), between(rate(of)))
            for repo, of in sorted(groups.items(), key=lambda each: (-len(each[1]), each[0]))
        )
        yield Sheet(
            "Repositories", ("repository", "instances", "resolved / N", INTERVAL), tuple(made)
        )


def _question(run: RunRecord, rule: str) -> Sheet:
    """What has to be the same for two runs to be of one question."""
    asked = tuple(
        (key, _text(value))
        for key, value in flat(run.question).items()
        if key not in LEFT_OUT and value not in ("", [], {})
    )
    by = ", ".join(dict.fromkeys(f"swerun {session.swerun}" for session in run.sessions))
    notes = (
        f"Fingerprint: {run.fingerprint}",
        f"What counts: {rule}.",
        f"Made by {by}." if by else "",
    )
    rows = (("subset", run.source or run.subset), *asked)
    return Sheet("Question", ("key", "value"), rows, tuple(filter(None, notes)))


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
