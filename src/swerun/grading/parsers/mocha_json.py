"""mocha's JSON reporter, as PrismJS and older Lighthouse run it, after the traced command."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from swerun.grading.parsers.lines import Results, UnreadableError, after, gathered
from swerun.records import TestStatus

_PRISM = "./node_modules/.bin/mocha tests/run.js --reporter json"
_LIGHTHOUSE = "./node_modules/.bin/mocha --reporter json"
_TITLE = re.compile(r'"fullTitle":\s"')


def parse_prismjs(log: str) -> dict[str, TestStatus]:
    """Full titles. A title that both failed and passed has passed."""
    return gathered(log, _prismjs(log))


def _prismjs(log: str) -> Results:
    for section in log.split(_PRISM)[1:]:
        text = section.split("{", 1)[-1].rsplit("}", 1)[0]
        try:
            run = json.loads(f"{{{text}}}")
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"no JSON: {error}") from error
        for group, status in (("failures", TestStatus.FAILED), ("passes", TestStatus.PASSED)):
            for title in _titles(run.get(group)):
                yield title, status


def _titles(tests: object) -> Iterator[str]:
    if not isinstance(tests, list):
        raise UnreadableError("no list of tests")
    for test in tests:
        if not isinstance(test, dict) or not isinstance(test.get("fullTitle"), str):
            raise UnreadableError("a test without a title")
        yield test["fullTitle"]


def parse_lighthouse_json(log: str) -> dict[str, TestStatus]:
    """Full titles, out of JSON that other output may have got into."""
    return gathered(log, _lighthouse(log))


def _lighthouse(log: str) -> Results:
    for section in log.split(_LIGHTHOUSE)[1:]:
        passes = section.rsplit('"passes": [', 1)[-1].rsplit("]", 1)[0]
        failures = section.rsplit('"failures": [', 1)[-1].rsplit("],", 1)[0]
        for titles, status in ((passes, TestStatus.PASSED), (failures, TestStatus.FAILED)):
            for title in after(_TITLE, titles, '",'):
                yield title, status
