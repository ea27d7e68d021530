"""A file's text, and exact changes of it. Pure; what cannot be done says why, to a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

LONGEST_LINE = 2000  # characters that are shown of one
AROUND = 3  # lines shown before and after a change
NEAREST = 3  # lines that are shown where a text was not found
COMPARED = 4000  # lines that are looked through for them
NUMBERED = re.compile(r"^ *\d+\t")


class NotDoneError(Exception):
    """Why a change or a view is not made."""


@dataclass(frozen=True, slots=True)
class Document:
    """`text` has line feeds alone where all lines of the file end in CRLF: then `crlf` is set.

    Bytes that are no UTF-8 are kept as they are.
    """

    text: str
    crlf: bool = False

    @classmethod
    def of(cls, data: bytes) -> Document:
        """Raises NotDoneError for a binary file, which is one with a NUL in it."""
        if b"\0" in data:
            raise NotDoneError(f"it is a binary file of {len(data)} bytes")
        text = data.decode(errors="surrogateescape")
        crlf = 0 < text.count("\n") == text.count("\r\n")
        return cls(text.replace("\r\n", "\n") if crlf else text, crlf)

    def encoded(self) -> bytes:
        text = self.text.replace("\n", "\r\n") if self.crlf else self.text
        return text.encode(errors="surrogateescape")

    @property
    def lines(self) -> list[str]:
        """Without their ends; none of an empty file."""
        lines = self.text.split("\n")
        return lines[:-1] if lines[-1] == "" else lines

    def taken(self, text: str) -> str:
        """What a model wrote, with the ends of lines that this document is kept with."""
        return text.replace("\r\n", "\n") if self.crlf else text


@dataclass(frozen=True, slots=True)
class Changed:
    """A document after a change, and the lines (from 1) that are new in it."""

    document: Document
    first: int
    last: int


def replaced(document: Document, old: str, new: str) -> Changed:
    """`old` is in it exactly once, and becomes `new`. Raises NotDoneError."""
    text, old, new = document.text, document.taken(old), document.taken(new)
    if not old:
        raise NotDoneError("old_str is empty: to add lines use insert")
    if old == new:
        raise NotDoneError("old_str and new_str are the same")
    places = _places(text, old)
    if not places:
        raise NotDoneError(_missing(document, old))
    if len(places) > 1:
        lines = ", ".join(str(text.count("\n", 0, place) + 1) for place in places[:10])
        more = " and more" if len(places) > 10 else ""
        raise NotDoneError(
            f"old_str is there {len(places)} times, at the lines {lines}{more}: give more of the "
            "lines around the one that is meant"
        )
    place = places[0]
    first = text.count("\n", 0, place) + 1
    made = replace(document, text=text[:place] + new + text[place + len(old) :])
    return Changed(made, first, first + new.rstrip("\n").count("\n"))


def inserted(document: Document, after: int, new: str) -> Changed:
    """`new` as lines of their own after line `after`, 0 being the beginning. Raises NotDoneError.

    Whether the last line has an end stays as it was.
    """
    lines, added = document.lines, document.taken(new).removesuffix("\n").split("\n")
    if not 0 <= after <= len(lines):
        raise NotDoneError(f"insert_line has to be from 0 to {len(lines)}, the lines of the file")
    end = "\n" if document.text.endswith("\n") or not lines else ""
    text = "\n".join([*lines[:after], *added, *lines[after:]]) + end
    return Changed(replace(document, text=text), after + 1, after + len(added))


def _places(text: str, old: str) -> list[int]:
    found, at = list[int](), text.find(old)
    while at >= 0:
        found.append(at)
        at = text.find(old, at + 1)
    return found


def _missing(document: Document, old: str) -> str:
    """What is said of a text that is not there: the lines that may have been meant."""
    wanted = old.split("\n")
    bare = [NUMBERED.sub("", line) for line in wanted]
    if bare != wanted and "\n".join(bare) in document.text:
        return "old_str has line numbers in it, which are no part of the file: leave them out"
    lines = document.lines
    if at := _but_for_blanks(lines, wanted):
        seen = numbered(lines[at - 1 : at - 1 + len(wanted)], at)
        return f"old_str is not there. But for blanks it is like these lines:\n{seen}"
    longest = max(wanted, key=lambda line: len(line.strip()))
    near = get_close_matches(longest, lines[:COMPARED], n=NEAREST, cutoff=0.6)
    at_lines = sorted({lines.index(line) + 1 for line in near})
    if not at_lines:
        return "old_str is not there, nor anything like it: view the file first"
    seen = "\n".join(numbered([lines[at - 1]], at) for at in at_lines)
    return f"old_str is not there. It has to be exact. The nearest lines are:\n{seen}"


def _but_for_blanks(lines: Sequence[str], wanted: Sequence[str]) -> int:
    """The line (from 1) where `wanted` begins, if blanks did not count; 0 where it is not."""
    bare, ours = ["".join(line.split()) for line in wanted], ["".join(li.split()) for li in lines]
    while bare and not bare[-1]:
        bare.pop()
    if not bare:
        return 0
    starts = (at for at, line in enumerate(ours) if line == bare[0])
    return next((at + 1 for at in starts if ours[at : at + len(bare)] == bare), 0)


def numbered(lines: Sequence[str], first: int) -> str:
    return "\n".join(f"{number:6}\t{_cut(line)}" for number, line in enumerate(lines, first))


def _cut(line: str) -> str:
    more = len(line) - LONGEST_LINE
    shown = line.encode(errors="replace").decode()  # what is no UTF-8 no endpoint takes
    return shown if more <= 0 else f"{shown[:LONGEST_LINE]} [... {more} more characters]"


def shown(lines: Sequence[str], first: int, keep: int) -> str:
    """Lines with their numbers, from `first` on, as many as `keep` characters hold."""
    text = numbered(lines, first)
    if len(text) <= keep:
        return text
    whole = text[:keep].rpartition("\n")[0] or text[:keep]
    left, last = first + whole.count("\n") + 1, first + len(lines) - 1
    return f"{whole}\n[... lines {left} to {last} are not shown: view them with view_range ...]"


def around(changed: Changed, keep: int) -> str:
    """What a change has made of the lines around it."""
    first, last = max(1, changed.first - AROUND), changed.last + AROUND
    return shown(changed.document.lines[first - 1 : last], first, keep)


def range_of(given: Sequence[object] | None, number: int) -> tuple[int, int]:
    """The lines that a view asks for, of `number` that there are. Raises NotDoneError."""
    if not given:
        return 1, number
    try:
        first, last = (int(str(line)) for line in given)
    except ValueError as error:
        raise NotDoneError("view_range has to be two numbers, as [11, 20]") from error
    last = number if last == -1 else min(last, number)
    if not 1 <= first <= last:
        raise NotDoneError(f"view_range has to lie in the lines 1 to {number} of the file")
    return first, last
