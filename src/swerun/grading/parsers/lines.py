"""What parsers of several families are made of. All of it takes time in proportion to the log.

A log is what a patch wanted to be printed, so a pattern that tries again from every place of a long
line, or of the log, would let one patch hold up a run. Hence `++` and `(?>`, which never go back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from swerun.records import TestStatus

Parser = Callable[[str], dict[str, TestStatus]]
Results = Iterator[tuple[str, TestStatus]]

# `(?=...)` at the beginning of a pattern: the line ends with a bracket
CLOSED = r"(?=.*+(?<=\)))"
_COLOUR = re.compile(r"\x1B(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])")
# Suites come before the names of all of their tests, so that names may be longer than the log.
# Those of real logs are not three times as long.
_ROOM = 30


class UnreadableError(Exception):
    """The log cannot be what the runner printed."""


def gathered(log: str, results: Iterable[tuple[str, TestStatus]]) -> dict[str, TestStatus]:
    """Of a name's results the last. None at all where `results` raises UnreadableError.

    There the official parsers end in an error, and nothing is resolved. What is beyond all
    proportion to the log is not taken.
    """
    found: dict[str, TestStatus] = {}
    room = _ROOM * len(log)
    try:
        for name, status in results:
            room -= len(name)
            if room < 0:
                break
            found[name] = status
    except UnreadableError:
        return {}
    return found


def _named(match: re.Match[str]) -> str:
    return match["name"]


def by_line(
    pattern: str,
    marks: Mapping[str, TestStatus],
    name_of: Callable[[re.Match[str]], str] = _named,
) -> Parser:
    """Lines, without blanks around, that `pattern` matches as a whole: a `mark` and a `name`."""
    line_of = re.compile(pattern)

    def parse(log: str) -> dict[str, TestStatus]:
        found = {}
        for line in log.split("\n"):
            match = line_of.fullmatch(line.strip())
            if match and match["mark"] in marks:
                found[name_of(match)] = marks[match["mark"]]
        return found

    return parse


def without_colours(log: str) -> str:
    return _COLOUR.sub("", log)


def blocks(
    log: str, opening: re.Pattern[str], closing: re.Pattern[str]
) -> Iterator[tuple[re.Match[str], re.Match[str]]]:
    """Each `opening` with the first `closing` after it; the next begins where that has ended."""
    at = 0
    while (begins := opening.search(log, at)) and (ends := closing.search(log, begins.end())):
        yield begins, ends
        at = ends.end()


def after(heading: re.Pattern[str], log: str, end: str) -> Iterator[str]:
    """What is between a `heading` and the line's end, of lines that end with `end`, without it."""
    at = line_ends = 0
    while match := heading.search(log, at):
        if match.end() > line_ends:
            line_ends = log.find("\n", match.end())
        if line_ends < 0:
            return
        ends = line_ends - len(end)
        found = ends >= match.end() and log.startswith(end, ends)
        at = line_ends + 1 if found else match.start() + 1
        if found:
            yield log[match.end() : ends]


class Suites:
    """The headings over a test, outermost first, told by how far they are indented."""

    def __init__(self) -> None:
        self._open: list[tuple[str, int]] = []

    def __bool__(self) -> bool:
        return bool(self._open)

    def heading(self, line: str) -> None:
        indent = indentation(line)
        while self._open and self._open[-1][1] >= indent:
            self._open.pop()
        self._open.append((line.strip(), indent))

    def name(self, test: str) -> str:
        return " - ".join([*(heading for heading, _ in self._open), test])


def indentation(line: str) -> int:
    return len(line) - len(line.lstrip())
