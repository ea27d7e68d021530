"""Diffs as git writes them, of files given as text."""

from __future__ import annotations

import difflib


def diff(path: str, old: str | None, new: str | None, *, mode: str = "100644") -> str:
    """Of one file; None is no file."""
    head = f"diff --git a/{path} b/{path}\n"
    if old is None:
        head += f"new file mode {mode}\n"
    if new is None:
        head += f"deleted file mode {mode}\n"
    names = [
        "/dev/null" if old is None else f"a/{path}",
        "/dev/null" if new is None else f"b/{path}",
    ]
    lines = difflib.unified_diff(
        (old or "").splitlines(keepends=True), (new or "").splitlines(keepends=True), *names
    )
    return head + "".join(lines)


def adding(path: str, text: str, *, mode: str = "100644") -> str:
    return diff(path, None, text.strip("\n") + "\n", mode=mode)
