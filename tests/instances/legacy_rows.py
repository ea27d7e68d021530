"""What swerun derives for rows that lack the columns of SWE-bench 5, beside the rows' own columns.

    python -m tests.instances.legacy_rows

Prints a row a repository, and every difference, over the published rows of Verified and of Lite
that are beside the project (`../shared/data`).
"""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from swerun.instances.legacy import LegacyRow, derived

DATA = Path(__file__).parents[3] / "shared" / "data"
COLUMNS = ("eval_script", "log_parser", "eval_type", "image")


@dataclass(frozen=True, slots=True)
class Difference:
    repo: str
    version: str
    kind: str  # the column; of the script its lines: - where only swerun has one, + where the row


def published() -> dict[str, list[dict[str, str]]]:
    """Verified, and of Lite what is not in it."""
    from pyarrow import parquet

    verified, lite = (
        parquet.read_table(DATA / f"swe-bench-{name}.parquet").to_pylist()
        for name in ("verified", "lite")
    )
    known = {row["instance_id"] for row in verified}
    return {"verified": verified, "lite": [r for r in lite if r["instance_id"] not in known]}


def stripped(row: dict[str, str]) -> LegacyRow:
    """A row as older releases have it: what is new in it is not even looked at."""
    return LegacyRow(**{field: row[field] for field in LegacyRow.__dataclass_fields__})


def differences(row: dict[str, str]) -> list[Difference]:
    made = derived(stripped(row))
    found = []
    for column in COLUMNS:
        ours, own = str(getattr(made, column)), row[column]
        if ours != own:
            lines = list(difflib.ndiff(ours.split("\n"), own.split("\n")))
            changed = [line for line in lines if line[0] in "-+"] if column == COLUMNS[0] else []
            found.append(Difference(row["repo"], row["version"], " | ".join([column, *changed])))
    return found


def table() -> str:
    rows = [row for part in published().values() for row in part]
    found = [difference for row in rows for difference in differences(row)]
    by_repo, differing = Counter(r["repo"] for r in rows), Counter(d.repo for d in found)
    lines = [f"{'repository':<28}{'rows':>6}{'differ':>8}"]
    lines += [f"{repo:<28}{n:>6}{differing[repo]:>8}" for repo, n in sorted(by_repo.items())]
    lines += [f"{'all':<28}{len(rows):>6}{len(found):>8}"]
    return "\n".join([*lines, *(f"{d.repo} {d.version}: {d.kind}" for d in found)])


if __name__ == "__main__":
    print(table())  # noqa: T201 -- what it is for
