"""A comparison as tables: the sides, the pairs, the groups, and who alone resolved what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from swerun.report.compare import Comparison, Figures, Pair, Rate
from swerun.report.curves import Curve, Point
from swerun.report.published import Headline
from swerun.report.sheet import Sheet, csv_text
from swerun.report.sides import Side, kinds_of

ABREAST = 3  # pairs that are columns; more of them are rows
MANY = 8  # sides that still fit beside one another; of more, the groups are in --json alone
UNKNOWN = "not known"


def sheets(comparison: Comparison) -> Iterator[Sheet]:
    marks = {side.name: mark(at) for at, side in enumerate(comparison.sides)}
    yield _sides(comparison, marks)
    if comparison.pairs:
        yield _pairs(comparison, marks)
        yield from _unlike(comparison.pairs, marks)
    yield from _groups(comparison, marks)
    yield from _alone(comparison, marks)


def mark(number: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    return "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[number % 26] + str(number // 26 or "")


def _sides(comparison: Comparison, marks: dict[str, str]) -> Sheet:
    sides = comparison.sides
    sure = f"{100 * comparison.confidence:.0f} %"
    rows = [
        ("", *(side.name for side in sides)),
        ("model", *(side.model for side in sides)),
        ("resolved / N", *(part(side.resolved) for side in sides)),
        (f"  {sure}, Wilson", *(between(side.resolved) for side in sides)),
        ("resolved / graded", *(part(side.graded) for side in sides)),
        (f"  {sure}, Wilson", *(between(side.graded) for side in sides)),
        ("cost", *(dollars(side.cost) for side in sides)),
        ("cost per resolved", *(dollars(side.cost_per_resolved) for side in sides)),
        ("tokens", *(_number(side.tokens) for side in sides)),
        ("steps", *(_number(side.steps) for side in sides)),
        ("time, summed", *(_hours(side.seconds) for side in sides)),
    ]
    if any(side.samples > 1 for side in sides):
        rows.append(("samples of each", *(str(side.samples) for side in sides)))
    rows = [row for row in rows if set(row[1:]) != {UNKNOWN} and row[1:] != rows[0][1:]]
    rows.insert(0, ("", *(side.name for side in sides)))
    made = Sheet("", ("", *(marks[side.name] for side in sides)), tuple(rows), _left_out(sides))
    number = f"{comparison.instances} instance{'' if comparison.instances == 1 else 's'} in common"
    made = made if len(sides) <= ABREAST + 1 else made.turned()
    return Sheet(number, made.headings, made.rows, made.notes)


def _left_out(sides: Sequence[Figures]) -> tuple[str, ...]:
    said = []
    for side in sides:
        if side.elsewhere:
            said.append(f"Left out: {side.elsewhere} of {side.name} that another has not done.")
        if side.undone:
            said.append(f"Not done yet: {side.undone} of {side.name}.")
    return tuple(said)


def _pairs(comparison: Comparison, marks: dict[str, str]) -> Sheet:
    sure = f"{100 * comparison.confidence:.0f} %"
    rows = [
        ("both", *(_count(p.both) for p in comparison.pairs)),
        ("only the first", *(_count(p.only_a) for p in comparison.pairs)),
        ("only the second", *(_count(p.only_b) for p in comparison.pairs)),
        ("neither", *(_count(p.neither) for p in comparison.pairs)),
        ("first - second, points", *(_points(p.difference) for p in comparison.pairs)),
        (f"  {sure}", *(_span(p) for p in comparison.pairs)),
        ("p, equally good", *(chance(p.p) for p in comparison.pairs)),
    ]
    if len(comparison.pairs) > 1:
        rows.append(("  Holm", *(chance(p.p_holm) for p in comparison.pairs)))
    rows += [
        ("significant from, points", *(_from(p.significant_from) for p in comparison.pairs)),
        ("found 4 times of 5 from", *(_from(p.detectable) for p in comparison.pairs)),
    ]
    names = tuple(f"{marks[p.a]} : {marks[p.b]}" for p in comparison.pairs)
    made = Sheet("In pairs", ("", *names), tuple(rows), tuple(_methods(comparison.pairs)))
    return made if len(names) <= ABREAST else made.turned()


def _methods(pairs: Sequence[Pair]) -> Iterator[str]:
    drawn = " or ".join(sorted({pair.drawn for pair in pairs}, reverse=True))
    tests = " or ".join(sorted({pair.test for pair in pairs}))
    drawing = "paired bootstrap of repositories" if "repository" in drawn else "adjusted Wald"
    if "instance" in drawn and "repository" in drawn:
        drawing += ", adjusted Wald where there are few"
    yield f"p: {tests}. Interval: {drawing}."
    if any("." in _count(pair.both) for pair in pairs):
        yield "Several samples: the four counts are means over all pairings of two samples."


def _unlike(pairs: Sequence[Pair], marks: dict[str, str]) -> Iterator[Sheet]:
    by_what: dict[str, list[str]] = {}
    for pair in pairs:
        for what in pair.unlike:
            by_what.setdefault(what, []).append(f"{marks[pair.a]} : {marks[pair.b]}")
    notes = tuple(f"{_those(found)}  {what}" for what, found in by_what.items())
    if notes:
        yield Sheet("Not only the model differs", (), (), notes)


def _those(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= ABREAST else f"{len(names)} pairs"


def _groups(comparison: Comparison, marks: dict[str, str]) -> Iterator[Sheet]:
    if len(comparison.sides) > MANY:
        return
    heads = ("instances", *(marks[side.name] for side in comparison.sides))
    for by in dict.fromkeys(group.by for group in comparison.groups):
        rows = tuple(
            (group.name, str(group.instances), *(f"{100 * rate:.1f} %" for rate in group.rates))
            for group in comparison.groups
            if group.by == by
        )
        yield Sheet("", (by, *heads), rows)


def _alone(comparison: Comparison, marks: dict[str, str]) -> Iterator[Sheet]:
    notes = tuple(
        f"{marks[side.name]} alone ({len(side.alone)}): {', '.join(side.alone)}"
        for side in comparison.sides
        if side.alone
    )
    if len(comparison.sides) > 1 and notes:
        yield Sheet("Resolved by one alone", (), (), notes)


def headline_sheet(found: Iterable[Headline]) -> Sheet:
    headings = ("model", "subset", "resolved", "scaffold", "limits", "date", "source", "note")
    rows = tuple(
        (
            *(each.model, each.subset, f"{each.resolved:.1f} %", each.scaffold, each.limits),
            *(each.date.isoformat(), each.source, each.note),
        )
        for each in found
    )
    note = "Of other scaffolds, limits and dates: not measured here, and not paired with any run."
    return Sheet("Published scores", headings, rows, (note,))


def curve_sheet(found: Curve) -> Sheet:
    unit = "$" if found.by == "cost" else ""
    headings = (f"limit, {found.by}", "resolved", "rate", "ended by it", "tokens", "cost")
    rows = tuple((f"{unit}{p.limit:g}", *_point(p)) for p in found.points)
    notes = ["An attempt that went further counts as not resolved: a lower bound."]
    if found.unknown:
        notes.append(f"Of {found.unknown} of {found.n} samples nobody knows what they took.")
    return Sheet(f"{found.name}, of {found.n} samples", headings, rows, tuple(notes))


def _point(point: Point) -> tuple[str, ...]:
    counted = (str(point.resolved), f"{100 * point.rate:.1f} %", str(point.ended))
    return (*counted, _number(point.tokens), dollars(point.cost))


def curves_csv(found: Sequence[Curve]) -> str:
    headings = ("name", "by", "limit", "n", "resolved", "rate", "ended", "tokens", "cost")
    rows = [
        (c.name, c.by, p.limit, c.n, p.resolved, p.rate, p.ended, p.tokens, p.cost)
        for c in found
        for p in c.points
    ]
    return csv_text(headings, rows)


def instances_csv(sides: Sequence[Side], ids: Sequence[str]) -> str:
    """A row an instance: of each side the part of its samples that was resolved, 0 to 1."""
    kinds = kinds_of(sides, ids)
    rows = (
        (i, kinds[i].repo, kinds[i].difficulty, *(f"{side.rate(i):.4g}" for side in sides))
        for i in ids
    )
    headings = ("instance_id", "repository", "difficulty", *(side.name for side in sides))
    return csv_text(headings, rows)


def dollars(amount: float | None) -> str:
    """Whole cents, or where there are few two digits."""
    if amount is None:
        return UNKNOWN
    return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.2g}"


def chance(p: float | None) -> str:
    if p is None:
        return ""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.1g}"


def part(rate: Rate) -> str:
    return f"{rate.part}/{rate.whole} = {100 * rate.rate:.1f} %" if rate.whole else "none"


def between(rate: Rate) -> str:
    return f"{100 * rate.low:.1f} to {100 * rate.high:.1f} %" if rate.whole else ""


def _count(number: float) -> str:
    return f"{number:.0f}" if abs(number - round(number)) < 1e-6 else f"{number:.1f}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.1f}"


def _span(pair: Pair) -> str:
    return f"{_points(pair.low)} to {_points(pair.high)}"


def _from(difference: float | None) -> str:
    return "no difference" if difference is None else f"{100 * difference:.1f}"


def _number(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"


def _hours(seconds: float | None) -> str:
    if seconds is None:
        return UNKNOWN
    return f"{seconds / 3600:,.1f} h" if seconds >= 3600 else f"{seconds / 60:.1f} min"
