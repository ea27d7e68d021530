"""Java's build tools: maven, one test a build; gradle and ant, one line a test."""

from __future__ import annotations

import re
from collections import deque

from swerun.grading.parsers.lines import by_line
from swerun.records import TestStatus

_BUILDS = {"BUILD SUCCESS": TestStatus.PASSED, "BUILD FAILURE": TestStatus.FAILED}
_STATUSES = {"PASSED": TestStatus.PASSED, "FAILED": TestStatus.FAILED}
_TEST = re.compile(r".*-Dtest=(\S+)")

# `    [junit] [PASS] name`: of a listener of the project's own
parse_ant = by_line(
    r"\[junit\]\s+\[(?P<mark>PASS|FAIL|ERR)\]\s+(?P<name>.*)",
    {"PASS": TestStatus.PASSED, "FAIL": TestStatus.FAILED, "ERR": TestStatus.FAILED},
)


def parse_maven(log: str) -> dict[str, TestStatus]:
    """Maven does not name what passes: a test is what a traced command says with `-Dtest=`.

    The trace and Maven's output may overtake each other, so that a build's end may come first: it
    belongs to a test that is without one at the end.
    """
    found: dict[str, TestStatus] = {}
    running: deque[str] = deque()
    early: deque[TestStatus] = deque()
    for raw in log.split("\n"):
        line = raw.strip()
        test = _TEST.match(line)
        if test:
            running.append(test[1])
        status = _BUILDS.get(line[-len("BUILD SUCCESS") :])
        if status and running:
            found[running.popleft()] = status
        elif status:
            early.append(status)
    return found | dict(zip(running, early, strict=False))


def parse_gradle(log: str) -> dict[str, TestStatus]:
    """`class > test PASSED`, or the status in a line of its own after others' output."""
    found = {}
    waiting = None
    for raw in log.split("\n"):
        line = raw.strip()
        name, status = line[:-7], _STATUSES.get(line[-6:])
        if status and len(name) > 1 and line[-7].isspace() and not line.startswith(">"):
            found[name] = status
            waiting = None
        elif _is_name(line):
            waiting = line
        elif line in _STATUSES and waiting:
            found[waiting] = _STATUSES[line]
            waiting = None
    return found


def _is_name(line: str) -> bool:
    words = line.split()
    return len(words) == 3 and words[1] == ">" and not line.startswith(">")
