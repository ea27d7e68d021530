"""Whether a patch is whole: each hunk as long as its header says, and nothing between that is none.

`git apply` is lenient: lines after the end of a hunk are passed over, so that a wrong count loses
a part of a change without a word. The grammar is that of git-diff(1), "Generating patch text".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_EXTENDED = re.compile(
    r"(?:old|new|deleted file|new file) mode \d{6}"
    r"|(?:copy|rename) (?:from|to|old|new) .+"
    r"|(?:dis)?similarity index \d+%"
    r"|index [0-9a-f,]+\.\.[0-9a-f]+(?: \d{6})?"
)
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@.*")
_BINARY = re.compile(r"Binary files .+ and .+ differ|GIT binary patch")
_DATA = re.compile(r"(?:literal|delta) \d+")
_BASE85 = re.compile(r"[A-Za-z](?:[0-9A-Za-z!#$%&()*+;<=>?@^_`{|}~-]{5})+")
_BETWEEN = re.compile(r"|diff .*|Index: .*|=+|Only in .*")  # of diff -r and svn; blank lines
_SIGNATURE = "-- "  # git format-patch ends with it and its version


class FlawError(ValueError):
    """What is wrong with a diff, with the number of its line, counted from 1."""


@dataclass
class Cursor:
    """The lines of a diff, read one after another; headers lose a CR, content keeps it."""

    lines: Sequence[str]
    at: int = 0

    @property
    def line(self) -> str | None:
        return self.lines[self.at].removesuffix("\r") if self.at < len(self.lines) else None

    def flaw(self, expected: str) -> FlawError:
        found = "its end" if self.line is None else repr(self.line[:80])
        return FlawError(f"line {self.at + 1}: found {found}, expected {expected}")


def check_diff(text: str) -> None:
    """Raises FlawError for the first thing that is wrong. Text before the first file is a message.

    Accepts what git writes: renames, modes, binary patches, missing ends of last lines; and plain
    diffs. Content may have any line ends.
    """
    lines = text.split("\n")
    here = Cursor(lines[:-1] if lines[-1] == "" else lines)
    _message(here)
    while here.line is not None:
        _file(here)


def _message(here: Cursor) -> None:
    while here.line is not None and not _begins_file(here):
        if _HUNK.fullmatch(here.line):
            raise here.flaw("the header of a file before its hunks")
        here.at += 1


def _begins_file(here: Cursor) -> bool:
    after = here.lines[here.at + 1] if here.at + 1 < len(here.lines) else ""
    line = here.line or ""
    return line.startswith("diff --git ") or (line.startswith("--- ") and after[:4] == "+++ ")


def _file(here: Cursor) -> None:
    """One file: its headers and its hunks, or lines between two files."""
    line = here.line or ""
    if line.startswith("diff --git "):
        here.at += 1
        _extended(here)
    elif _begins_file(here):
        _hunks(here)
    elif line == _SIGNATURE:
        _message(here)
    elif _BETWEEN.fullmatch(line):
        here.at += 1
    else:
        raise here.flaw("the next hunk or file: a hunk is as long as its header says")


def _extended(here: Cursor) -> None:
    began = here.at
    while here.line is not None and _EXTENDED.fullmatch(here.line):
        here.at += 1
    if here.line is not None and _BINARY.fullmatch(here.line):
        _binary(here)
    elif _begins_file(here) and (here.line or "").startswith("--- "):
        _hunks(here)
    elif here.at == began or not (here.line is None or _begins_file(here) or _is_between(here)):
        raise here.flaw("a line of a file's header, or `---` and `+++`")


def _is_between(here: Cursor) -> bool:
    return here.line == _SIGNATURE or bool(_BETWEEN.fullmatch(here.line or ""))


def _hunks(here: Cursor) -> None:
    here.at += 2
    if not _HUNK.fullmatch(here.line or ""):
        raise here.flaw("a hunk's header, as @@ -1,3 +1,4 @@")
    while header := _HUNK.fullmatch(here.line or ""):
        began, old, new = here.at + 1, int(header[1] or 1), int(header[2] or 1)
        here.at += 1
        while old or new:
            kind = (here.line or " ")[0]
            if here.line is None or kind not in " +-\\":
                raise here.flaw(f"{old} old and {new} new lines more of the hunk of line {began}")
            old -= kind in " -"
            new -= kind in " +"
            if min(old, new) < 0:
                raise here.flaw(f"no such line: the hunk of line {began} says fewer of them")
            here.at += 1
        if (here.line or "").startswith("\\ "):
            here.at += 1


def _binary(here: Cursor) -> None:
    is_data = here.line == "GIT binary patch"
    here.at += 1
    if is_data and not _DATA.fullmatch(here.line or ""):
        raise here.flaw("`literal` or `delta` and a size")
    while is_data and _DATA.fullmatch(here.line or ""):
        here.at += 1
        while here.line:
            if not _BASE85.fullmatch(here.line):
                raise here.flaw("a line of a binary patch, or an empty one")
            here.at += 1
        if here.line is None:
            raise here.flaw("an empty line after a binary patch")
        here.at += 1
