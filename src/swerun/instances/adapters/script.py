"""Eval scripts for rows that bring a test command and no script, in SWE-bench's form."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from swerun.records import END, START

_FILE = re.compile(r"^diff --git a/.* b/(.*)\n((?:(?!diff --git |@@ ).*\n)*)", re.MULTILINE)
_HEREDOC = "EOF_114329324912"
_NOT_TESTS = (
    ".json",
    ".png",
    "csv",
    ".txt",
    ".md",
    ".jpg",
    ".jpeg",
    ".pkl",
    ".yml",
    ".yaml",
    ".toml",
)


def eval_script(
    base_commit: str, test_patch: str, before: Sequence[str], tests: Sequence[str]
) -> str:
    """`before`, the test patch on files as they were at the base commit, the commands `tests`
    between the markers, and the files back again.

    Files that the test patch makes are removed before, so that a patch cannot keep it from
    applying by making them first.
    """
    reset = _reset(base_commit, test_patch)
    lines = [
        "#!/bin/bash",
        "set -uxo pipefail",
        "git config --global --add safe.directory '*'",
        "cd /testbed",
        *before,
        *reset,
        f"git apply -v - <<'{_HEREDOC}'\n{test_patch.rstrip(chr(10))}\n{_HEREDOC}",
        f": '{START}'",
        *tests,
        f": '{END}'",
        *reset,
    ]
    return "\n".join(lines) + "\n"


def files_of_tests(test_patch: str) -> list[str]:
    """The files of a test patch that can be given to a test runner (as swebench 4 chooses them)."""
    return [name for name, _ in _FILE.findall(test_patch) if not name.endswith(_NOT_TESTS)]


def _reset(base_commit: str, test_patch: str) -> list[str]:
    found = _FILE.findall(test_patch)
    new = [shlex.quote(name) for name, header in found if "new file mode" in header]
    old = [shlex.quote(name) for name, header in found if "new file mode" not in header]
    return ([f"git checkout {base_commit} {' '.join(old)}"] if old else []) + (
        [f"rm -rf {' '.join(new)}"] if new else []
    )
