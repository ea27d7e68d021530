"""mocha's spec reporter, as highlight.js, Lighthouse and Fusion Next (through Cypress) print it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from swerun.grading.parsers.lines import Results, Suites, gathered, indentation
from swerun.records import TestStatus

_PASS, _FAIL = TestStatus.PASSED, TestStatus.FAILED
_SUMMARY = re.compile(r"\n[ \t]*\d+ passing")
_TOOK = re.compile(r"\(\d+ms\)")
_NUMBER = re.compile(r"\d+\)")
_FILES = re.compile(r"running\s\d+\stest\sfiles")
_PASSING = re.compile(r"(?<!\d)\d+\spassing")
_TESTS = (
    (re.compile(r"✔\s(.*)\s\(\d+m+s\)"), _PASS),
    (re.compile(r"✔\s(.*)"), _PASS),
    (re.compile(r"\d+\)\s(.*)\s\(\d+m+s\)"), _FAIL),
    (re.compile(r"\d+\)\s(.*)"), _FAIL),
)
# `  Running:  file.js  (1 of 9)`, over the first heading of the file's tests
_SPEC_FILE = re.compile(r"\)(?=\n{3}\s{2}(.*)\n)")
_SPEC_TESTS = (
    (re.compile(r"^\s{4}\d+\)\s(.*)", re.MULTILINE), _FAIL),
    (re.compile(r"^\s{4}✓\s(.*)\(", re.MULTILINE), _PASS),
)


@dataclass(frozen=True, slots=True)
class _SpecFile:
    """Where a file's heading begins and ends, and its first suite."""

    begins: int
    ends: int
    suite: str


def parse_highlightjs(log: str) -> dict[str, TestStatus]:
    """`suite.name`, up to the summary."""
    return gathered(log, _highlightjs(_SUMMARY.split(log, 1)[0]))


def _highlightjs(log: str) -> Results:
    suite: tuple[str, ...] = ()
    for line in log.split("\n"):
        plain = line.strip()
        if plain.startswith(("✓", "✔")):
            yield _dotted(suite, plain[1:]), _PASS
        elif _NUMBER.match(plain):
            yield _dotted(suite, plain.split(")", 1)[1]), _FAIL
        elif line.startswith("  "):
            suite = (plain,)


def _dotted(suite: tuple[str, ...], test: str) -> str:
    return ".".join((*suite, _TOOK.sub("", test).strip()))


def parse_lighthouse(log: str) -> dict[str, TestStatus]:
    """`suite - suite - name`, for each group of files that was run."""
    return gathered(log, _lighthouse(log))


def _lighthouse(log: str) -> Results:
    for section in _FILES.split(log)[1:]:
        suites = Suites()
        for line in _PASSING.split(section, 1)[0].strip().split("\n"):
            plain = line.strip()
            for pattern, status in _TESTS:
                if test := pattern.match(plain):
                    yield suites.name(test[1]), status
                    break
            else:
                if indentation(line):
                    suites.heading(line)


def parse_cypress(log: str) -> dict[str, TestStatus]:
    """`suite: name`, where a file's first suite stands for all of them."""
    return gathered(log, _cypress(log))


def _cypress(log: str) -> Results:
    files = list(_spec_files(log))
    ends = [following.begins for following in files[1:]] + [len(log)]
    for file, end in zip(files, ends, strict=False):
        for pattern, status in _SPEC_TESTS:
            for test in pattern.findall(log[file.ends : end]):
                yield f"{file.suite}: {test.strip()}", status


def _spec_files(log: str) -> Iterator[_SpecFile]:
    ended = 0
    for heading in _SPEC_FILE.finditer(log):
        line = max(log.rfind("\n", 0, heading.start()) + 1, ended)
        begins = log.find("Running:", line, heading.start())
        if begins >= 0:
            ended = heading.end(1) + 1
            yield _SpecFile(begins, ended, heading[1])
