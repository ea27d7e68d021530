"""jest and vitest: tests one a line, or whole files, as PASS and FAIL."""

from __future__ import annotations

import re

from swerun.grading.parsers.lines import Results, Suites, UnreadableError, by_line, gathered
from swerun.records import TestStatus

_PASS, _FAIL, _SKIP = TestStatus.PASSED, TestStatus.FAILED, TestStatus.SKIPPED
_FILES = {"PASS": _PASS, "FAIL": _FAIL}
_FILE = re.compile(r"(PASS|FAIL)\s(.*)")
# `(5ms)`, `(5.1 s)`, `(5.1s)`: the first kind that there is ends the name
_TOOK = tuple(re.compile(rf"(.*)\s\([\d.]+{unit}\)") for unit in ("ms", r"\ss", "s"))
_TOOK_LAST = re.compile(r"\s\([\d.]+\s?(?:ms|s)\)$")
_FILE_HEADING = {word: re.compile(rf"^{word}\s(.*)", re.MULTILINE) for word in ("FAIL", "PASS")}
_CALYPSO = " ./node_modules/.bin/jest "
_CALYPSO_TOOK = re.compile(r"\(\d+ms\)")
_CALYPSO_TEST = re.compile(r"\s+[✓✕]\s(.*)")
_CALYPSO_TIMED = re.compile(r"\s+[✓✕]\s(.*)\(\d+ms\)")


def _stripped(match: re.Match[str]) -> str:
    return match["name"].strip()


# `    ✓ name (5 ms)`, of --verbose
parse_jest = by_line(
    r"(?P<mark>[✓✕○])\s(?P<name>.+?)(?:\s\(\d+\s*m?s\))?",
    {"✓": _PASS, "✕": _FAIL, "○": _SKIP},
    _stripped,
)

# `[PASSED] suite > name`: what the eval scripts make of `--json` with jq
parse_jest_json = by_line(
    r"\[(?P<mark>PASSED|FAILED)\]\s(?P<name>.+)", {"PASSED": _PASS, "FAILED": _FAIL}
)

# ` ✓ file > suite > name 5ms`, of --reporter=verbose
parse_vitest = by_line(
    r"(?P<mark>[✓×↓])\s(?P<name>.+?)(?:\s(?:\d+\s*m?s?|\[skipped\]))?",  # noqa: RUF001 -- vitest's
    {"✓": _PASS, "×": _FAIL, "↓": _SKIP},  # noqa: RUF001
)


def parse_files(log: str) -> dict[str, TestStatus]:
    """`PASS path/of.test.js (5.1 s)`."""
    found = {}
    for line in log.split("\n"):
        file = _FILE.fullmatch(line)
        if file:
            timed = next((match for took in _TOOK if (match := took.match(file[2]))), None)
            found[timed[1] if timed else file[2]] = _FILES[file[1]]
    return found


def parse_grommet(log: str) -> dict[str, TestStatus]:
    """As parse_files; a file that passed once has passed."""
    return {
        _TOOK_LAST.sub("", name.strip()): _FILES[word]
        for word, heading in _FILE_HEADING.items()
        for name in heading.findall(log)
    }


def parse_calypso(log: str) -> dict[str, TestStatus]:
    """`suite - suite - name` of jest's --verbose, for each command that the trace shows."""
    return gathered(log, _calypso(log))


def _calypso(log: str) -> Results:
    suites = Suites()
    for section in log.split(_CALYPSO)[1:]:
        for line in section.split("\n"):
            if line.startswith(("Test Suites", "  ● ")):
                break
            mark = line.strip()[:1]
            if mark in {"✓", "✕"}:
                timed = _CALYPSO_TOOK.search(line)
                test = (_CALYPSO_TIMED if timed else _CALYPSO_TEST).fullmatch(line)
                if not test:
                    raise UnreadableError(f"no test: {line[:80]!r}")
                name = suites.name(test[1]) if suites else f" - {test[1]}"
                yield name.strip(), _PASS if mark == "✓" else _FAIL
            elif line[:1].isspace():
                suites.heading(line)
