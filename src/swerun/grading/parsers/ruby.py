"""Ruby's runners: test-unit and minitest with `-v`, cucumber's progress, rspec's JSON as lines."""

from __future__ import annotations

from swerun.grading.parsers.lines import by_line
from swerun.records import TestStatus

_PASS, _FAIL, _SKIP = TestStatus.PASSED, TestStatus.FAILED, TestStatus.SKIPPED

# `  test: name:  .: (0.001)`: an omitted test is O
parse_test_unit = by_line(
    r"(?:test: )?(?P<name>.+):\s+(?P<mark>\.|[EFO]\b).*",
    {".": _PASS, "E": _FAIL, "F": _FAIL, "O": _SKIP},
)

# `features/a.feature:3  Scenario: name ....F`: a mark for each step
parse_cucumber = by_line(r"(?P<name>.*) \.+(?P<mark>\.|F).*", {".": _PASS, "F": _FAIL})

# `name - ./file[1:2] - passed`: what the eval scripts make of `--format json` with jq
parse_rspec = by_line(
    r"(?P<name>.+) - (?P<mark>passed|failed).*", {"passed": _PASS, "failed": _FAIL}
)


def parse_minitest(log: str) -> dict[str, TestStatus]:
    """`Class#test_: name. = 0.01 s = .`, where the name ends with a full stop.

    Stricter than SWE-bench: there the full stop in the seconds makes a skipped test a passed one.
    """
    found = {}
    for raw in log.split("\n"):
        line = raw.strip()
        mark = max(line.rfind(one) for one in ".FE")
        name = line.rfind(". ", 0, max(line.rfind("=", 0, mark), 0))
        if mark > 0 and name > 0:
            status = _PASS if line[mark] == "." else _FAIL
            found[line[:name]] = _SKIP if status is _PASS and line.endswith("= S") else status
    return found
