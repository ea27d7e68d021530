"""PHPUnit's `--testdox`: the class in a line of its own, its tests below it."""

from __future__ import annotations

import re

from swerun.grading.parsers.lines import CLOSED, Results, gathered
from swerun.records import TestStatus

_CLASS = re.compile(rf"{CLOSED}(\w.+) \(.+\)")
_TEST = re.compile(r"\s*([✔✘↩])\s*(.*)")
_MARKS = {"✔": TestStatus.PASSED, "✘": TestStatus.FAILED, "↩": TestStatus.SKIPPED}


def parse_phpunit(log: str) -> dict[str, TestStatus]:
    """`Class in words > Test in words`."""
    return gathered(log, _results(log))


def _results(log: str) -> Results:
    named = None
    for line in log.split("\n"):
        heading = _CLASS.fullmatch(line)
        if heading:
            named = heading[1]
        elif test := _TEST.fullmatch(line):
            yield f"{named} > {test[2]}", _MARKS[test[1]]
