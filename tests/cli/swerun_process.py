"""swerun as its users have it: a process of its own, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SECRETS = {"OPENAI_API_KEY", "OPENAI_BASE_URL"}


@dataclass(frozen=True)
class Swerun:
    folder: Path

    def start(self, *args: str, **environment: str) -> subprocess.Popen[str]:
        clean = {k: v for k, v in os.environ.items() if k not in SECRETS}
        return subprocess.Popen(
            [sys.executable, "-m", "swerun", *args],
            cwd=self.folder,
            # a home of its own: no grade comes from the cache of an earlier test
            env=clean | {"COLUMNS": "160", "HOME": str(self.folder)} | environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def __call__(self, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*args, **environment)
        try:
            out, err = process.communicate(timeout=600)
        finally:
            process.kill()  # of one that has ended nothing is left to kill
        return subprocess.CompletedProcess(args, process.returncode, out, err)

    def runs(self) -> list[Path]:
        return sorted(p.parent for p in self.folder.glob("runs/*/run.json"))

    def attempts(self) -> Iterator[dict]:
        for path in sorted(self.folder.glob("runs/*/attempts/*/*/attempt.json")):
            yield json.loads(path.read_text())


def containers_of(engine, run: str) -> list:
    """Those of all runs of this name, in whatever folder."""
    found = engine.containers.list(all=True, filters={"label": "swerun.run"}, ignore_removed=True)
    return [one for one in found if one.labels["swerun.run"].startswith(run)]
