"""What is found out about the machine: by table, and by this one's engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from swerun.doctor.machine import (
    GIB,
    driver,
    examined,
    folder,
    left_behind,
    power,
    room,
)
from swerun.sandbox.containers import DAY, Leftover

HOST = "here"
NOW = 10 * DAY


def container(owner, created=NOW, run="r"):
    return Leftover(f"id-{owner}", "name", run, owner, "i", "running", created)


@pytest.fixture
def gone():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_what_is_left_behind_is_removed_only_where_that_is_asked_for(gone):
    mine, theirs = container(f"{HOST}:{os.getpid()}"), container(f"{HOST}:{gone}", run="old")
    removed = []
    others, left = left_behind([mine, theirs], HOST, NOW)
    assert (others.state, left.state) == ("good", "poor")
    assert "old" in left.said
    assert "--reap" in left.advice
    (_, left) = left_behind([mine, theirs], HOST, NOW, removed.extend)
    assert removed == [theirs.id]
    assert left.state == "good"


def test_where_nothing_is_left_behind_nothing_is_removed():
    (left,) = left_behind([], HOST, NOW, lambda _: pytest.fail("of what?"))
    assert (left.said, left.state) == ("nothing", "good")


@pytest.mark.parametrize(
    ("finding", "state"),
    [
        (driver("overlay2"), "good"),
        (driver("vfs"), "poor"),
        (power(8, 32 * GIB), "good"),
        (power(2, 2 * GIB), "poor"),
        (room("/no/such/folder"), "unknown"),
        (room(""), "unknown"),
    ],
)
def test_what_makes_runs_slow_is_said(finding, state):
    assert finding.state == state
    assert bool(finding.advice) is (state == "poor")


def test_a_cache_that_cannot_be_written_is_bad(tmp_path):
    assert folder(tmp_path / "a" / "b").state == "good"
    assert not (tmp_path / "a").exists()
    if os.geteuid():  # root may write anywhere
        assert folder(Path("/proc/cache")).state == "bad"


@pytest.mark.docker
def test_this_engine_has_a_version_a_driver_cores_and_room(engine, tmp_path):
    found = {finding.name: finding for finding in examined(engine, tmp_path)}
    assert list(found) == [
        "engine",
        "storage driver",
        "disk",
        "cores and memory",
        "base image",
        "cache",
    ]
    assert engine.version()["Version"] in found["engine"].said
    assert found["engine"].state == "good"
