"""Options that several commands have, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Option

Runs = Annotated[Path, Option("--runs", help="Where runs are kept.")]
RUNS = Path("runs")
Json = Annotated[bool, Option("--json", help="Print JSON.")]
Cache = Annotated[Path | None, Option("--cache", help="[~/.cache/swerun]")]
# of a run that there is
SubsetNow = Annotated[
    str | None, Option("--subset", help="Where the run's instances are now.  [as it was]")
]
SplitNow = Annotated[str | None, Option("--split", help="Of the subset.  [as it was]")]
