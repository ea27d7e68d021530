"""Quarto's runner, on Deno: `[smoke] > name ... ok`, in colours, with temporary files in names."""

from __future__ import annotations

import re

from swerun.grading.parsers.lines import Results, gathered
from swerun.records import TestStatus

_TEST = re.compile(r"\[(?:smoke|unit)\]")
_TEMPORARY = (re.compile(r"/tmp/(\w+)\.qmd"), re.compile(r"/tmp/(\w+)/"))  # noqa: S108 -- a pattern
_STATUSES = {"32mok": TestStatus.PASSED, "31mFAILED": TestStatus.FAILED}


def parse_quarto(log: str) -> dict[str, TestStatus]:
    """Names up to the dots, up to the list of errors. Without a status at once, it is a failure."""
    return gathered(log, _results(log))


def _results(log: str) -> Results:
    numbers: dict[str, int] = {}
    known: set[str] = set()
    for line in log.split("\n"):
        if "ERRORS" in line or "failures:" in line:
            return
        if not _TEST.search(line):
            continue
        plain = _numbered(line, numbers)
        name = plain.split("...")[0].strip()
        status = next((status for mark, status in _STATUSES.items() if mark in plain), None)
        if not _is_noise(plain) and (status or name not in known):
            known.add(name)
            yield name, status or TestStatus.FAILED


def _numbered(line: str, numbers: dict[str, int]) -> str:
    """Temporary files by the order of their first appearance: their names are random."""
    for pattern in _TEMPORARY:
        file = pattern.search(line)
        if file:
            number = numbers.setdefault(file[0], len(numbers))
            line = pattern.sub(f"/tmp/{number}", line)  # noqa: S108
    return line


def _is_noise(line: str) -> bool:
    summary = all(word in line for word in ("passed", "failed", "steps"))
    return summary or line.startswith("test result:") or "34mINFO" in line
