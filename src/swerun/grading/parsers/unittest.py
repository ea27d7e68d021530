"""unittest's and Django's verbose runner: `test (where) ... ok`."""

from __future__ import annotations

import re

from swerun.grading.parsers.lines import blocks
from swerun.records import TestStatus

_OK = (" ... ok", " ... OK", " ...  OK")
_HEADINGS = ("FAIL:", "ERROR:")
# Of Django's own suite: a test whose description is this text, and one that shares its line.
_VERSION_TEST = "--version is equivalent to version"
_SHARED_LINE = "Applying sites.0002_alter_domain_unique...test_no_migrations"
# What Django prints between a test's name and its `ok`, which then stands in a line of its own.
_DOTS = r"^(.*?)[^\S\n]\.\.\.[^\S\n]"
_SETTING_UP = (
    re.compile(rf"{_DOTS}Testing against Django installed in ", re.MULTILINE),
    re.compile(r" silenced\)\.\nok$", re.MULTILINE),
)
_INTERRUPTED = (
    re.compile(rf"(?>{_DOTS}Internal Server Error: /).*/\nok$", re.MULTILINE),
    re.compile(rf"{_DOTS}System check identified no issues \(0 silenced\)\nok$", re.MULTILINE),
)


def parse_unittest(log: str) -> dict[str, TestStatus]:
    """Names as printed before the dots, with their class in brackets.

    The headings `FAIL: name (where)` and `ERROR: name (where)` count under the bare name. A log
    with one that has no name says nothing: there the official parser ends in an error.
    """
    found: dict[str, TestStatus] = {}
    last = None
    for raw in log.split("\n"):
        line = raw.strip()
        if line.startswith(_HEADINGS) and len(line.split()) == 1:
            return {}
        if _VERSION_TEST in line:
            found[_VERSION_TEST] = TestStatus.PASSED
        if " ... " in line:
            last = line.split(" ... ", 1)[0]
        found |= _of_line(line)
        if last is not None and line.startswith("ok"):  # its output came in between
            found[last] = TestStatus.PASSED
    interrupted = [begins for begins, _ in blocks(log, *_SETTING_UP)]
    for pattern in _INTERRUPTED:
        interrupted += pattern.finditer(log)
    return found | {match[1]: TestStatus.PASSED for match in interrupted}


def _of_line(line: str) -> dict[str, TestStatus]:
    found = {}
    passed = next((suffix for suffix in _OK if line.endswith(suffix)), None)
    if passed:
        if line.startswith(_SHARED_LINE):
            line = line.split("...", 1)[1].strip()
        found[line.removesuffix(passed)] = TestStatus.PASSED
    if " ... skipped" in line:
        found[line.split(" ... skipped", 1)[0]] = TestStatus.SKIPPED
    for word, status in (("FAIL", TestStatus.FAILED), ("ERROR", TestStatus.ERROR)):
        if line.endswith(f" ... {word}"):
            found[line.split(f" ... {word}", 1)[0]] = status
        if line.startswith(f"{word}:"):
            found[line.split()[1]] = status
    return found
