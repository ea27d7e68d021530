"""Patches that each of the tries serves, on a real repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from swerun.grading.apply import SERVED, TRIES, apply_patch
from swerun.images.store import EngineImages
from swerun.instances.subsets import load_instances
from swerun.ports import ExecResult
from swerun.records import Role
from swerun.sandbox.docker import DockerSandboxes
from swerun.sandbox.local import LocalSandboxes
from tests.fakes import an_instance

PLAIN, THREE_WAY, REJECT, FUZZY, REVERSE = TRIES
TASK = an_instance().task
LINES = [f"line {number}\n" for number in range(1, 21)]


def git(folder, *arguments):
    who = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "core.abbrev=40"]
    done = subprocess.run(["git", *who, "-C", folder, *arguments], capture_output=True, check=True)
    return done.stdout


def changed(**lines):
    """The file with some of its lines changed: `changed(l5="five")`."""
    text = list(LINES)
    for key, line in lines.items():
        text[int(key[1:]) - 1] = f"{line}\n"
    return "".join(text)


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "template"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a.txt").write_text(changed())
    (folder / ".gitignore").write_text("ignored.txt\n")
    commit(folder)
    return folder


def commit(folder):
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "a commit")


def patch_of(folder, known=True, **files):
    """What makes `files` of the work tree, which stays as it is. `known`: with the blobs' names."""
    before = {name: (folder / name).read_bytes() for name in git_names(folder)}
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    git(folder, "add", "-AN")
    diff = git(folder, "diff", "--binary")
    git(folder, "reset", "-q", "--hard")
    git(folder, "clean", "-qfd")
    for name, data in before.items():
        (folder / name).write_bytes(data)
    lines = diff.splitlines(keepends=True)
    return b"".join(line for line in lines if known or not line.startswith(b"index "))


def git_names(folder):
    return git(folder, "ls-files").decode().split()


def applied(repo, patch):
    """How it was applied, and the work tree after that."""
    with LocalSandboxes(repo).start(TASK, role=Role.GRADING, attempt=1) as sandbox:
        done = apply_patch(sandbox, patch)
        files = {p.name: p.read_text() for p in sandbox.folder.iterdir() if p.is_file()}
    return done, files


def test_a_patch_that_fits_is_applied_by_git(repo):
    done, files = applied(repo, patch_of(repo, a_txt=changed(l5="five"), b_txt="new\n"))
    assert (done.command, files["a.txt"]) == (PLAIN, changed(l5="five"))
    assert files["b.txt"] == "new\n"


def test_a_patch_of_another_version_is_merged_where_git_has_that_version(repo):
    patch = patch_of(repo, a_txt=changed(l5="five"))
    (repo / "a.txt").write_text(changed(l7="seven"))
    commit(repo)
    done, files = applied(repo, patch)
    assert (done.command, files["a.txt"]) == (THREE_WAY, changed(l5="five", l7="seven"))


def test_what_lies_about_untracked_is_cleared_away_for_the_tries_that_follow(repo):
    (repo / "ignored.txt").write_text(changed())
    patch = patch_of(repo, b_txt="new\n") + patch_of(repo, known=False, a_txt=changed(l5="five"))
    (repo / "b.txt").write_text("in the way\n")
    done, files = applied(repo, patch)
    assert (done.command, files["b.txt"]) == (THREE_WAY, "new\n")
    # a file that git does not know cannot be merged
    done, files = applied(repo, patch.replace(b"a.txt", b"ignored.txt"))
    assert (done.command, files["b.txt"]) == (REJECT, "new\n")
    assert files["ignored.txt"] == changed(l5="five")


def test_a_patch_whose_context_is_off_is_applied_with_fuzz_and_from_a_pristine_tree(repo):
    patch = patch_of(repo, known=False, a_txt=changed(l3="three", l17="seventeen"))
    (repo / "a.txt").write_text(changed(l19="nineteen"))
    commit(repo)
    done, files = applied(repo, patch)
    assert done.command == FUZZY
    # --reject had applied the first hunk already
    assert files["a.txt"] == changed(l3="three", l17="seventeen", l19="nineteen")
    assert not [name for name in files if name.endswith(".rej")]


