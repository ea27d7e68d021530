"""Patches that fix nothing and want to be resolved: table.csv says what each does, a .diff each."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Cheat:
    """Of an instance of the sample; `what` says in words how it wants to be resolved, `official`
    what swebench 5.0.2 made of it (benchmarks/cheats.py)."""

    name: str
    instance: str
    what: str
    official: str

    @property
    def patch(self) -> bytes:
        return (FOLDER / f"{self.name}.diff").read_bytes()


def cheats() -> list[Cheat]:
    with (FOLDER / "table.csv").open(newline="") as file:
        return [Cheat(*row) for row in list(csv.reader(file))[1:]]
