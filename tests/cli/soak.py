"""Runs that are killed again and again, at random moments, and what must be true of them still.

    python -m tests.cli.soak [--kills 50] [--seed N]

`make soak`. In a round a run (or two side by side, or two samples of each) is killed by SIGKILL,
stopped by SIGTERM or SIGINT, or has one of its containers killed, and is gone on with by the same
command until nothing is left of it; then it is looked at. Prints a line for each kill and ends with
a table; the exit code is 1 where anything was lost, made twice or left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from swerun.sandbox.client import connect
from tests.cli.soak_checks import facts
from tests.cli.soak_endpoint import Known, recorded_endpoint
from tests.cli.soak_round import MODELS, Expected, Round, Shape
from tests.cli.swerun_process import Swerun

if TYPE_CHECKING:
    from docker import DockerClient

MOST = 8  # kills in a round
SHAPES = (Shape(MODELS[:1], jobs=3), Shape(), Shape(samples=2))


@dataclass
class Soak:
    """Rounds, one after the other."""

    engine: DockerClient
    known: Known
    chance: random.Random
    expected: Expected
    say: Callable[[str], None]
    rounds: list[Round] = field(default_factory=list)
    compared: int = 0

    def play(self, kills: int, shapes: Sequence[Shape], root: Path) -> list[str]:
        """Rounds of these shapes, in turn, until there were so many kills: all that was wrong."""
        while (left := kills - self.killed.total()) > 0:
            number = len(self.rounds)
            played = self._round(shapes[number % len(shapes)], root / str(number), min(left, MOST))
            if not played.killed and played.faults:
                break  # it does not even begin
        return [fault for played in self.rounds for fault in played.faults]

    @property
    def killed(self) -> Counter[str]:
        return sum((played.killed for played in self.rounds), Counter())

    def _round(self, shape: Shape, folder: Path, kills: int) -> Round:
        folder.mkdir(parents=True)
        played = Round(shape, Swerun(folder), self.engine, self.known, self.chance, self.say)
        self.rounds.append(played)
        reports = played.play(kills)
        self.compared += played.compare(reports, self.expected)
        for fault in played.faults:
            self.say(f"FAULT: {fault}")
        return played


def expected_of(reports: Sequence[Mapping]) -> Expected:
    """What an undisturbed run of the recordings comes to, by its reports."""
    return {
        (report["model"].removeprefix("demo/"), row["instance_id"]): facts(row)
        for report in reports
        for row in report["rows"]
    }


def undisturbed(folder: Path) -> Expected:
    folder.mkdir(parents=True)
    models = [word for model in MODELS for word in ("--model", f"demo/{model}")]
    done = Swerun(folder)(*models, "--json")
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return expected_of(json.loads(done.stdout))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    print(f"seed {given.seed}")
    chance, engine, began = random.Random(given.seed), connect(os.environ), time.monotonic()
    with TemporaryDirectory() as root, recorded_endpoint(random.Random(given.seed)) as known:
        expected = undisturbed(Path(root) / "undisturbed")
        soak = Soak(engine, known, chance, expected, lambda line: print(line, flush=True))
        faults = soak.play(given.kills, SHAPES, Path(root))
    tell(soak, len(faults), time.monotonic() - began)
    return 1 if faults else 0


def tell(soak: Soak, faults: int, seconds: float) -> None:
    """The table at the end."""
    killed = soak.killed
    kept = [path for played in soak.rounds for path in played.kept]
    rows = [
        ("kills", f"{killed.total()}: " + ", ".join(f"{n} {kind}" for kind, n in killed.items())),
        ("rounds", ", ".join(played.shape.name for played in soak.rounds)),
        ("attempts done", sum(path.endswith("attempt.json") for path in kept)),
        ("attempts begun", sum(path.endswith("started.json") for path in kept)),
        ("replies asked for", soak.known.numbers),
        ("of them in flight at kills, and so in no step", sum(r.lost for r in soak.rounds)),
        ("rows as of an undisturbed run", soak.compared),
        ("containers killed under an agent", sum(len(r.touched) for r in soak.rounds)),
        ("seconds", round(seconds)),
        ("faults", faults),
    ]
    for what, figure in rows:
        print(f"{what:46} {figure}")


if __name__ == "__main__":
    sys.exit(main())
