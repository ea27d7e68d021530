from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from tests.cli.swerun_process import Swerun
from tests.images.conftest import front, named, registry

__all__ = ["front", "named", "registry", "swerun"]


@pytest.fixture
def swerun(tmp_path):
    return Swerun(tmp_path)


@dataclass(frozen=True)
class SideBySide:
    """What one command made of several models on the whole sample."""

    swerun: Swerun
    reports: dict[str, dict]  # by model


@pytest.fixture(scope="session")
def side_by_side(base_image, tmp_path_factory):
    """Runs that nobody disturbs, for whoever reads them."""
    swerun = Swerun(tmp_path_factory.mktemp("side-by-side"))
    models = ("gold", "empty", "demo/handwritten", "demo/qwen2.5-coder-1.5b")
    done = swerun(*(word for model in models for word in ("--model", model)), "--json")
    assert done.returncode == 0, done.stderr
    reports = json.loads(done.stdout)
    assert [report["model"] for report in reports] == list(models)
    return SideBySide(swerun, {report["model"]: report for report in reports})
