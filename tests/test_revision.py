"""A run of a dataset of the hub stays with the commit that it began with."""

from __future__ import annotations

from threading import Event

import pytest

from swerun.config import RunConfig
from swerun.errors import InputError
from swerun.records import Limits, Selection
from swerun.revision import gone_on_with, pinned, unpinned
from swerun.runs.store import open_or_create, open_run
from swerun.session import prepared
from tests.instances.hub_server import serving
from tests.instances.some_rows import parquet, v5
from tests.report.test_summary import a_run

FILE = "data/test-00000-of-00001.parquet"


@pytest.mark.parametrize(
    ("source", "commit"),
    [("org/name@abc", "abc"), ("rows.parquet", ""), ("a@b/rows.parquet", ""), ("", "")],
)
def test_a_commit_is_what_a_source_of_the_hub_ends_with(source, commit):
    assert pinned(source) == commit


@pytest.mark.parametrize(
    ("subset", "bare"),
    [
        ("verified@v1", "verified"),
        ("org/name@abc", "org/name"),
        ("org/name", "org/name"),
        ("a@b/rows.parquet", "a@b/rows.parquet"),
    ],
)
def test_a_revision_is_no_part_of_a_name(subset, bare):
    assert unpinned(subset) == bare


def test_a_run_is_gone_on_with_where_all_but_the_data_is_asked_the_same(tmp_path):
    run = a_run("a").model_copy(update={"subset": "org/name", "source": "org/name@abc"})
    for name, changes in {
        "m--name--1": {},
        "m--name--2": {"source": ""},
        "m--name--3": {"subset": "org/other"},
        "m--name--4": {"question": run.question.model_copy(update={"limits": Limits(steps=1)})},
        "m--name--5": {"question": run.question.model_copy(update={"dataset_hash": "1"})},
        "m--name--6": {"question": run.question.model_copy(update={"grade_network": "bridge"})},
        "other--name--7": {},
    }.items():
        open_or_create(tmp_path, run.model_copy(update={"name": name} | changes))
    config = RunConfig(model=("m",), subset="org/name", runs=tmp_path)
    asked = run.question.model_copy(update={"dataset_hash": "", "grade_network": ""})
    found = {each.name for each in gone_on_with(config, "m--name--", asked)}
    assert found == {"m--name--1", "m--name--5", "m--name--6"}
    named = config.model_copy(update={"run": "m--name--4"})
    assert [r.name for r in gone_on_with(named, "m--name--4", asked)] == ["m--name--4"]
    networked = config.model_copy(update={"grade_network": "none"})
    asked = asked.model_copy(update={"grade_network": "none"})
    found = {each.name for each in gone_on_with(networked, "m--name--", asked)}
    assert found == {"m--name--1", "m--name--5"}
    fresh = config.model_copy(update={"fresh": True})
    assert gone_on_with(fresh, "m--name--", asked) == []


class Command:
    """`swerun --model empty --subset org/name`, up to where attempts would begin."""

    def __init__(self, hub, folder):
        self.hub, self.folder, self.said = hub, folder, []

    def __call__(self, **changes):
        given = {"model": ("empty",), "subset": "org/name"} | changes
        config = RunConfig(runs=self.folder / "runs", cache=self.folder / "cache", **given)
        self.said.clear()
        with prepared(config, {"HF_ENDPOINT": self.hub.url}, Event(), self.said.append) as session:
            ((work, _),) = session.entries
            return work.store.name, [instance.id for instance in work.instances]

    def record(self, name):
        return open_run(name, self.folder / "runs").record()


@pytest.fixture
def command(hub, tmp_path):
    return Command(hub, tmp_path)


@pytest.fixture
def hub():
    with serving() as served:
        yield served


@pytest.mark.docker
def test_a_run_says_and_records_which_commit_it_is_of(hub, command):
    commit = hub.push("org/name", {FILE: parquet(v5("a"))})
    name, _ = command()
    assert command.said[0] == f"org/name is org/name@{commit}"
    assert command.record(name).source == f"org/name@{commit}"
    assert command.record(name).question.grade_network == "bridge"
    assert name.startswith("empty--name--")


@pytest.mark.docker
def test_a_run_is_gone_on_with_at_its_commit_when_the_dataset_has_a_newer_one(hub, command):
    old = hub.push("org/name", {FILE: parquet(v5("a"))})
    name, _ = command()
    new = hub.push("org/name", {FILE: parquet(v5("a"), v5("b"))})
    assert command() == (name, ["a"])
    assert command.record(name).source == f"org/name@{old}"
    assert command.said[0] == f"org/name is org/name@{old}"
    other, ids = command(limits=Limits(steps=9))  # another question is a new run, of what is newest
    assert (command.record(other).source, ids) == (f"org/name@{new}", ["a", "b"])
    fresh, ids = command(fresh=True)
    assert (command.record(fresh).source, ids) == (f"org/name@{new}", ["a", "b"])
    assert command(revision=new)[1] == ["a", "b"]


@pytest.mark.docker
def test_another_split_is_not_gone_on_with_at_the_commit_of_the_first(hub, command):
    split = {f"data/{name}-00000-of-00001.parquet": parquet(v5(name)) for name in ("test", "dev")}
    hub.push("org/name", split)
    command()
    new = hub.push("org/name", split | {FILE: parquet(v5("newer"))})
    name, ids = command(split="dev")
    assert (command.record(name).source, ids) == (f"org/name@{new}", ["dev"])


@pytest.mark.docker
def test_a_named_run_is_gone_on_with_at_its_commit_or_says_what_differs(hub, command):
    hub.push("org/name", {FILE: parquet(v5("a"))})
    assert command(run="mine") == ("mine", ["a"])
    new = hub.push("org/name", {FILE: parquet(v5("b"))})
    assert command(run="mine") == ("mine", ["a"])
    with pytest.raises(InputError, match=r"another question \(dataset_hash: "):
        command(run="mine", revision=new)


@pytest.mark.docker
def test_a_run_of_a_branch_is_gone_on_with_at_its_commit(hub, command):
    hub.push("org/name", {FILE: parquet(v5("a"))})
    name, _ = command(subset="org/name@main")
    hub.push("org/name", {FILE: parquet(v5("b"))})
    assert command(subset="org/name@main") == (name, ["a"])


@pytest.mark.docker
def test_what_was_selected_and_drawn_is_in_the_session(hub, command):
    hub.push("org/name", {FILE: parquet(*(v5(i) for i in "abcd"))})
    name, drawn = command(selection=Selection(sample=2, seed=5))
    command(selection=Selection(instances=("a", "b")))
    first, second = command.record(name).sessions
    assert first.selection == Selection(sample=2, seed=5)
    assert [(s.population, list(s.sampled)) for s in first.strata] == [(4, drawn)]
    assert (second.selection.instances, second.strata) == (("a", "b"), ())
    assert set(command.record(name).selection) == {*drawn, "a", "b"}
