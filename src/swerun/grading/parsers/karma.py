"""karma's mocha reporter, as Preact and Fusion Next have it: suites are told by indentation."""

from __future__ import annotations

import re
from collections.abc import Iterator

from swerun.grading.parsers.lines import (
    Results,
    Suites,
    UnreadableError,
    blocks,
    gathered,
    indentation,
    without_colours,
)
from swerun.records import TestStatus

_MARKS = {"✔": TestStatus.PASSED, "✖": TestStatus.FAILED}
_LINE = re.compile(r"(\s*)([✔✖])?\s(.*)")
_NEXT = " xvfb-run "
_NEXT_STARTS = "Starting browser Chrome"
_NEXT_NOISE = ("ERROR", "LOG", "WARN", "Check", "in")
_NEXT_MESSAGE = (re.compile(r"AssertionError:\s+#"), re.compile(r"\n\n"))
_NEXT_MARKS = {"✗": TestStatus.FAILED, "✓": TestStatus.PASSED}


def parse_karma(log: str) -> dict[str, TestStatus]:
    """`suite > suite > name`, from the browser's start to the summary.

    A suite beside another of the same depth goes by the other's name, as in SWE-bench: what
    instances expect was named so.
    """
    return gathered(log, _karma(log))


def _karma(log: str) -> Results:
    suites: list[str] = []
    depth = -1
    for line in _karma_lines(log):
        indent, mark, name = line.groups()
        if mark:
            yield " > ".join([*suites, name]), _MARKS[mark]
        elif indent and len(indent) > depth:
            suites.append(name)
            depth = len(indent)
        elif indent and len(indent) < depth:
            if not suites:
                raise UnreadableError("more suites end than began")
            suites.pop()
            depth = len(indent)


def _karma_lines(log: str) -> Iterator[re.Match[str]]:
    started = False
    for line in log.split("\n"):
        if line.startswith("SUMMARY:"):
            return
        if "Starting browser" in line:
            started = True
        elif started and (match := _LINE.fullmatch(line)):
            yield match


def parse_next(log: str) -> dict[str, TestStatus]:
    """`suite - suite - name`, for each command that the trace shows."""
    plain = without_colours(log)
    kept, at = [], 0
    for begins, ends in blocks(plain, *_NEXT_MESSAGE):
        kept.append(plain[at : begins.start()])
        at = ends.end()
    return gathered(log, _next("".join([*kept, plain[at:]])))


def _next(log: str) -> Results:
    suites = Suites()
    for section in log.split(_NEXT)[1:]:
        for line in section.rsplit(_NEXT_STARTS, 1)[-1].split("\n"):
            if line.startswith("TOTAL"):
                break
            if line.strip().startswith(_NEXT_NOISE):
                continue
            mark = next((mark for mark in _NEXT_MARKS if mark in line), None)
            if mark:
                test = line.split(mark, 1)[1].lstrip()
                yield suites.name(test), _NEXT_MARKS[mark]
            elif indentation(line):
                suites.heading(line)
