"""The sample is whole: histories, patches, scripts and metadata agree with each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from swerun.errors import InstanceError
from swerun.repos import history

INSTANCES = Path(__file__).resolve().parents[2] / "instances"
SAMPLE = INSTANCES / "sample"
TASKS = sorted(SAMPLE.glob("tasks/*"))
TIPS = {
    "cronline": "926946960514089e41f8eaa6e7b96b6e0952af88",
    "ledgerline": "16470085967e3b7fd9d671400c6c4f63d82a342b",
    "polykit": "ae49032087a375585a554f8225d4efe4e1d0a619",
}
DIFFICULTIES = {"<15 min fix", "15 min - 1 hour", "1-4 hours"}
PARSERS = {
    "cronline": "parse_log_pytest",
    "ledgerline": "parse_log_django",
    "polykit": "parse_log_sympy",
}


def git(folder, *arguments, check=True):
    return subprocess.run(
        ["git", "-C", folder, *arguments], capture_output=True, text=True, check=check
    )


def lines(folder, *arguments):
    return git(folder, *arguments).stdout.split("\n")[:-1]


def metadata(task):
    return yaml.safe_load((task / "task.yaml").read_text(encoding="utf-8"))


def streams(task):
    return [path.read_bytes() for path in sorted(task.glob("history-*.fi"))]


@pytest.fixture(scope="module")
def repositories(tmp_path_factory):
    """name -> the whole repository, restored."""
    made = {}
    for name in TIPS:
        made[name] = tmp_path_factory.mktemp(name)
        history.restore([(SAMPLE / "repos" / f"{name}.fi").read_bytes()], made[name])
    return made


@pytest.fixture(scope="module", params=TASKS, ids=lambda task: task.name)
def task(request):
    return request.param


@pytest.fixture(scope="module")
def whole(task, repositories):
    return repositories[metadata(task)["repo"].rpartition("/")[2]]


@pytest.fixture(scope="module")
def restored(task, tmp_path_factory):
    """The repository as the task's image has it."""
    folder = tmp_path_factory.mktemp("task")
    history.restore(streams(task), folder)
    return folder


def fix_of(whole, base):
    return lines(whole, "rev-list", "--reverse", f"{base}..main")[0]


@pytest.mark.parametrize("name", TIPS)
def test_a_stream_gives_the_same_hashes_everywhere(name, repositories):
    assert git(repositories[name], "rev-parse", "main").stdout.strip() == TIPS[name]


@pytest.mark.parametrize("name", TIPS)
def test_exporting_a_restored_repository_gives_the_stream_again(name, repositories):
    stream = (SAMPLE / "repos" / f"{name}.fi").read_bytes()
    assert history.export(repositories[name], "main") == stream


def test_ten_commits_come_before_and_after_the_base_commit(task, whole):
    base = metadata(task)["base_commit"]
    before, after = (lines(whole, "rev-list", r) for r in (f"{base}^", f"{base}..main"))
    assert len(before) >= 10
    assert len(after) >= 10


def test_the_task_has_the_base_commit_and_nothing_after_it(task, whole, restored):
    base = metadata(task)["base_commit"]
    fix = fix_of(whole, base)
    assert git(restored, "rev-parse", "HEAD").stdout.strip() == base
    assert git(restored, "symbolic-ref", "HEAD").stdout == "refs/heads/main\n"
    assert lines(restored, "for-each-ref", "--format=%(refname)") == ["refs/heads/main"]
    assert git(restored, "status", "--porcelain").stdout == ""
    assert git(restored, "cat-file", "-e", fix, check=False).returncode != 0
    objects = lines(restored, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    reachable = {line.split()[0] for line in lines(restored, "rev-list", "--objects", base)}
    assert set(objects) == reachable


def test_the_first_part_of_the_history_is_shared():
    for name in TIPS:
        firsts = {t: streams(t)[0] for t in TASKS if metadata(t)["repo"].endswith(f"/{name}")}
        assert len(firsts) >= 3
        assert len(set(firsts.values())) == 1


def test_gold_and_test_patch_make_the_fix_commit(task, whole, restored, tmp_path):
    copy = tmp_path / "copy"
    git(restored, "worktree", "add", "--detach", str(copy), "HEAD")
    for patch in ("gold.patch", "test.patch"):
        git(copy, "apply", "--index", str(task / patch))
    made = git(copy, "write-tree").stdout
    fix = fix_of(whole, metadata(task)["base_commit"])
    assert made == git(whole, "rev-parse", f"{fix}^{{tree}}").stdout
    git(restored, "worktree", "remove", "--force", str(copy))


def test_the_image_gets_histories_only(task):
    copied = [
        line for line in (task / "Dockerfile").read_text().splitlines() if line.startswith("COPY")
    ]
    assert copied == [f"COPY {path.name} /tmp/" for path in sorted(task.glob("history-*.fi"))]


def test_task_fields(task):
    fields = metadata(task)
    name = fields["repo"].rpartition("/")[2]
    assert fields["instance_id"] == task.name
    assert task.name.startswith(fields["repo"].replace("/", "__") + "-")
    image = f"swebench/sweb.eval.x86_64.{task.name}:latest".lower().replace("__", "_1776_")
    assert fields["image"] == image
    assert fields["log_parser"] == PARSERS[name]
    assert fields["difficulty"] in DIFFICULTIES
    assert (fields["split"], fields["datasets"]) == ("test", ["swerun/sample"])
    assert fields["eval_type"] == "pass_and_fail"
    assert isinstance(fields["version"], str)
    assert isinstance(fields["created_at"], str)
    tests = json.loads((task / "tests.json").read_text(encoding="utf-8"))
    assert sorted(tests) == ["FAIL_TO_PASS", "PASS_TO_PASS"]
    assert all(tests.values())
    assert not set(tests["FAIL_TO_PASS"]) & set(tests["PASS_TO_PASS"])
    assert (task / "problem_statement.md").read_text(encoding="utf-8").strip()


def test_each_repository_has_each_difficulty():
    found = {(metadata(task)["repo"], metadata(task)["difficulty"]) for task in TASKS}
    assert len(found) == len(TIPS) * len(DIFFICULTIES)


def test_derived_files_are_up_to_date():
    done = subprocess.run(
        [sys.executable, INSTANCES / "refresh.py", "--check"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(INSTANCES.parent / "src")},
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_a_broken_stream_is_an_instance_error(tmp_path):
    with pytest.raises(InstanceError, match="restoring a history"):
        history.restore([b"no such command\n"], tmp_path / "a")


def test_an_unknown_commit_is_an_instance_error(repositories):
    with pytest.raises(InstanceError, match="exporting no-such-commit"):
        history.export(repositories["polykit"], "no-such-commit")


def test_exporting_what_is_already_there_gives_nothing(repositories):
    assert history.export(repositories["polykit"], "main", since="main") == b""
