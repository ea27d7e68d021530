"""Patches taken from a real git repository, whatever was done to it."""

from __future__ import annotations

import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from swerun.errors import SandboxLostError
from swerun.records import Role
from swerun.sandbox.containers import leftovers
from swerun.sandbox.local import LocalSandbox, LocalSandboxes
from swerun.sandbox.patch import Patch, looks_forgotten, take_patch
from tests.sandbox.conftest import OWN_RUN, REPOSITORY, a_task, make_repository
from tests.sandbox.test_contract import CHANGED

ENOUGH = 60
# what an agent may do to a repository, besides its work, so that a diff would come out other
HOSTILE = {
    "a commit": "git add -A; git -c user.name=a -c user.email=a@a commit -qm mine",
    "a commit and a branch": (
        "git checkout -qb other; git add -A; git -c user.name=a -c user.email=a@a commit -qm mine"
    ),
    "a rewritten history": (
        "git add -A; git -c user.name=a -c user.email=a@a commit -q --amend -m mine; git gc -q"
    ),
    "no repository": "rm -rf .git",
    "a file for a repository": "rm -rf .git; echo 'gitdir: /nowhere' >.git",
    "another repository": "rm -rf .git; git init -q; git add -A",
    "an index that lies": (
        "git update-index --assume-unchanged a.txt; git update-index --skip-worktree script"
    ),
    "an index that is none": "echo garbage >.git/index; touch .git/index.lock",
    "exclusions": "echo '*' >.git/info/exclude",
    "attributes": "echo '* -diff -text filter=x' >.git/info/attributes",
    "configuration": (
        "git config core.fileMode false; git config core.symlinks false;"
        " git config core.autocrlf true; git config core.worktree /; git config diff.noprefix true;"
        " git config diff.external /bin/false; git config core.bare true"
    ),
    "a filter": (
        "git config filter.x.clean 'echo filtered'; echo '* filter=x' >.git/info/attributes"
    ),
    "hooks": (
        "git config core.hooksPath .git/mine; git config core.fsmonitor .git/mine/x;"
        " mkdir .git/mine; printf '#!/bin/sh\\ntouch hooked; exit 1\\n' >.git/mine/x;"
        " chmod +x .git/mine/x;"
        " for hook in pre-commit post-index-change; do cp .git/mine/x .git/mine/$hook; done"
    ),
    "textconv and drivers": (
        "git config diff.x.textconv 'echo hidden'; git config diff.x.command /bin/false;"
        " git config diff.x.binary true; echo '* diff=x' >.git/info/attributes"
    ),
    "settings that leave files out": (
        "printf '*\\n' >.git/all; git config core.excludesFile .git/all;"
        " git config core.attributesFile .git/all; git config status.showUntrackedFiles no;"
        " git config core.sparseCheckout true; echo /nothing >.git/info/sparse-checkout"
    ),
    "replaced objects": (
        "git replace $(git rev-parse HEAD:a.txt) $(echo other | git hash-object -w --stdin);"
        " git replace --graft HEAD; echo x >.git/info/grafts"
    ),
    "submodules": (
        "git config submodule.sub.ignore all; git config diff.ignoreSubmodules all;"
        " git rm -qrf --cached sub;"
        " git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),sub"
    ),
    "a broken configuration": "echo garbage >.git/config",
    "a git of its own": "printf '#!/bin/sh\\necho mine\\n' >git; chmod +x git; rm git",
}


@pytest.fixture(scope="module")
def sandboxes(template):
    return LocalSandboxes(template)


@pytest.fixture(scope="module")
def patch_of(sandboxes):
    """The patch of what a script leaves."""

    def taken(script):
        with sandboxes.start(a_task(), role=Role.AGENT, attempt=1) as sandbox:
            result = sandbox.exec(script, timeout=ENOUGH)
            assert result.exit_code == 0, result.output
            return take_patch(sandboxes, a_task(), sandbox, attempt=1)

    return taken


def tree_of(folder):
    """The hash by which git knows what is in a work tree."""
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "add", "-A"], check=True)
    written = subprocess.run([*git, "write-tree"], check=True, capture_output=True, text=True)
    return written.stdout.strip()


def applied(folder, diff):
    """A fresh work tree with a patch applied, as whoever grades it does."""
    make_repository(folder)
    subprocess.run(["git", "-C", folder, "apply", "--whitespace=nowarn"], input=diff, check=True)
    return folder


