"""A wheel carries what it needs: the sample, the recordings, the base's Dockerfile, the prompts."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent


@pytest.mark.index
@pytest.mark.docker
def test_a_wheel_in_a_fresh_environment_resolves_the_samples_gold(tmp_path, base_image):
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path]
    subprocess.run([*build, PROJECT], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "fresh", with_pip=True)
    bin_ = tmp_path / "fresh" / "bin"
    subprocess.run([bin_ / "pip", "install", "-q", wheel], check=True)
    empty = tmp_path / "empty"
    empty.mkdir()
    ran = subprocess.run(
        [bin_ / "swerun", "--model", "gold", "--model", "demo/handwritten", "--json"],
        cwd=empty,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    gold, handwritten = json.loads(ran.stdout)
    assert gold["resolved"] == gold["n"] >= 8
    assert 0 < handwritten["resolved"] < handwritten["n"]
