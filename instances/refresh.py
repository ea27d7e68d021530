#!/usr/bin/env python3
"""Make every derived file of the sample again from `repos/*.fi` and the `task.yaml` files.

Derived are history-1.fi, history-2.fi (where there is more), gold.patch, test.patch, eval.sh and
Dockerfile. With `--check` nothing is written; what differs is said, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml
from git import Repo

from swerun.repos import history

SAMPLE = Path(__file__).resolve().parent / "sample"
DIFF = ("--no-color", "--no-ext-diff", "--no-renames", "--binary", "--full-index")
TESTED = re.compile(r"^diff --git a/(\S+) b/", re.MULTILINE)

# A layer costs some storage drivers seconds: the first part is as few as can be, and shared by all
# instances of a repository; the second is there where there is more history to add.
DOCKERFILE = """\
FROM swerun/base:bookworm
COPY history-1.fi /tmp/
RUN git init --quiet --initial-branch=main \\
    && git fast-import --quiet < /tmp/history-1.fi \\
    && git reset --quiet --hard main \\
    && rm -rf /tmp/history-1.fi .git/logs .git/ORIG_HEAD \\
    && test "$(git rev-parse HEAD)" = {first} \\
    && test -z "$(git status --porcelain)"
"""
DOCKERFILE_MORE = """\
COPY history-2.fi /tmp/
RUN git fast-import --quiet < /tmp/history-2.fi \\
    && git reset --quiet --hard main \\
    && rm -rf /tmp/history-2.fi .git/logs .git/ORIG_HEAD \\
    && test "$(git rev-parse HEAD)" = {base} \\
    && test -z "$(git status --porcelain)"
"""

EVAL = """\
#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff {base}
git checkout {base} {known}
git apply -v - <<'EOF_114329324912'
{patch}
EOF_114329324912
: '>>>>> Start Test Output'
{command}
: '>>>>> End Test Output'
git checkout {base} {known}
"""


@dataclass(frozen=True, slots=True)
class Instance:
    folder: Path
    repo: str
    base: str
    log_parser: str


def instances() -> list[Instance]:
    found = []
    for path in sorted(SAMPLE.glob("tasks/*/task.yaml")):
        task = yaml.safe_load(path.read_text(encoding="utf-8"))
        name = task["repo"].rpartition("/")[2]
        found.append(Instance(path.parent, name, task["base_commit"], task["log_parser"]))
    return found


def test_command(log_parser: str, files: list[str]) -> str:
    if log_parser == "parse_log_django":
        modules = [file.removesuffix(".py").replace("/", ".") for file in files]
        return f"python3 -m unittest -v {' '.join(modules)}"
    runner = {
        "parse_log_pytest": "python3 -m pytest -rA -p no:cacheprovider",
        "parse_log_sympy": "bin/test",
    }[log_parser]
    return f"{runner} {' '.join(files)}"


def diff(repo: Repo, base: str, fix: str, *paths: str) -> str:
    made: str = repo.git.diff(*DIFF, base, fix, "--", *paths, strip_newline_in_stdout=False)
    return made


def derived(repo: Repo, instance: Instance, first: str) -> Iterator[tuple[Path, bytes]]:
    """(path, content) of all derived files; `first` is the repository's earliest base commit."""
    folder, base = Path(repo.working_dir), instance.base
    fix = repo.git.rev_list("--reverse", "--first-parent", f"{base}..main").split()[0]
    test_patch = diff(repo, base, fix, "tests")
    files = TESTED.findall(test_patch)
    known = [file for file in files if repo.git.ls_tree("--name-only", base, "--", file)]
    script = EVAL.format(
        base=base,
        known=" ".join(known),
        patch=test_patch.rstrip("\n"),
        command=test_command(instance.log_parser, files),
    )
    yield instance.folder / "history-1.fi", history.export(folder, first)
    yield instance.folder / "gold.patch", diff(repo, base, fix, ".", ":!tests").encode()
    yield instance.folder / "test.patch", test_patch.encode()
    yield instance.folder / "eval.sh", script.encode()
    dockerfile = DOCKERFILE.format(first=first)
    if base != first:
        yield instance.folder / "history-2.fi", history.export(folder, base, since=first)
        dockerfile += DOCKERFILE_MORE.format(base=base)
    yield instance.folder / "Dockerfile", dockerfile.encode()


def all_derived() -> Iterator[tuple[Path, bytes]]:
    chosen = instances()
    for name in sorted({instance.repo for instance in chosen}):
        own = [instance for instance in chosen if instance.repo == name]
        with tempfile.TemporaryDirectory() as scratch:
            stream = (SAMPLE / "repos" / f"{name}.fi").read_bytes()
            history.restore([stream], Path(scratch))
            with Repo(scratch) as repo:
                order = repo.git.rev_list("--reverse", "main").split()
                first = min((instance.base for instance in own), key=order.index)
                for instance in own:
                    yield from derived(repo, instance, first)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--check", action="store_true", help="write nothing, say what differs")
    check = options.parse_args().check
    changed = [
        (path, content)
        for path, content in all_derived()
        if not path.is_file() or path.read_bytes() != content
    ]
    for path, content in changed:
        print(f"{path.relative_to(SAMPLE)} {'differs' if check else 'written'}")
        if not check:
            path.write_bytes(content)
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main())