def test_a_patch_makes_of_the_commit_what_the_work_directory_was(patch_of, tmp_path):
    odd = (
        r"printf 'no end' >e; printf 'cr\r\n' >>a.txt; printf '\351\n' >latin; rm link; mkdir link"
    )
    made = patch_of(f"{CHANGED}\nrm pipe; {odd}; echo x >link/x")
    work = make_repository(tmp_path / "work")
    subprocess.run(
        ["bash", "-c", f"{CHANGED}\nrm pipe; {odd}; echo x >link/x"], cwd=work, check=True
    )
    assert tree_of(applied(tmp_path / "clean", made.diff)) == tree_of(work)


WORK = """echo two >>a.txt; rm gone/file; printf '\\0\\377' >binary
chmod +x script; echo new >sub/new; ln -sf sub link
"""


@pytest.fixture(scope="module")
def honest(patch_of):
    made = patch_of(WORK)
    assert b"+two" in made.diff
    return made


@pytest.mark.parametrize("how", HOSTILE.values(), ids=HOSTILE)
def test_nothing_that_was_done_to_git_changes_the_patch(patch_of, honest, how):
    assert patch_of(WORK + how) == honest


ODD = r"""printf 'cr\r\n' >>a.txt; printf '$Id: mine $\n' >sub/id; rm gone/file
printf '\377\376a\000' >sub/wide; printf 'no end' >"sub/a b"; ln -s a.txt .gitattributes.link
"""
# attributes of the agent's own, by file, which say that the bytes of others are not what they are
ATTRIBUTES = {
    "encodings": "echo '* working-tree-encoding=UTF-16' >.gitattributes",
    "an encoding that there is not": "echo '*.txt working-tree-encoding=none' >.gitattributes",
    "encodings in a folder": "echo '* working-tree-encoding=UTF-16' >sub/.gitattributes",
    "ends of lines": "echo '* text eol=crlf' >.gitattributes",
    "ids": "echo '* ident' >.gitattributes; echo '* ident' >sub/.gitattributes",
    "a folder": "mkdir .gitattributes; echo '* text ident' >.gitattributes/x",
    "another name": "echo '* text ident' >.gitattributes; ln .gitattributes sub/attributes",
}


def sections(patch):
    """What a patch says of each file, by the line that names it."""
    return {one.partition(b"\n")[0]: one for one in patch.diff.split(b"diff --git ")[1:]}


@pytest.fixture(scope="module")
def odd(patch_of):
    made = sections(patch_of(ODD))
    assert len(made) == 6
    return made


@pytest.mark.parametrize("attributes", ATTRIBUTES.values(), ids=ATTRIBUTES)
def test_a_patch_is_of_the_bytes_that_are_there_whatever_attributes_the_agent_wrote(
    patch_of, odd, attributes
):
    made = sections(patch_of(ODD + attributes))
    assert {name: made.get(name) for name in odd} == odd
    more = b"".join(made[name] for name in made.keys() - odd.keys())
    assert more.count(b".gitattributes") > 1
    assert b"swerun" not in more


BASE_ATTRIBUTES = """
printf '*.txt text\nsub/* ident\n' >.gitattributes; printf '* -text\n' >gone/.gitattributes
printf 'cr\n' >c.txt; git add -A; git -c user.name=t -c user.email=t@t commit -qm attributes
"""
BY_COMMIT = r"printf 'cr\r\nlf\n' >c.txt; printf '$Id: x $\n' >sub/id; printf '\r\n' >gone/x.txt;"


@pytest.mark.parametrize(
    "attributes",
    [
        "true",
        "echo '* -text -ident' >.gitattributes",
        "echo '* working-tree-encoding=UTF-16' >>.gitattributes",
        "rm .gitattributes",
        "rm gone/.gitattributes; echo '* -text -ident' >sub/.gitattributes",
    ],
)
def test_attributes_of_the_commit_go_on_saying_what_a_patch_is_of(tmp_path, attributes):
    template = make_repository(tmp_path / "base", REPOSITORY + BASE_ATTRIBUTES)
    sandboxes = LocalSandboxes(template)
    with sandboxes.start(a_task(), role=Role.AGENT, attempt=1) as sandbox:
        assert sandbox.exec(BY_COMMIT + attributes, timeout=ENOUGH).exit_code == 0
        made = sections(take_patch(sandboxes, a_task(), sandbox, attempt=1))
    assert made[b"a/c.txt b/c.txt"].endswith(b" cr\n+lf\n")
    assert made[b"a/sub/id b/sub/id"].endswith(b"+$Id$\n")
    assert made[b"a/gone/x.txt b/gone/x.txt"].endswith(b"+\r\n")
    assert any(b".gitattributes" in name for name in made) is (attributes != "true")


