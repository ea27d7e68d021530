"""unittest's and Django's verbose runner: `test (where) ... ok`."""

from __future__ import annotations

import re

from swerun.records import TestStatus

_OK = (" ... ok", " ... OK", " ...  OK")
# Of Django's own suite: a test whose description is this text, and one that shares its line.
_VERSION_TEST = "--version is equivalent to version"
_SHARED_LINE = "Applying sites.0002_alter_domain_unique...test_no_migrations"
# What Django prints between a test's name and its `ok`, which then stands in a line of its own.
_INTERRUPTED = tuple(
    re.compile(rf"^(.*?)\s\.\.\.\s{between}\nok$", re.MULTILINE)
    for between in (
        r"Testing against Django installed in (?s:.*?) silenced\)\.",
        r"Internal Server Error: /.*/",
        r"System check identified no issues \(0 silenced\)",
    )
)


def parse_unittest(log: str) -> dict[str, TestStatus]:
    """Names as printed before the dots, with their class in brackets.

    The headings `FAIL: name (where)` and `ERROR: name (where)` count under the bare name.
    """
    found: dict[str, TestStatus] = {}
    last = None
    for raw in log.split("\n"):
        line = raw.strip()
        if _VERSION_TEST in line:
            found[_VERSION_TEST] = TestStatus.PASSED
        if " ... " in line:
            last = line.split(" ... ", 1)[0]
        found |= _of_line(line)
        if last is not None and line.startswith("ok"):  # its output came in between
            found[last] = TestStatus.PASSED
    for pattern in _INTERRUPTED:
        found |= {match[1]: TestStatus.PASSED for match in pattern.finditer(log)}
    return found


def _of_line(line: str) -> dict[str, TestStatus]:
    found = {}
    for suffix in _OK:
        if line.endswith(suffix):
            shared = line.startswith(_SHARED_LINE)
            own = line.split("...", 1)[1].strip() if shared else line
            found[own.removesuffix(suffix)] = TestStatus.PASSED
    if " ... skipped" in line:
        found[line.split(" ... skipped", 1)[0]] = TestStatus.SKIPPED
    for word, status in (("FAIL", TestStatus.FAILED), ("ERROR", TestStatus.ERROR)):
        if line.endswith(f" ... {word}"):
            found[line.split(f" ... {word}", 1)[0]] = status
        heading = line.split()
        if line.startswith(f"{word}:") and len(heading) > 1:
            found[heading[1]] = status
    return found
