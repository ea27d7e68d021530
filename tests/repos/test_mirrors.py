"""Mirrors: of a folder, over HTTP, shared by processes, and fetched only for what is missing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from swerun.errors import ImageError, InputError, InstanceError
from swerun.repos.mirrors import Mirrors
from tests.repos.git_server import Dumb, Locked, Smart, serving
from tests.repos.upstream import git, objects, reachable, upstream

REPO = "someone/project"
NOWHERE = "f" * 40
ASKING = """
import sys
from pathlib import Path
from swerun.repos.mirrors import Mirrors
say = lambda text: print(text, flush=True)
print(Mirrors(Path(sys.argv[1]), say, sys.argv[2]).holding(sys.argv[3], sys.argv[4]), flush=True)
"""


@pytest.fixture
def origin(tmp_path):
    return upstream(tmp_path / "origin" / "someone" / "project.git")


@pytest.fixture
def root(tmp_path):
    return tmp_path / "origin"


@pytest.fixture
def said():
    return []


@pytest.fixture
def mirrors(tmp_path, root, said):
    return Mirrors(tmp_path / "cache", said.append, str(root))


def of(mirrors, url):
    return Mirrors(mirrors.cache, mirrors.say, url)


@pytest.mark.parametrize(
    "name", ["someone__project", "someone__project.git", "someone/project", "someone/project.git"]
)
def test_a_folder_has_its_repositories_under_any_of_four_names(tmp_path, name):
    origin = upstream(tmp_path / "from" / name)
    commit = origin.commit("one")
    mirrors = Mirrors(tmp_path / "cache", lambda _: None, str(tmp_path / "from"))
    mirror = mirrors.holding(REPO, commit)
    assert mirror == tmp_path / "cache" / "repos" / "someone__project.git"
    assert objects(mirror) == reachable(origin.folder, commit)


def test_a_working_repository_is_mirrored_with_all_its_branches_and_tags(tmp_path):
    folder = tmp_path / "from" / "someone__project"
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=trunk")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "one")
    git(folder, "tag", "-a", "-m", "a tag", "v1")
    git(folder, "checkout", "--quiet", "-b", "side")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "two")
    mirrors = Mirrors(tmp_path / "cache", lambda _: None, str(tmp_path / "from"))
    mirror = mirrors.holding(REPO, git(folder, "rev-parse", "side"))
    assert objects(mirror) == reachable(folder, "--all")
    refs = "--format=%(refname) %(objectname)"
    assert git(mirror, "for-each-ref", refs) == git(folder, "for-each-ref", refs)


@pytest.mark.parametrize("kind", [Smart, Dumb])
def test_it_is_fetched_over_http(mirrors, origin, root, kind):
    commits = [origin.commit(text) for text in ("one", "two", "three")]
    with serving(root, kind) as server:
        url = server.url if kind is Smart else f"{server.url}/someone/project.git"
        name = REPO if kind is Smart else url
        if kind is Smart:
            origin.folder.rename(origin.folder.with_suffix(""))
        mirror = of(mirrors, url).holding(name, commits[0])
    assert objects(mirror) == {found for commit in commits for found in reachable(mirror, commit)}


def test_what_is_there_is_not_fetched_again(mirrors, origin, root, said):
    first, second = origin.commit("one"), origin.commit("two")
    with serving(root) as server:
        over = of(mirrors, f"{server.url}/")
        origin.folder.rename(origin.folder.with_suffix(""))
        assert over.holding(REPO, second) == over.holding(REPO, first)
        assert server.fetches == 1
    assert said == [f"fetching {REPO} from {server.url}/{REPO}"]
    assert over.holding(REPO, first).is_dir()  # nobody answers any more


def test_a_commit_that_is_newer_than_the_mirror_is_fetched(mirrors, origin, said):
    mirrors.holding(REPO, origin.commit("one"))
    newer = origin.commit("two")
    assert newer in objects(mirrors.holding(REPO, newer))
    assert len(said) == 2


def test_a_commit_that_is_nowhere_is_looked_for_once_and_then_an_error(mirrors, origin, root, said):
    mirrors.holding(REPO, origin.commit("one"))
    said.clear()
    with pytest.raises(InstanceError, match=f"{REPO} has no commit {NOWHERE}: it is neither in"):
        mirrors.holding(REPO, NOWHERE)
    assert len(said) == 1


@pytest.mark.parametrize("there", [False, True])
def test_a_commit_of_a_branch_that_is_gone_comes_by_its_hash(mirrors, origin, root, there):
    kept = origin.commit("one")
    gone = origin.commit("two", branch="side")
    git(origin.folder, "update-ref", "-d", "refs/heads/side")
    origin.folder.rename(origin.folder.with_suffix(""))
    with serving(root) as server:
        over = of(mirrors, server.url)
        if there:
            over.holding(REPO, kept)
        mirror = over.holding(REPO, gone)
    assert objects(mirror) >= {kept, gone}
    assert git(mirror, "rev-parse", f"refs/swerun/{gone}") == gone


def test_what_was_mirrored_stays_when_it_is_gone_from_its_origin(mirrors, origin, said, user):
    user(
        "[fetch]\n\tprune = true\n[gc]\n\tauto = 1\n\tautoPackLimit = 1\n"
        "\tautoDetach = false\n\tpruneExpire = now\n"
    )
    first, side = origin.commit("one"), origin.commit("two", branch="side")
    mirrors.holding(REPO, first)
    git(origin.folder, "update-ref", "-d", "refs/heads/side")
    git(origin.folder, "update-ref", "-d", "refs/heads/trunk")
    rewritten = origin.commit("another one")
    mirror = mirrors.holding(REPO, rewritten)
    said.clear()
    assert mirrors.holding(REPO, first) == mirrors.holding(REPO, side) == mirror
    assert said == []


@pytest.fixture
def user(tmp_path, monkeypatch):
    """Writes the user's own git configuration."""

    def write(text):
        (tmp_path / "gitconfig").write_text(text)
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))

    return write