@pytest.mark.parametrize(
    "script",
    [
        "true",
        "touch a.txt; git status",
        "echo x >x.ignored",
        "mkdir -p empty/folder",
        "echo x >new; rm new",
        "mkfifo pipe",
        "chmod 600 a.txt",
        "git -c user.name=a -c user.email=a@a commit -q --allow-empty -m nothing",
        "echo x >.git/x",
    ],
)
def test_where_nothing_changed_there_is_no_patch(patch_of, script):
    assert patch_of(script) == Patch(b"")


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("chmod +x script", ["old mode 100644", "new mode 100755"]),
        ("echo x >sub/new", ["diff --git a/sub/new b/sub/new", "new file mode 100644", "+x"]),
        ("rm -r gone", ["diff --git a/gone/file b/gone/file", "deleted file mode 100644", "-gone"]),
        ("ln -sf sub link", ["-a.txt", "+sub"]),
        ("printf '\\1\\0' >binary", ["GIT binary patch"]),
        (
            "git mv a.txt b.txt",
            ["deleted file mode 100644", "new file mode 100644", "+one", "-one"],
        ),
        ("rm .gitignore; echo x >x.ignored", ["diff --git a/x.ignored b/x.ignored"]),
        ("mkdir in; cd in; git init -q; echo x >x", ["diff --git a/in/x b/in/x"]),
        ("echo '*' >.gitignore; echo x >a.txt", ["+*", "+x"]),
        ("echo '* -diff' >.gitattributes; echo x >a.txt", ["GIT binary patch"]),
        (
            "echo '* filter=x diff=x merge=x ident export-ignore' >.gitattributes; echo x >a.txt",
            ["+x", "diff --git a/.gitattributes b/.gitattributes"],
        ),
        (
            "ln -s a.txt .gitattributes; ln -sf /dev/zero .gitignore; echo x >a.txt",
            ["+x", "+/dev/zero"],
        ),
        (
            "printf '[submodule \"s\"]\\npath=s\\nurl=../s\\n' >.gitmodules; mkdir s; echo x >s/x",
            ["diff --git a/s/x b/s/x"],
        ),
        ("ln -s ../../out out; ln -s / all; ln a.txt b.txt", ["+../../out", "+/", "+one"]),
    ],
)
def test_a_patch_says_what_changed_in_words_that_any_tool_reads(patch_of, tmp_path, script, lines):
    diff = patch_of(script).diff
    assert {*lines} <= {*diff.decode().splitlines()}
    assert b"rename" not in diff
    assert b"\x1b" not in diff
    applied(tmp_path / "clean", diff)


def test_a_name_that_git_refuses_does_not_cost_the_rest(patch_of):
    diff = patch_of("echo x >'git~1'; echo two >>a.txt").diff
    assert b"+two" in diff
    assert b"git~1" not in diff


def test_a_file_too_large_for_a_patch_is_left_behind_and_said_so(patch_of):
    made = patch_of("truncate -s 65M huge; echo two >>a.txt")
    assert b"huge" not in made.diff
    assert b"+two" in made.diff
    assert made.left_behind == ("huge",)
    assert patch_of("truncate -s 65M huge") == Patch(b"", ("huge",))


def test_what_git_cannot_make_a_patch_of_is_said_and_no_fault_of_the_machine(template, patch_of):
    class Failing(LocalSandbox):
        def exec(self, command, *, timeout):
            dies = how == "dies" and "add -A" in command
            if dies:
                raise SandboxLostError("the container ended")
            return super().exec("false" if "git diff" in command else command, timeout=timeout)

    class Broken(LocalSandboxes):
        @contextmanager
        def start(self, task, *, role, attempt):
            with super().start(task, role=role, attempt=attempt) as fresh:
                fields = (getattr(fresh, name) for name in LocalSandbox.__slots__)
                yield Failing(*fields)

    for how in ("dies", "fails"):  # noqa: B007 -- it is read above
        with LocalSandboxes(template).start(a_task(), role=Role.AGENT, attempt=1) as sandbox:
            sandbox.exec("echo two >>a.txt", timeout=ENOUGH)
            made = take_patch(Broken(template), a_task(), sandbox, attempt=1)
        assert made.diff == b""
        assert made.problem.startswith("no patch could be made of it: ")


def test_a_patch_that_is_too_large_is_cut_where_a_grader_knows_it(sandboxes):
    with sandboxes.start(a_task(), role=Role.AGENT, attempt=1) as sandbox:
        sandbox.exec("head -c 9000 /dev/urandom >huge; echo two >>a.txt", timeout=ENOUGH)
        made = take_patch(sandboxes, a_task(), sandbox, attempt=1, largest=5000)
    assert len(made.diff) == 5001


