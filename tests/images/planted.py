"""A project with a past and a future, a tree of files that looks like an image, and leaks in it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from swerun.records import Task

# Commits of four months, the second of which is the task's; `v1` is of the first, `v2` of the last.
UPSTREAM = r"""
git init -q --initial-branch=main .
commit() {
    export GIT_AUTHOR_DATE="2024-0$1-01T12:00:00Z" GIT_COMMITTER_DATE="2024-0$1-01T12:00:00Z"
    git add -A && git commit -qm "$2"
}
test_of() { printf 'from cron.parse import parse\n\ndef test_it():\n    assert parse(%s)\n' "$1"; }
setup_of() { printf 'from setuptools import setup\nsetup(name="cron", version="%s")\n' $1; }
mkdir cron tests docs
echo '# Cron lines.' >cron/__init__.py
printf 'def nearest(times, now):\n    return min(t for t in times if t > now)\n' >cron/near.py
printf 'def parse(line):\n    return line.split()\n' >cron/parse.py
test_of '"* *"' >tests/test_parse.py
setup_of 1 >setup.py
echo 'unknown' >cron/_version.py
echo 'FIELDS = 5' >cron/fields.py
echo 'Reads cron lines.' >README
echo '# how it is used' >docs/use.md
commit 1 'Begin'
GIT_COMMITTER_DATE="2024-01-02T12:00:00Z" git tag -am 'The first' v1
printf 'def parse(line):\n    return line.strip().split()\n' >cron/parse.py
commit 2 'Strip lines'
printf 'def parse(line):\n    return line.split("#")[0].strip().split()\n' >cron/parse.py
test_of '"* # *") == ["*"]' >tests/test_parse.py
commit 3 'Fix comments at the end of lines'
printf 'VERSION = 2\n' >cron/version.py
setup_of 2 >setup.py
commit 4 'Release 2'
git tag -am 'The second' v2
"""
BASE = "main~2"
PLAIN = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
WHO = {
    f"GIT_{who}_{key}": value
    for who in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "A U Thor", "EMAIL": "a@example.org"}.items()
}


def shell(script: str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        ["bash", "-ec", script],
        cwd=folder,
        env=os.environ | PLAIN | WHO | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@dataclass(frozen=True)
class FolderPlace:
    """A folder as the files of an image."""

    root: Path

    def names(self) -> list[str]:
        return [f"/{path.relative_to(self.root)}" for path in self.root.rglob("*")]

    def archive(self, path: str) -> Iterator[bytes]:
        there = self.root / path.lstrip("/")
        if not (there.exists() or there.is_symlink()):
            raise FileNotFoundError(path)
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w") as tar:
            tar.add(there, arcname=there.name)
        yield made.getvalue()

    def change(self, removed: Sequence[str], tree: IO[bytes] | None) -> None:
        for path in removed:
            there = self.root / path.lstrip("/")
            shutil.rmtree(there) if there.is_dir() else there.unlink(missing_ok=True)
        if tree:
            with tarfile.open(fileobj=tree) as tar:
                tar.extractall(self.root, filter="tar")


def upstream(folder: Path) -> Path:
    """The whole project."""
    folder.mkdir()
    shell(UPSTREAM, folder)
    return folder


def an_image(root: Path, source: Path) -> FolderPlace:
    """The project at its base commit in `/testbed`, with no more history than that."""
    for name in ("testbed", "root", "opt", "var", "srv"):
        (root / name).mkdir(parents=True)
    shell(LAID_OUT, root / "testbed", UP=str(source), ROOT=str(root))
    return FolderPlace(root)


LAID_OUT = f"""
git init -q --initial-branch=main .
base=$(git -C "$UP" rev-parse {BASE})
git -C "$UP" rev-list --objects $base | cut -d ' ' -f 1 >"$ROOT/wanted"
git -C "$UP" pack-objects -q --stdout <"$ROOT/wanted" | git unpack-objects -q
rm "$ROOT/wanted"
git update-ref refs/heads/main $base
git checkout -q -f main
rm -rf .git/logs .git/ORIG_HEAD
"""


def a_task(source: Path) -> Task:
    commit = shell(f"git rev-parse {BASE}", source)
    return Task(
        id="org__cron-1", repo="org/cron", base_commit=commit, problem_statement="", image="made"
    )


def plant(script: str, place: FolderPlace, source: Path) -> None:
    """Run a script in `/testbed`: `up` is git in the whole project at `$UP`, `$ROOT` the image."""
    shell(WORDS + script, place.root / "testbed", UP=str(source), ROOT=str(place.root))


WORDS = """
up() { git -C "$UP" "$@"; }
fetch() { git fetch -q --no-tags --no-write-fetch-head "$UP" main; }
export_to() { mkdir -p "$ROOT$1"; up archive $2 $3 | tar x -C "$ROOT$1"; }
another() {
    git init -q "$1"
    cd "$1"
    echo 1 >it; git add it; git commit -qm One
    git branch next; git checkout -q next
    echo 2 >it; git commit -qam Two
    git checkout -q -
    cd - >/dev/null
}
metadata() {
    mkdir -p "$ROOT$1"
    printf 'Name: %s\\nRequires-Dist: %s\\n' x "$2" >"$ROOT$1/METADATA"
}
later=$(up rev-parse main)
site=/usr/lib/python3/site-packages
"""
# Ways to leave the future in an image: what is found first, and how it is planted.
LEAKS = {
    "a branch": ("branch", "fetch; git branch next $later"),
    "a packed branch": ("branch", "fetch; git branch next $later; git pack-refs --all"),
    "a branch of the past": ("branch", "git branch old main~1"),
    "a branch beside a detached HEAD": (
        "branch",
        "fetch; git checkout -q --detach; git branch -f main $later",
    ),
    "a branch that leads to nothing": ("branch", "echo $later >.git/refs/heads/lost"),
    "a remote branch": ("remote branch", "fetch; git update-ref refs/remotes/origin/x $later"),
    "a tag": ("tag", "fetch; git tag later $later~1"),
    "an annotated tag": ("tag", 'git fetch -q --no-write-fetch-head "$UP" tag v2'),
    "a later tag of the past": (
        "tag",
        'GIT_COMMITTER_DATE="2024-06-01T12:00:00Z" git tag -am "split at # in 2" v1.1 main',
    ),
    "a note": ("note", 'git notes add -m "mended in 2 by split(#)" HEAD'),
    "a stash": ("stash", "echo 1 >>README; git stash -q"),
    "a replacement": ("replacement", "fetch; git replace HEAD~1 $later"),
    "a bisection": ("reference", "fetch; git update-ref refs/bisect/bad $later"),
    "a pull request": ("reference", "fetch; git update-ref refs/pull/7/head $later"),
    "ORIG_HEAD": ("pointer", "echo $later >.git/ORIG_HEAD"),
    "FETCH_HEAD": ("pointer", 'git fetch -q --no-tags "$UP" main'),
    "a reflog": (
        "reflog",
        "fetch; git reset -q --hard $later; git reset -q --hard main@{1}; rm .git/ORIG_HEAD",
    ),
    "objects": ("object", "fetch"),
    "one object": ("object", "echo 'split(#)' | git hash-object -w --stdin"),
    "a pack without an index": (
        "object",
        'up pack-objects -q --all "$PWD/.git/objects/pack/pack" </dev/null; '
        "rm .git/objects/pack/*.idx",
    ),
    "a pack of a fetch that broke off": (
        "object",
        "up pack-objects -q --all --stdout >.git/objects/pack/tmp_pack_x </dev/null",
    ),
    "an alternate": (
        "alternate",
        'cp -r "$UP/.git" "$ROOT/store"; echo ../../../store/objects >.git/objects/info/alternates',
    ),
    "a history that is borrowed": (
        "alternate",
        'cp -r "$UP/.git" "$ROOT/store"; rm -rf .git/objects/??; '
        "echo ../../../store/objects >.git/objects/info/alternates",
    ),
    "a remote": ("remote", "git remote add origin https://token@example.org/org/cron.git"),
    "a worktree": ("worktree", 'fetch; git worktree add -q --detach "$ROOT/other" $later'),
    "a resolution": ("leftover", "mkdir -p .git/rr-cache/1; echo '#' >.git/rr-cache/1/postimage"),
    "a message": ("leftover", "echo 'Fix comments at the end' >.git/MERGE_MSG"),
    "what is staged": (
        "staged",
        "up show main:cron/parse.py >cron/parse.py; git add -A; "
        "git show HEAD:cron/parse.py >cron/parse.py",
    ),
    "a repository inside": ("branch", "another lib"),
    "a submodule": (
        "remote branch",
        'another "$ROOT/lib"; git -c protocol.file.allow=always submodule add -q ../lib lib; '
        'git rm -qf lib; rm -rf "$ROOT/lib"',
    ),
    "a clone elsewhere": ("repository", 'git clone -q "$UP" "$ROOT/root/cron-src"'),
    "a bare clone elsewhere": ("repository", 'git clone -q --bare "$UP" "$ROOT/var/store"'),
    "a shallow clone elsewhere": (
        "repository",
        'git clone -q --depth 1 "file://$UP" "$ROOT/opt/x"',
    ),
    "an installed package": (
        "copy",
        "export_to $site main cron; metadata $site/cron-2.dist-info x",
    ),
    "a package without metadata": ("copy", "export_to $site main cron"),
    "a package whose files were all written anew": (
        "copy",
        'export_to $site main cron; for f in "$ROOT$site"/cron/*; do echo "# new" >>$f; done',
    ),
    "a package of conda's": ("copy", "export_to /opt/conda/pkgs/cron-2-py_0/lib main cron"),
    "a checkout without git": ("copy", "export_to /srv/src main"),
    "a folder called after the project": ("copy", "export_to /srv/node_modules/cron main"),
    "a wheel": ("archive", 'echo >"$ROOT/root/cron-2-py3-none-any.whl"'),
    "a source archive": ("archive", 'up archive -o "$ROOT/Cron-2.0.tar.gz" main'),
    "a cache of pip's": (
        "cache",
        'cache="$ROOT/root/.cache/pip/http-v2/a"; mkdir -p "$cache"; echo >"$cache/1.body"',
    ),
}
V1 = 'git fetch -q --no-write-fetch-head "$UP" tag v1'
# What is in images as well, and shows nothing of the future.
HONEST = {
    "nothing": "",
    "the set-up commit of official images": "echo x >>setup.py; git commit -qam SWE-bench",
    "a tag of the past": V1,
    "a plain tag of the past": "git tag old main~1",
    "a packed tag of the past": f"{V1}; git pack-refs --all",
    "a reflog of the past": "git reset -q --hard main~1; git reset -q --hard main@{1}",
    "a detached HEAD": "git checkout -q --detach; git branch -q -D main",
    "a shallow history": "git rev-parse HEAD >.git/shallow; git prune",
    "changes that are not committed": "echo 1 >>cron/parse.py; echo new >new",
    "changes that are staged": "echo 1 >>cron/parse.py; echo new >new; git add -A",
    "an empty folder of resolutions": "mkdir .git/rr-cache",
    "a built copy": "export_to /testbed/build/lib main~2 cron",
    "an installed package of the base": (
        'export_to $site main~2 cron; echo 1.dev2 >"$ROOT$site/cron/_version.py"; '
        "metadata $site/cron-1.dist-info x"
    ),
    "an installed package of the past": "export_to $site v1 cron; metadata $site/cron-0.egg-info x",
    "an installed package of the work tree": (
        'export_to $site main~2 cron; echo 1 >>cron/parse.py; cp cron/parse.py "$ROOT$site/cron"'
    ),
    "a package of another project": (
        'mkdir -p "$ROOT$site/cron"; cd "$ROOT$site/cron"; echo 1 >near.py; echo 2 >parse.py'
    ),
    "another project": 'another "$ROOT/root/.pyenv"',
    "a clone of the past": 'git clone -q . "$ROOT/srv/cron"; cd "$ROOT/srv/cron"',
    "another project that has an empty file too": (
        ': >empty; git add -A; git commit -qm SWE-bench; git init -q "$ROOT/srv/x"; '
        'cd "$ROOT/srv/x"; : >empty; echo 1 >it; git add -A; git commit -qm One'
    ),
    "another project without a file": (
        'git init -q "$ROOT/srv/x"; git -C "$ROOT/srv/x" commit -q --allow-empty -m None'
    ),
    "repositories without an object": 'git init -q lib; git init -q --bare "$ROOT/srv/x"',
    "repositories that are none": (
        'mkdir -p lib/objects lib/refs; echo x >lib/HEAD; cp -r lib "$ROOT/srv/x"'
    ),
    "a repository that tests are made with": (
        'another "$ROOT/x"; mv "$ROOT/x/.git" tests/x; git add -A; git commit -qm SWE-bench'
    ),
    "an installed package with a file that was emptied": (
        'export_to $site main~2 cron; : >"$ROOT$site/cron/fields.py"'
    ),
    "archives of others": 'echo >"$ROOT/root/cron-utils-1.0.tar.gz"; echo >"$ROOT/cron.zip"',
    "an archive that is tracked": "echo >cron-2.zip; git add -A; git commit -qm SWE-bench",
}
# What is found and cannot be removed, and why.
STAYING = {
    "a HEAD two commits later": ("head", "work tree", "fetch; git reset -q --hard $later"),
    "a part of another package": (
        "copy",
        "it is a part of /usr/lib/pip/_vendor",
        'export_to /usr/lib/pip/_vendor main cron; echo >"$ROOT/usr/lib/pip/_vendor/__init__.py"',
    ),
    "a package that another one requires": (
        "copy",
        "conda-23 requires it",
        "export_to $site main cron; metadata $site/cron-2.dist-info x; "
        "metadata $site/conda-23.dist-info 'Cron (>=1)'",
    ),
    "a copy in the work tree": (
        "copy",
        "in the work directory",
        "export_to /testbed/.venv main cron",
    ),
    "an archive in the work tree": ("archive", "in the work directory", "echo >cron-2.tar.gz"),
    "a wheel of Python's": (
        "archive",
        "virtual environments",
        'wheels="$ROOT/usr/share/python-wheels"; mkdir -p "$wheels"; echo >"$wheels/cron-2.whl"',
    ),
    "references kept in another way": (
        "unreadable",
        "cannot read it",
        "git config core.repositoryformatversion 1; git config extensions.refStorage reftable",
    ),
}