def test_the_users_own_addresses_and_credentials_are_used(mirrors, origin, root, user):
    commit = origin.commit("one")
    user(f'[url "file://{root}/"]\n\tinsteadOf = https://example.invalid/\n')
    origin.folder.rename(origin.folder.with_suffix(""))
    mirror = of(mirrors, "https://example.invalid").holding(REPO, commit)
    assert commit in objects(mirror)


def test_a_mirror_that_belongs_to_another_user_serves(mirrors, origin, said):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    commit = origin.commit("one")
    mirror = mirrors.holding(REPO, commit)
    for path in (mirror, *mirror.rglob("*")):
        os.chown(path, 65534, 65534)
    said.clear()
    assert mirrors.holding(REPO, commit) == mirror
    assert said == []
    assert mirrors.holding(REPO, origin.commit("two")) == mirror


def test_a_repository_that_asks_for_a_password_is_an_error_at_once(mirrors, root):
    root.mkdir()
    with serving(root, Locked) as server:
        over = of(mirrors, server.url)
        with pytest.raises(ImageError, match=rf"fetching {REPO} from {server.url}/{REPO} failed"):
            over.holding(REPO, NOWHERE)


def test_nobody_is_asked_for_a_password_at_a_terminal_either(mirrors, root):
    root.mkdir()
    at_terminal = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) and 1)"
    with serving(root, Locked) as server:
        asked = [sys.executable, "-c", ASKING, mirrors.cache, server.url, REPO, NOWHERE]
        done = subprocess.run(
            [sys.executable, "-c", at_terminal, *map(str, asked)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert "terminal prompts disabled" in done.stdout
    assert done.returncode == 1


def test_an_address_where_nobody_answers_is_an_error_that_names_it(mirrors, root):
    root.mkdir()
    with serving(root) as server:
        pass
    with pytest.raises(ImageError, match=rf"{server.url}/{REPO} failed(.|\n)*--repos-from"):
        of(mirrors, server.url).holding(REPO, NOWHERE)


def test_a_folder_without_the_repository_says_what_it_looked_for(mirrors, root):
    root.mkdir()
    with pytest.raises(ImageError, match=r"none of someone__project, someone__project\.git, som"):
        mirrors.holding(REPO, NOWHERE)


def test_a_folder_that_is_not_there_is_the_users_mistake(mirrors, root):
    with pytest.raises(InputError, match=f"there is no folder {root}"):
        mirrors.holding(REPO, NOWHERE)


@pytest.mark.parametrize(
    "repo",
    [
        *("", "project", "../project", "someone/..", "-u/x", "someone/-x", "a/b/c", "/etc/repo"),
        *("ext::sh -c true", "--upload-pack=true", "someone/pro\nject", "fd::17/x"),
    ],
)
def test_what_is_no_name_of_a_repository_is_refused(mirrors, root, repo):
    root.mkdir()
    with pytest.raises(InstanceError, match="neither owner/name nor the address"):
        mirrors.holding(repo, NOWHERE)
    assert not mirrors.cache.exists()


@pytest.mark.parametrize("commit", ["main", "HEAD", "abc1234", "--all", f"{NOWHERE}\n", "F" * 40])
def test_only_a_full_hash_is_a_commit(mirrors, origin, commit):
    with pytest.raises(InstanceError, match="no full hash of a commit"):
        mirrors.holding(REPO, commit)


@pytest.fixture
def asking(mirrors):
    """Starts another process that wants a commit."""
    started = []

    def start(url, commit):
        asked = [sys.executable, "-c", ASKING, mirrors.cache, url, REPO, commit]
        process = subprocess.Popen(
            asked, stdout=subprocess.PIPE, text=True, bufsize=1, start_new_session=True
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_two_processes_at_once_fetch_once(mirrors, origin, root, asking):
    commit = origin.commit("one")
    origin.folder.rename(origin.folder.with_suffix(""))
    with serving(root) as server:
        server.open.clear()
        first = asking(server.url, commit)
        assert server.asked.wait(60)
        second = asking(server.url, commit)
        assert second.stdout.readline() == f"waiting for another process that fetches {REPO}\n"
        server.open.set()
        there = [process.stdout.read().splitlines()[-1] for process in (first, second)]
        assert server.fetches == 1
    assert there == [str(mirrors.cache / "repos" / "someone__project.git")] * 2
    assert (first.wait(60), second.wait(60)) == (0, 0)


def test_what_is_there_is_not_waited_for_while_another_fetches(mirrors, origin, root, asking):
    there = origin.commit("one")
    mirrors.holding(REPO, there)
    newer = origin.commit("two")
    origin.folder.rename(origin.folder.with_suffix(""))

    def refuse(said):
        raise AssertionError(said)

    with serving(root) as server:
        server.open.clear()
        other = asking(server.url, newer)
        assert server.asked.wait(60)
        Mirrors(mirrors.cache, refuse, server.url).holding(REPO, there)
        server.open.set()
        assert other.wait(60) == 0


def test_a_process_that_is_killed_while_it_fetches_leaves_nothing_in_the_way(
    mirrors, origin, root, asking
):
    commit = origin.commit("one")
    origin.folder.rename(origin.folder.with_suffix(""))
    with serving(root) as server:
        server.open.clear()
        first = asking(server.url, commit)
        assert server.asked.wait(60)
        second = asking(server.url, commit)
        assert second.stdout.readline().startswith("waiting")
        os.killpg(first.pid, signal.SIGKILL)
        assert second.stdout.readline() == f"fetching {REPO} from {server.url}/{REPO}\n"
        server.open.set()
        assert second.wait(60) == 0
    mirror = mirrors.holding(REPO, commit)
    assert objects(mirror) == reachable(mirror, commit)


def test_what_a_killed_fetch_left_of_a_pack_is_removed(mirrors, origin):
    mirror = mirrors.holding(REPO, origin.commit("one"))
    (mirror / "objects" / "pack" / "tmp_pack_x").write_bytes(b"half of one")
    mirrors.holding(REPO, origin.commit("two"))
    assert not list(mirror.glob("objects/pack/tmp_*"))


def test_fetched_objects_are_packs_which_are_there_whole_or_not_at_all(mirrors, origin):
    mirror = mirrors.holding(REPO, origin.commit("one"))
    mirrors.holding(REPO, origin.commit("two"))
    assert {path.suffix for path in mirror.glob("objects/*/*")} <= {".pack", ".idx", ".rev"}
