"""The working repository: all of a commit's history, and no trace of anything else."""

from __future__ import annotations

import os
import subprocess

import pytest

from swerun.errors import InstanceError
from swerun.repos.checkout import check_out
from swerun.repos.mirrors import Mirrors
from tests.repos.upstream import git, objects, reachable, upstream

REPO = "someone/project"


@pytest.fixture
def commits(tmp_path):
    """Before, base and fix on a branch, a tag on the fix, and a branch that left at `before`."""
    origin = upstream(tmp_path / "from" / "someone__project")
    made = {name: origin.commit(name) for name in ("before", "base")}
    git(origin.folder, "update-ref", "refs/heads/side", made["before"])
    made["side"] = origin.commit("side", branch="side")
    made["fix"] = origin.commit("fix")
    git(origin.folder, "tag", "-a", "-m", "with the fix", "v2", made["fix"])
    git(origin.folder, "update-ref", "refs/pull/1/head", made["fix"])
    return made


@pytest.fixture
def mirror(tmp_path, commits):
    mirrors = Mirrors(tmp_path / "cache", lambda _: None, str(tmp_path / "from"))
    return mirrors.holding(REPO, commits["base"])


@pytest.fixture
def work(tmp_path):
    return tmp_path / "work"


def bitmaps(mirror):
    git(mirror, "repack", "-adq", "--write-bitmap-index")


def loose(mirror):
    for pack in list(mirror.glob("objects/pack/*.pack")):
        with pack.rename(mirror / pack.name).open("rb") as given:
            asked = ["git", "-C", mirror, "unpack-objects", "-q"]
            subprocess.run(asked, stdin=given, check=True)


@pytest.mark.parametrize(
    "stored", [lambda _: None, bitmaps, loose], ids=["packs", "bitmaps", "loose"]
)
@pytest.mark.parametrize("name", ["before", "base", "side", "fix"])
def test_its_objects_are_those_of_the_commits_history(mirror, commits, work, name, stored):
    stored(mirror)
    check_out(mirror, commits[name], work)
    assert objects(work) == reachable(mirror, commits[name])
    assert git(work, "rev-parse", "HEAD") == commits[name]
    assert (work / "a.txt").read_text() == f"{name}\n"


def test_the_mirror_has_what_must_not_come_along(mirror, commits):
    assert objects(mirror) > reachable(mirror, commits["base"])


def test_there_is_one_reference_and_nothing_that_leads_elsewhere(mirror, commits, work):
    check_out(mirror, commits["base"], work)
    assert git(work, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert git(work, "symbolic-ref", "HEAD") == "refs/heads/main"
    files = {str(p.relative_to(work / ".git")) for p in (work / ".git").rglob("*") if p.is_file()}
    beside = {name for name in files if not name.startswith("objects/pack/pack-")}
    assert beside == {"HEAD", "config", "index", "refs/heads/main"}
    config = git(work, "config", "--local", "--name-only", "--list").splitlines()
    assert {key.partition(".")[0] for key in config} == {"core"}
    assert str(mirror.parent) not in (work / ".git" / "config").read_text()


def test_it_needs_no_mirror(mirror, commits, work):
    check_out(mirror, commits["base"], work)
    mirror.rename(mirror.with_suffix(".gone"))
    assert git(work, "fsck", "--full", "--strict", "--unreachable") == ""
    assert git(work, "status", "--porcelain", "--ignored") == ""
    assert git(work, "log", "--format=%s") == "base\nbefore"


def test_what_is_committed_in_it_is_logged_as_usual(mirror, commits, work):
    check_out(mirror, commits["base"], work)
    git(work, "commit", "--quiet", "--allow-empty", "-m", "mine")
    assert git(work, "reflog", "--format=%gs") == "commit: mine"


def test_the_users_configuration_and_hooks_have_no_say(
    mirror, commits, work, tmp_path, monkeypatch
):
    hook = tmp_path / "template" / "hooks" / "post-checkout"
    hook.parent.mkdir(parents=True)
    hook.write_text("#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    (tmp_path / "gitconfig").write_text(
        f"[core]\n\tautocrlf = true\n\thooksPath = {hook.parent}\n"
        f"[init]\n\ttemplateDir = {hook.parent.parent}\n\tdefaultBranch = other\n"
        "\tdefaultObjectFormat = sha256\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    check_out(mirror, commits["base"], work)
    assert {path.name for path in work.iterdir()} == {".git", "a.txt"}
    assert (work / "a.txt").read_bytes() == b"base\n"
    assert not (work / ".git" / "hooks").exists()


def test_a_mirror_that_belongs_to_another_user_serves(mirror, commits, work):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    for path in (mirror, *mirror.rglob("*")):
        os.chown(path, 65534, 65534)
    check_out(mirror, commits["base"], work)
    assert (work / "a.txt").read_text() == "base\n"


@pytest.mark.parametrize("what", ["f" * 40, "tree"])
def test_what_is_no_commit_of_the_mirror_is_an_instance_error(mirror, commits, work, what):
    named = git(mirror, "rev-parse", f"{commits['base']}^{{tree}}") if what == "tree" else what
    with pytest.raises(InstanceError, match=f"checking out {named} of {mirror} failed"):
        check_out(mirror, named, work)
