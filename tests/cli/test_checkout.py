"""`swerun instances checkout`: the repository of an instance, by its own rows and any origin."""

from __future__ import annotations

import pytest

from tests.instances.some_rows import jsonl, v5
from tests.repos.upstream import git, objects, reachable, upstream


@pytest.fixture
def origin(tmp_path):
    return upstream(tmp_path / "from" / "org__repo.git")


@pytest.fixture
def check_out(swerun, tmp_path, origin):
    """The command on a file with one instance, whose base commit has a fix after it."""
    base = origin.commit("base")
    origin.commit("fix")
    (tmp_path / "rows.jsonl").write_bytes(jsonl(v5(repo="org/repo", base_commit=base)))

    def call(*args):
        common = ("--subset", "rows.jsonl", "--cache", "cache", "--repos-from", "from")
        return swerun("instances", "checkout", *args, *common)

    call.base = base
    return call


def test_it_is_the_base_commit_with_its_history_alone(check_out, tmp_path, origin):
    done = check_out("org__repo-1")
    assert (done.stdout, done.returncode) == (f"org__repo-1: org/repo at {check_out.base}\n", 0)
    assert objects(tmp_path / "org__repo-1") == reachable(origin.folder, check_out.base)
    assert git(tmp_path / "org__repo-1", "remote") == ""
    assert done.stderr == f"fetching org/repo from {tmp_path}/from/org__repo.git\n"


def test_the_folder_may_be_named_and_the_mirror_is_used_again(check_out, tmp_path):
    check_out("org__repo-1", "one")
    done = check_out("org__repo-1", "two")
    assert (tmp_path / "two" / "a.txt").read_text() == "base\n"
    assert done.stderr == ""


def test_nothing_is_written_over(check_out, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work").write_text("of weeks\n")
    done = check_out("org__repo-1", "mine")
    assert "mine is there already" in done.stderr
    assert done.returncode == 2
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["work"]


def test_an_origin_that_lacks_it_ends_with_what_was_tried(check_out, tmp_path, origin):
    origin.folder.rename(tmp_path / "from" / "another")
    done = check_out("org__repo-1")
    assert "there is no repository org/repo in" in done.stderr
    assert done.returncode == 1