def test_what_looks_forgotten_is_in_the_patch_and_named(patch_of):
    made = patch_of("echo x >reproduce.py; echo x >sub/new.py; echo two >>a.txt")
    assert b"reproduce.py" in made.diff
    assert made.left_behind == ("reproduce.py",)


@pytest.mark.parametrize(
    ("path", "forgotten"),
    [
        ("reproduce.py", True),
        ("src/reproduce_bug.py", True),
        ("src/Repro.py", True),
        ("new.py", True),
        ("test_it.py", True),
        ("src/test_it.py", True),
        ("src/__pycache__/a.cpython-311.pyc", True),
        (".pytest_cache/v/cache/lastfailed", True),
        ("src/a.py.orig", True),
        ("src/a.rej", True),
        ("src/.a.py.swp", True),
        ("src/a.py", False),
        ("src/report.py", False),
        ("src/tests/test_it.py", False),
        ("tests/test_it.py", False),
        ("test/test_it.py", False),
        ("docs/changes/1.rst", False),
        ("src/cache/a.py", False),
    ],
)
def test_looks_forgotten(path, forgotten):
    assert looks_forgotten(path) is forgotten


@pytest.mark.docker
def test_the_patch_of_a_container_that_died_is_taken_with_a_git_that_nobody_touched(
    docker_sandboxes, images
):
    sandboxes, task = docker_sandboxes(), a_task(images["sh"])
    with sandboxes.start(task, role=Role.AGENT, attempt=1) as sandbox:
        own_git = (
            "printf '#!/bin/sh\\necho mine\\n' >/usr/local/bin/git; chmod +x /usr/local/bin/git"
        )
        settings = (
            "git config --global core.fileMode false; git config --system core.symlinks false"
        )
        work = "echo two >>a.txt; chmod +x script; ln -sf sub link; touch $(printf 'caf\\351')"
        with pytest.raises(SandboxLostError):
            sandbox.exec(f"{settings}; {own_git}; {work}; kill -9 -1", timeout=ENOUGH)
        made = take_patch(sandboxes, task, sandbox, attempt=1)
    lines = made.diff.splitlines()
    assert {b"+two", b"new mode 100755", b"+sub"} <= {*lines}
    assert b'diff --git "a/caf\\351" "b/caf\\351"' in lines


@pytest.fixture
def ahead(docker_sandboxes, engine):
    """As runs have them: what nobody waits for is done beside the rest."""
    yield replace(docker_sandboxes(), beside=True)
    assert until(lambda: not leftovers(engine, run=OWN_RUN))


def until(it):
    deadline = time.monotonic() + ENOUGH
    while not it() and time.monotonic() < deadline:
        time.sleep(0.05)
    return it()


def beside(engine, sandbox):
    """The containers in which its patch could be made."""
    labels = sandbox.container.labels
    own = [f"swerun.run={labels['swerun.run']}", "swerun.role=patch"]
    return engine.containers.list(filters={"label": own})


@pytest.mark.docker
def test_a_patch_is_made_in_a_container_that_was_made_ready(ahead, images, engine):
    with ahead.start(a_task(images["sh"]), role=Role.AGENT, attempt=1) as sandbox:
        (ready,) = until(lambda: beside(engine, sandbox))
        sandbox.exec("echo two >>a.txt", timeout=ENOUGH)
        assert b"+two" in take_patch(ahead, a_task(images["sh"]), sandbox, attempt=1).diff
        assert beside(engine, sandbox) == [ready]


@pytest.mark.docker
def test_where_that_was_removed_meanwhile_it_is_made_in_another(ahead, images, engine):
    with ahead.start(a_task(images["sh"]), role=Role.AGENT, attempt=1) as sandbox:
        sandbox.pristine.tree()
        (ready,) = beside(engine, sandbox)
        ready.remove(force=True)
        sandbox.exec("echo two >>a.txt", timeout=ENOUGH)
        assert b"+two" in take_patch(ahead, a_task(images["sh"]), sandbox, attempt=1).diff
        assert ready not in beside(engine, sandbox)


@pytest.mark.docker
def test_no_container_makes_a_second_patch(ahead, images):
    task = a_task(images["sh"])
    with ahead.start(task, role=Role.AGENT, attempt=1) as sandbox:
        for command, is_new in (("echo x >new", True), ("rm new; echo two >>a.txt", False)):
            sandbox.exec(command, timeout=ENOUGH)
            made = take_patch(ahead, task, sandbox, attempt=1).diff
            assert (b"+++ b/new" in made) is is_new
