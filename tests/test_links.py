"""Folders of others: a link in one does not show, or change, what lies outside of it."""

from __future__ import annotations

import json
import os

import pytest

from swerun.errors import InputError, InstanceError
from swerun.exchange.peers import find
from swerun.instances.subsets import load_subset
from swerun.predictions import read_predictions
from tests.exchange.samples import mini, openhands
from tests.instances.test_task_repo import repo, written  # noqa: F401 -- a fixture

SECRET = "diff --git a/secret b/secret\n>>>>> Start Test Output >>>>> End Test Output\n"
FILES = ("problem_statement.md", "gold.patch", "test.patch", "eval.sh", "task.yaml", "tests.json")
REFUSED = "it is no file or folder of .*, but a link that leads out of it"


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "secret"
    file.write_text(SECRET)
    return file


def linked(place, to):
    if place.exists():
        place.unlink()
    place.symlink_to(to)
    return place


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("way", ["absolute", "relative"])
def test_no_file_of_a_task_is_a_link_to_what_is_not_the_tasks(repo, secret, file, way):  # noqa: F811
    to = secret if way == "absolute" else "../../../secret"
    made = linked(repo / "tasks" / "org__repo-1" / file, to)
    with pytest.raises(InstanceError, match=rf"{made.name}: {REFUSED}"):
        load_subset(str(repo))


@pytest.mark.parametrize("name", ["Dockerfile", ".dockerignore", "more/deep", "loop"])
def test_no_link_leads_out_of_the_context_that_an_image_is_built_of(repo, secret, name):  # noqa: F811
    written(repo, "Dockerfile", "FROM scratch\n")
    made = repo / "tasks" / "org__repo-1" / name
    made.parent.mkdir(exist_ok=True)
    linked(made, "../../.." if name == "loop" else secret)
    with pytest.raises(InstanceError, match=rf"{name}: {REFUSED}"):
        load_subset(str(repo))


def test_no_task_and_no_tasks_are_a_link_to_another_place(repo, tmp_path):  # noqa: F811
    task, tasks = repo / "tasks" / "org__repo-1", repo / "tasks"
    task.rename(tmp_path / task.name)
    linked(task, tmp_path / task.name)
    with pytest.raises(InstanceError, match=f"{task.name}: {REFUSED}"):
        load_subset(str(repo))
    tasks.rename(tmp_path / "elsewhere")
    linked(tasks, tmp_path / "elsewhere")
    with pytest.raises(InstanceError, match=f"tasks: {REFUSED}"):
        load_subset(str(repo))


def test_a_pipe_in_a_task_is_refused_and_not_waited_for(repo):  # noqa: F811
    written(repo, "problem_statement.md", None)
    os.mkfifo(repo / "tasks" / "org__repo-1" / "problem_statement.md")
    with pytest.raises(InstanceError, match=r"problem_statement\.md: .*a pipe or a device"):
        load_subset(str(repo))


def test_a_link_within_a_task_and_a_repo_behind_a_link_are_fine(repo, tmp_path):  # noqa: F811
    task = repo / "tasks" / "org__repo-1"
    (task / "problem_statement.md").rename(task / "issue.md")
    linked(task / "problem_statement.md", "issue.md")
    linked(tmp_path / "link", repo)
    (instance,) = load_subset(str(tmp_path / "link")).instances
    assert instance.task.problem_statement == "It is broken.\n"


@pytest.mark.parametrize(
    "name", ["a/a.pred", "a.traj.json", "a.traj", "output.jsonl", "preds.json"]
)
def test_no_file_of_a_peers_folder_is_a_link_to_what_is_not_in_it(tmp_path, name):
    peer, value = tmp_path / "peer", openhands() if name == "output.jsonl" else mini()
    (peer / "a").mkdir(parents=True)
    (tmp_path / "own.json").write_text(json.dumps(value))
    made = linked(peer / name, tmp_path / "own.json")
    read = read_predictions if name.endswith(".pred") else find
    with pytest.raises(
        InputError, match=f"{made} is a link that leads out of|{made}: it is a link"
    ):
        read(peer)