def test_a_patch_that_is_there_already_counts_as_applied(repo):
    patch = patch_of(repo, known=False, a_txt=changed(l5="five"))
    (repo / "a.txt").write_text(changed(l5="five"))
    commit(repo)
    done, files = applied(repo, patch)
    assert (done.command, files["a.txt"]) == (REVERSE, changed(l5="five"))


@pytest.mark.parametrize(
    "patch",
    [
        b"not a patch\n",
        b"diff --git a/a.txt b/a.txt\n",
        b"--- a/a.txt\n+++ b/a.txt\n@@ -1,3 +1,3 @@\n no\n-such\n+lines\n here\n",
        b"--- a/gone.txt\n+++ b/gone.txt\n@@ -1 +1 @@\n-a\n+b\n",
        b"--- a/../../out.txt\n+++ b/../../out.txt\n@@ -0,0 +1 @@\n+b\n",
    ],
)
def test_a_patch_that_no_try_serves_is_rejected_with_what_they_said(repo, patch):
    done, _ = applied(repo, patch)
    assert done.command is None
    for command in TRIES:
        assert f"$ {command}" in done.output
    assert not (repo.parent / "out.txt").exists()


def test_only_the_first_hunk_applying_is_a_rejection(repo):
    patch = patch_of(repo, known=False, a_txt=changed(l3="three", l17="seventeen"))
    (repo / "a.txt").write_text("".join(LINES[:10]))
    commit(repo)
    done, _ = applied(repo, patch)
    assert done.command is None


def test_a_patch_without_a_final_newline_is_not_given_one(repo):
    patch = patch_of(repo, a_txt=changed(l5="five")).rstrip(b"\n")
    done, files = applied(repo, patch)
    assert (done.command, files["a.txt"]) == (FUZZY, changed(l5="five"))


def test_bytes_of_any_kind_are_applied_as_they_are(repo):
    (repo / "b.bin").write_bytes(bytes(range(256)) * 3)
    git(repo, "add", "-A")
    patch = git(repo, "diff", "--cached", "--binary")
    git(repo, "reset", "-q", "--hard")
    with LocalSandboxes(repo).start(TASK, role=Role.GRADING, attempt=1) as sandbox:
        assert apply_patch(sandbox, patch).command == PLAIN
        assert sandbox.read_file("b.bin") == bytes(range(256)) * 3
    crlf = b"--- a/a.txt\n+++ b/a.txt\n@@ -1,2 +1,2 @@\n-line 1\n+line one\r\n line 2\n"
    with LocalSandboxes(repo).start(TASK, role=Role.GRADING, attempt=1) as sandbox:
        assert apply_patch(sandbox, crlf).command == PLAIN
        assert sandbox.read_file("a.txt").startswith(b"line one\r\nline 2\n")


def test_nothing_of_the_patch_is_left_lying_about(repo):
    before = set(Path("/tmp").glob("swerun-*.diff"))
    _, files = applied(repo, patch_of(repo, a_txt=changed(l5="five")))
    assert set(files) == {"a.txt", ".gitignore"}
    assert set(Path("/tmp").glob("swerun-*.diff")) == before


def test_no_try_shares_an_exit_code_with_another():
    assert list(SERVED.values()) == list(TRIES)


def test_a_patch_that_takes_too_long_is_rejected_and_says_so():
    class Slow:
        def write_file(self, path, data):
            pass

        def exec(self, command, *, timeout):
            return ExecResult(124, "Checking patch", timed_out=True)

    done = apply_patch(Slow(), b"diff")
    assert done.command is None
    assert done.output == "Checking patch\napplying the patch took more than 600 s"


@pytest.mark.docker
def test_a_gold_patch_is_applied_in_its_image(engine, base_image, tmp_path):
    instance = load_instances("sample")[0]
    EngineImages(engine, cache=tmp_path).ensure(instance)
    sandboxes = DockerSandboxes(client=engine, run="test-apply", owner="tests")
    patch = instance.answer.gold_patch.encode()
    with sandboxes.start(instance.task, role=Role.GRADING, attempt=1) as sandbox:
        assert apply_patch(sandbox, patch).command == PLAIN
        diff = sandbox.exec("git diff --binary --full-index", timeout=60).output
        assert diff == instance.answer.gold_patch
        assert apply_patch(sandbox, b"diff --git a/x b/x\n").command is None
