"""`swerun compare`: runs, and what others published, side by side and in pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swerun.cli.exits import explained
from swerun.cli.options import RUNS, Json, Runs
from swerun.cli.printable import printable

if TYPE_CHECKING:
    from swerun.report.compare import Comparison
    from swerun.report.curves import By, Curve
    from swerun.report.published import Headline
    from swerun.report.sides import Side

Opt = typer.Option
HEADLINES = "headlines"  # of --published: the scores that ship with swerun
PUBLISHED = "A leaderboards.json, a .csv, or headlines: the few scores that swerun knows."


def compare(
    names: Annotated[list[str] | None, typer.Argument(metavar="RUN...", show_default=False)] = None,
    runs: Runs = RUNS,
    published: Annotated[list[str] | None, Opt("--published", help=PUBLISHED)] = None,
    rows: Annotated[
        list[str] | None, Opt("--row", help="Only these of what is published; globs are fine.")
    ] = None,
    curve: Annotated[
        str | None, Opt("--curve", help="steps or cost: what a lower limit would have left.")
    ] = None,
    strict: Annotated[
        bool, Opt("--strict", help="Refuse runs that differ in more than the model.")
    ] = False,
    as_md: Annotated[bool, Opt("--md", help="Print markdown.")] = False,
    as_csv: Annotated[
        bool, Opt("--csv", help="Print CSV, a row an instance (or a limit).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compare runs on the instances they have in common."""
    with explained():
        from swerun.errors import InputError

        if as_md + as_csv + as_json > 1:
            raise InputError("--md, --csv and --json are three ways to print one thing: give one")
        form = next((f for f, on in (("md", as_md), ("csv", as_csv), ("json", as_json)) if on), "")
        files = [file for file in published or [] if file != HEADLINES]
        sides = [*_runs(names or [], runs), *_published(files, rows or [])]
        if curve:
            _print_curves(list(_curves(sides, curve, runs)), form)
            return
        headlines = HEADLINES in (published or [])
        if len(sides) < 2 and not headlines:
            raise InputError("compare takes two runs or more, or one and --published FILE")
        if strict:
            _refuse_unlike(sides)
        _print(sides, headlines, form)


def _runs(names: Sequence[str], runs: Path) -> Iterator[Side]:
    from swerun.errors import InputError
    from swerun.report.derived import side
    from swerun.runs.store import open_run

    stores = [open_run(name, runs) for name in names]
    for store in stores:
        if [other.name for other in stores].count(store.name) > 1:
            raise InputError(f"{store.name} is named twice: a run is not compared with itself")
        yield side(store)


def _published(files: Sequence[str], rows: Sequence[str]) -> Iterator[Side]:
    from swerun.errors import InputError
    from swerun.report.published import chosen, read_published

    if rows and not files:
        raise InputError(f"--row {rows[0]} is of a file: name it with --published FILE")
    found = [read_published(Path(file)) for file in files]
    yield from chosen([side for each in found for side in each.sides], rows)
    bare = sum(each.bare for each in found)
    if bare:
        typer.echo(f"{bare} published rows do not say what became of each instance", err=True)


def _refuse_unlike(sides: Sequence[Side]) -> None:
    from itertools import combinations

    from swerun.errors import InputError
    from swerun.report.compare import unlike

    found = [
        f"{a.name}, {b.name}: {what}" for a, b in combinations(sides, 2) for what in unlike(a, b)
    ]
    if found:
        raise InputError("--strict: not only the model differs\n" + "\n".join(found))


def _curves(sides: Sequence[Side], by: str, runs: Path) -> Iterator[Curve]:
    from swerun.errors import InputError
    from swerun.report.curves import curve
    from swerun.report.derived import spent
    from swerun.runs.store import open_run

    if by not in {"steps", "cost"}:
        raise InputError(f"--curve {by}: it is of steps or of cost")
    if not sides:
        raise InputError("--curve is of runs, or of --published FILE: name one")
    kind: By = "steps" if by == "steps" else "cost"
    for side in sides:
        yield curve(side, kind, spent(open_run(side.name, runs)) if side.run else None)


def _print_curves(found: Sequence[Curve], form: str) -> None:
    from rich.console import Console

    from swerun.cli.sheets import print_sheets
    from swerun.report.compare_sheets import curve_sheet, curves_csv
    from swerun.report.sheet import markdown

    if form == "json":
        print(json.dumps([each.model_dump(mode="json") for each in found], indent=1))
    elif form == "csv":
        print(printable(curves_csv(found)), end="")
    elif form == "md":
        print(printable(markdown(map(curve_sheet, found))))
    else:
        print_sheets(map(curve_sheet, found), Console())


def _print(sides: Sequence[Side], headlines: bool, form: str) -> None:
    from rich.console import Console

    from swerun.cli.sheets import print_sheets
    from swerun.report.compare import common, compared
    from swerun.report.compare_sheets import headline_sheet, instances_csv, sheets
    from swerun.report.published import headlines as shipped
    from swerun.report.sheet import markdown

    made = compared(sides) if len(sides) > 1 else None
    known = list(shipped()) if headlines else []
    if form == "json":
        print(json.dumps(_whole(made, known), indent=1))
        return
    if form == "csv":
        print(printable(instances_csv(sides, common(sides))), end="")
        return
    shown = [*(sheets(made) if made else ()), *([headline_sheet(known)] if known else [])]
    if form == "md":
        print(printable(markdown(shown)))
    else:
        print_sheets(shown, Console())


def _whole(made: Comparison | None, known: Sequence[Headline]) -> dict[str, object]:
    whole = made.model_dump(mode="json") if made else {}
    return whole | ({"headlines": [h.model_dump(mode="json") for h in known]} if known else {})
