"""Logs of which only the failures are read: what is not named in them has passed (`fail_only`)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from swerun.grading.parsers.lines import after, blocks, without_colours
from swerun.records import TestStatus

# karma's `HeadlessChrome 9.0 (Linux 0.0.0) suite name FAILED`, by the browsers it has had
_BPMN_BROWSERS = (
    re.compile(r"2KPhantomJS\s[\d.]+\s\(Linux\s[\d.]+\)\s"),
    re.compile(r"2KPhantomJS\s[\d.]+\s\(Linux\sx86_64\)\s"),
    re.compile(r"HeadlessChrome\s[\d.]+\s\(Linux\s[\d.]+\)\s"),
    re.compile(r"Chrome\sHeadless\s.{0,200}\s\(Linux\sx86_64\)\s"),
)
_OPENLAYERS_HEADLESS = re.compile(r"Chrome\sHeadless\s[\d.]+\s\(Linux\s\S+\)\s")
_OPENLAYERS_CHROME = re.compile(r"Chrome\s[\d.]+\s\(Linux\s\S+\)\s")
_OPENLAYERS_NUMBERED = (re.compile(r"^\s{2}\d+\)", re.MULTILINE), re.compile("Error:"))
_OPENLAYERS_CASE = re.compile(r"^case\s(.*):\smismatch", re.MULTILINE)
_CHART_BROWSER = re.compile(r"Chrome\s[\d.]+[^\S\r\n]\(.{1,200}?\)[^\S\r\n]")
_NUMBERED = re.compile(r"\d+\)\s(.*)")
_ESLINT_NUMBER = re.compile(r"\s{2}\d+\)")


def _failed(names: Iterator[str]) -> dict[str, TestStatus]:
    return dict.fromkeys(names, TestStatus.FAILED)


def _words(text: str) -> str:
    return " ".join(text.split())


def parse_bpmn(log: str) -> dict[str, TestStatus]:
    """Names end with a blank: so do those that instances expect."""
    return _failed(name for browser in _BPMN_BROWSERS for name in after(browser, log, "FAILED"))


def parse_chart(log: str) -> dict[str, TestStatus]:
    """As parse_bpmn, of one browser."""
    # the last line counts too, though no line end follows it
    return _failed(after(_CHART_BROWSER, without_colours(log) + "\n", "FAILED"))


def parse_openlayers(log: str) -> dict[str, TestStatus]:
    """karma's failures, mocha's numbered ones, and images that differ from what is expected."""
    return _failed(map(_words, _openlayers(log)))


def _openlayers(log: str) -> Iterator[str]:
    for name in after(_OPENLAYERS_HEADLESS, log, "FAILED"):
        if name[-1:].isspace():
            yield name
    yield from after(_OPENLAYERS_CHROME, log, "FAILED")
    for number, error in blocks(log, *_OPENLAYERS_NUMBERED):
        yield log[number.end() : error.start()]
    yield from _OPENLAYERS_CASE.findall(log)


def parse_marked(log: str) -> dict[str, TestStatus]:
    """jasmine's `3) suite name`."""
    numbered = map(_NUMBERED.match, log.split("\n"))
    return _failed(failure[1].strip() for failure in numbered if failure)


def parse_eslint(log: str) -> dict[str, TestStatus]:
    """mocha's failures: from `  3)` to a line that names an Error, however far that is."""
    return _failed(map(_words, _up_to_errors(log)))


def _up_to_errors(log: str) -> Iterator[str]:
    at = 0
    while number := _ESLINT_NUMBER.search(log, at):
        begins = number.end()
        line_ends = (log.find("\n", begins) + 1 or len(log) + 1) - 1
        error = log.rfind("Error", begins, line_ends)
        first, *others = re.split(r"\s", log[begins : max(error, begins)], maxsplit=1)
        if error >= 0 and others:  # in the same line: the name is a word at most
            yield first
        else:
            line = log.find("Error", line_ends)
            if line < 0:
                return
            yield log[begins : log.rfind("\n", begins, line)]
            error = log.rfind("Error", line, (log.find("\n", line) + 1 or len(log) + 1) - 1)
        at = error + len("Error")
