"""A run on a machine whose clock jumps, and what its records say."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from swerun.instances.subsets import load_instances
from tests.fakes import files_below

ID = load_instances("sample")[0].id


@pytest.mark.docker
def test_a_clock_that_jumps_by_days_ends_nothing_and_makes_no_duration_wrong(tmp_path, base_image):
    def swerun(*args):
        return subprocess.run(
            [sys.executable, "-m", "tests.cli.jumping_clock", *args, "--runs", str(tmp_path)],
            cwd=Path(__file__).parents[2],
            text=True,
            capture_output=True,
        )

    command = ("--model", "demo/handwritten", "-i", ID, "--run", "jumping", "--json")
    command += ("--cache", str(tmp_path / "cache"))
    done = swerun(*command)
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)
    (path,) = tmp_path.glob(f"jumping/attempts/{ID}/*/attempt.json")
    attempt = json.loads(path.read_text())
    steps = map(json.loads, (path.parent / "steps.jsonl").read_text().splitlines())
    said = [attempt["started_at"], attempt["finished_at"], *(step["at"] for step in steps)]
    moments = sorted(map(datetime.fromisoformat, said))
    assert moments[-1] - moments[0] > timedelta(hours=12), "the clock did jump"
    for seconds in ("seconds", "solve_seconds", "grade_seconds"):
        assert 0 < attempt[seconds] < 600
    assert (attempt["stop"], attempt["failure"]) == ("submitted", None)
    assert report["outcomes"] == {attempt["outcome"]: 1}
    before = set(files_below(tmp_path / "jumping"))
    assert swerun(*command).returncode == 0
    assert set(files_below(tmp_path / "jumping")) == before, "nothing is made again"
    assert swerun("show", "jumping", ID).returncode == 0
