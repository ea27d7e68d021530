"""Runs that are killed at random moments, a few times; `make soak` does it fifty times."""

from __future__ import annotations

import random

import pytest

from swerun.instances.subsets import load_instances
from tests.cli.soak import Soak, expected_of
from tests.cli.soak_endpoint import recorded_endpoint
from tests.cli.soak_round import Shape

pytestmark = pytest.mark.docker
IDS = [instance.id for instance in load_instances("sample")]
TWO_OF_EACH = Shape(samples=2, ids=IDS[:3])  # two models side by side
KILLS = 4


def test_a_run_that_is_killed_at_any_moment_loses_nothing_and_makes_nothing_twice(
    side_by_side, engine, tmp_path
):
    expected = expected_of(side_by_side.reports.values())
    with recorded_endpoint(random.Random(7)) as known:
        soak = Soak(engine, known, random.Random(7), expected, print)
        assert soak.play(KILLS, [TWO_OF_EACH], tmp_path) == []
    assert soak.killed.total() == KILLS
    assert soak.compared > 0
