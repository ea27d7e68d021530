"""One line a test, a mark and a name: go, cargo, GoogleTest, automake, TAP, MicroPython, redis."""

from __future__ import annotations

import re

from swerun.grading.parsers.lines import CLOSED, by_line
from swerun.records import TestStatus

_PASS, _FAIL, _SKIP = TestStatus.PASSED, TestStatus.FAILED, TestStatus.SKIPPED
_GOOGLE_SECONDS = re.compile(rf"{CLOSED}(.*)\s\(.*\)")
_GOOGLE_RESULT = re.compile(r".*\[\s*(OK|FAILED)\s*\]\s(.*)")
_IN_FILE = re.compile(r"(?<!\s)\s+in\s+\S+$")

# `    --- PASS: TestName/sub (0.00s)`, at any depth
parse_gotest = by_line(
    rf"--- (?P<mark>PASS|FAIL|SKIP): {CLOSED}(?P<name>.+) \(.+\)",
    {"PASS": _PASS, "FAIL": _FAIL, "SKIP": _SKIP},
)

# `test module::name ... ok`; what is ignored, or said after the name, makes it no result
parse_cargo = by_line(
    r"test\s+(?P<name>\S+)\s+\.\.\.\s+(?P<mark>\w+)", {"ok": _PASS, "FAILED": _FAIL}
)

# automake's `make check`: `PASS: tests/name`
parse_jq = by_line(r"(?P<mark>PASS|FAIL):\s(?P<name>.+)", {"PASS": _PASS, "FAIL": _FAIL})

# `pass  basics/name.py`
parse_micropython = by_line(
    r"(?P<mark>pass|FAIL|skip)\s+(?P<name>.+)", {"pass": _PASS, "FAIL": _FAIL, "skip": _SKIP}
)

# `not ok 3 name`; a dash before the name is part of it
parse_tap = by_line(r"(?P<mark>ok|not ok) \d+ (?P<name>.+)", {"ok": _PASS, "not ok": _FAIL})


def _without_file(match: re.Match[str]) -> str:
    return _IN_FILE.sub("", match["name"]) if match["mark"] == "err" else match["name"]


# `[ok]: name (3 ms)`, and `[err]: name in tests/unit/file.tcl`
parse_redis = by_line(
    r"\[(?P<mark>ok|err|skip|ignore)\]:\s(?P<name>.+?)(?:\s\(\d+\s*m?s\))?",
    {"ok": _PASS, "err": _FAIL, "skip": _SKIP, "ignore": _SKIP},
    _without_file,
)


def parse_googletest(log: str) -> dict[str, TestStatus]:
    """`[       OK ] Suite.Name (0 ms)`, also after what ctest puts before it."""
    found = {}
    for line in log.split("\n"):
        timed = _GOOGLE_SECONDS.fullmatch(line.strip())
        result = timed and _GOOGLE_RESULT.fullmatch(timed[1])
        if result:
            found[result[2]] = _PASS if result[1] == "OK" else _FAIL
    return found
