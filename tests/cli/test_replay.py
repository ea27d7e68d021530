"""Recorded attempts that are done again without an endpoint: processes, real containers."""

from __future__ import annotations

import json

import pytest

from swerun.instances.subsets import load_instances
from tests.cli.scripted import Script
from tests.cli.swerun_process import containers_of
from tests.fakes import files_below
from tests.models.endpoint import answering

pytestmark = pytest.mark.docker
IDS = [instance.id for instance in load_instances("sample")][:2]
COMMANDS = ("mkdir made", "date +%s%N >made/when && cat made/when", "echo two >made/a.txt")


def contents(folder):
    return {name: (folder / name).read_bytes() for name in files_below(folder)}


@pytest.fixture
def recorded(swerun, base_image):
    """A run whose second step comes out otherwise each time, and whose endpoint is gone."""
    with answering(Script(COMMANDS)) as server:
        done = swerun("--model", "m", "--base-url", server.url, "-i", IDS[0], "--run", "timely")
    assert done.returncode == 0, done.stderr
    return swerun.folder / "runs" / "timely"


def test_what_is_done_again_is_the_same_where_nothing_depends_on_the_moment(
    swerun, engine, base_image
):
    done = swerun("--model", "demo/handwritten", "-i", IDS[0], "-i", IDS[1], "--run", "again")
    assert done.returncode == 0, done.stderr
    run = swerun.folder / "runs" / "again"
    before = contents(run)
    replayed = swerun("replay", "again")
    assert replayed.returncode == 0, replayed.stderr
    assert sorted(replayed.stdout.splitlines()) == [
        f"{instance_id}  attempt 1  same patch" for instance_id in IDS
    ]
    assert contents(run) == before
    assert containers_of(engine, "again") == []


def test_where_it_goes_another_way_each_step_is_told_and_whether_the_patch_differs(
    swerun, recorded
):
    done = swerun("replay", "timely", IDS[0])
    assert done.returncode == 1, done.stderr
    said, step = done.stdout.splitlines()
    assert said.startswith(f"{IDS[0]}  attempt 1  another patch (")
    assert said.endswith("; 1 of 4 steps went another way")
    assert step.strip().startswith("step 2 differs: recorded: ")
    (row,) = json.loads(swerun("replay", "timely", "--json").stdout)
    assert (row["same"], row["same_patch"], row["done"], row["steps"]) == (False, False, 4, 4)
    (difference,) = row["differences"]
    assert difference["step"] == 2
    assert difference["recorded"] != difference["now"]
    assert row["patch"] != (recorded / "attempts" / IDS[0] / "1" / "patch.diff").read_text()


def test_what_cannot_be_done_again_is_told_with_the_reason(swerun, base_image):
    assert swerun("--model", "gold", "-i", IDS[0], "--run", "given").returncode == 0
    for command, said in (
        (("replay", "given"), "the patches were given"),
        (("replay", "given", "nothing-like-it"), "no instance is called"),
        (("replay", "given", "--attempt", "7"), f"of {IDS[0]} there are 1"),
        (("replay", "nowhere"), "there is no run 'nowhere'"),
    ):
        done = swerun(*command)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
