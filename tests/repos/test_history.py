"""Histories as streams: the same hashes everywhere, and nothing of what came later."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from swerun.errors import InstanceError
from swerun.repos.history import export, restore
from tests.repos.upstream import objects, reachable

# made by git 2.47 of `commits` below; another git, machine or configuration gives the same
TIP = "81d7229df81f46acd98eab9da2a22ef720a464c3"
DATE = "2024-03-0{} 12:00:00 +0100"


def git(folder, *arguments, env=None):
    done = subprocess.run(
        ["git", "-C", folder, *arguments], capture_output=True, check=True, env=env or os.environ
    )
    return done.stdout.decode(errors="surrogateescape").strip()


def commit(folder, number, message, author="A U Thor"):
    when = DATE.format(number)
    names = {"NAME": author, "EMAIL": "a@example.org", "DATE": when}
    env = {f"GIT_{who}_{k}": v for who in ("AUTHOR", "COMMITTER") for k, v in names.items()}
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", message, env=os.environ | env)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path):
    """A merge, a tag, another branch, odd bytes, modes, a link, a message in no UTF-8."""
    folder = tmp_path / "source"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    git(folder, "config", "commit.gpgsign", "false")
    (folder / "a.txt").write_bytes(b"a\r\nb\n\xff\x00\n")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("a.txt")
    (folder / "naïve name").write_text("ü\n")
    commit(folder, 1, "First", author="Jürgen ÅÄ")
    (folder / "b.txt").write_text("b\n")
    commit(folder, 2, "Second\n\nwith a body\n")
    git(folder, "tag", "-a", "-m", "a tag", "v1", env=os.environ | stamped(2))
    git(folder, "checkout", "--quiet", "-b", "side", "HEAD~1")
    (folder / "c.txt").write_text("c\n")
    git(folder, "config", "i18n.commitEncoding", "latin-1")
    commit(folder, 3, "Side, with a café")
    git(folder, "config", "--unset", "i18n.commitEncoding")
    git(folder, "checkout", "--quiet", "trunk")
    merge = ["merge", "--quiet", "--no-ff", "-m", "Merge side", "side"]
    git(folder, *merge, env=os.environ | stamped(4))
    (folder / "a.txt").unlink()
    (folder / "d").mkdir()
    (folder / "d" / "e.txt").write_text("e\n")
    commit(folder, 5, "Base")
    (folder / "b.txt").write_text("the fix\n")
    commit(folder, 6, "Fix")
    return folder


def stamped(number):
    names = {"NAME": "A U Thor", "EMAIL": "a@example.org", "DATE": DATE.format(number)}
    return {f"GIT_{who}_{k}": v for who in ("AUTHOR", "COMMITTER") for k, v in names.items()}


def test_restoring_gives_the_commit_that_was_exported(repo, tmp_path):
    tip = git(repo, "rev-parse", "trunk")
    stream = export(repo, "trunk")
    assert restore([stream], tmp_path / "new") == tip == TIP
    assert git(tmp_path / "new", "log", "--format=raw") == git(repo, "log", "--format=raw")


def test_the_work_tree_is_the_commits(repo, tmp_path):
    new = tmp_path / "new"
    restore([export(repo, "trunk~2")], new)
    assert git(new, "status", "--porcelain", "--ignored") == ""
    assert (new / "a.txt").read_bytes() == b"a\r\nb\n\xff\x00\n"
    assert (new / "run").stat().st_mode & 0o111 == 0o111
    assert (new / "link").readlink().name == "a.txt"
    assert (new / "naïve name").read_text() == "ü\n"
    assert git(new, "symbolic-ref", "HEAD") == "refs/heads/main"


@pytest.mark.parametrize("commit", ["trunk", "trunk~1", "v1", "side", "trunk^0"])
def test_exporting_what_was_restored_gives_the_stream_again(repo, tmp_path, commit):
    stream = export(repo, commit)
    restore([stream], tmp_path / "new")
    assert export(tmp_path / "new", "main") == stream


def test_nothing_that_comes_after_the_commit_is_there(repo, tmp_path):
    new = tmp_path / "new"
    base = restore([export(repo, "trunk~1")], new)
    assert objects(new) == reachable(repo, base)
    assert git(repo, "rev-parse", "trunk") not in objects(new)
    assert git(new, "for-each-ref", "--format=%(refname)") == "refs/heads/main"
    assert git(new, "remote") == ""
    assert b"the fix" not in export(repo, "trunk~1")


def test_what_is_beside_the_history_is_not_there_either(repo, tmp_path):
    (repo / "secret.txt").write_text("stashed\n")
    git(repo, "add", "-A")
    git(repo, "stash", "--quiet", env=os.environ | stamped(7))
    before = git(repo, "for-each-ref")
    restore([export(repo, "v1")], tmp_path / "new")
    assert objects(tmp_path / "new") == reachable(repo, "v1^0")
    assert git(repo, "for-each-ref") == before


def test_a_history_in_two_parts_is_the_whole(repo, tmp_path):
    first, second = export(repo, "v1"), export(repo, "trunk", since="v1")
    whole = restore([first, second], tmp_path / "new")
    assert whole == git(repo, "rev-parse", "trunk")
    assert objects(tmp_path / "new") == reachable(repo, "trunk")
    assert len(second) < len(export(repo, "trunk"))


def test_a_part_with_nothing_in_it_adds_nothing(repo, tmp_path):
    assert export(repo, "trunk", since="trunk") == b""
    tip = restore([export(repo, "trunk"), b""], tmp_path / "new")
    assert tip == git(repo, "rev-parse", "trunk")


def test_the_users_configuration_has_no_say(repo, tmp_path):
    """autocrlf and an ignore file would change the work tree, a signature the commit."""
    stream = export(repo, "trunk~2")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text(
        "[core]\n\tautocrlf = true\n\tfileMode = false\n[fastimport]\n\tunpackLimit = 1\n"
        "[init]\n\tdefaultBranch = other\n[commit]\n\tgpgSign = true\n"
        "[i18n]\n\tcommitEncoding = latin-1\n[user]\n\tname = Somebody\n"
    )
    code = (
        "import sys; from pathlib import Path; from swerun.repos.history import export, restore\n"
        "new = Path(sys.argv[1]); print(restore([sys.stdin.buffer.read()], new))\n"
        "print((new / 'naïve name').read_bytes()); print(len(export(new, 'main')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "new"],
        input=stream,
        capture_output=True,
        check=True,
        env=os.environ | {"HOME": str(tmp_path / "home"), "PYTHONUTF8": "1"},
    )
    tip, name, length = done.stdout.decode().split("\n")[:3]
    assert tip == git(repo, "rev-parse", "trunk~2")
    assert name == str("ü\n".encode())
    assert int(length) == len(stream)


def test_a_linked_worktree_is_exported_as_its_repository(repo, tmp_path):
    git(repo, "worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"), "v1")
    assert export(tmp_path / "linked", "HEAD") == export(repo, "v1")


@pytest.mark.parametrize(
    ("commit", "since"), [("gone", None), ("trunk", "gone"), ("v1^{tree}", None)]
)
def test_what_is_no_commit_is_an_instance_error(repo, commit, since):
    with pytest.raises(InstanceError, match=r"exporting .* failed"):
        export(repo, commit, since=since)


@pytest.mark.parametrize("stream", [b"no stream\n", b"commit refs/heads/main\n", b""])
def test_a_stream_that_is_none_is_an_instance_error(tmp_path, stream):
    with pytest.raises(InstanceError, match=f"restoring a history into {tmp_path / 'new'} failed"):
        restore([stream], tmp_path / "new")


def test_a_part_on_top_of_another_history_is_an_instance_error(repo, tmp_path):
    part = export(repo, "trunk", since="v1")
    with pytest.raises(InstanceError, match="restoring a history"):
        restore([export(repo, "side"), part], tmp_path / "new")
