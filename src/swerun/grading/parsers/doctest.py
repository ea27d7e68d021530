"""doctest (C++) with `-s -r=xml`: what each subcase of each test case asserted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import ParseError, XMLParser

from swerun.grading.parsers.lines import Results, UnreadableError, gathered
from swerun.records import TestStatus

_OPENS, _CLOSES = "<doctest", "</doctest>"


def parse_doctest(log: str) -> dict[str, TestStatus]:
    """`test case > subcase`. A subcase is entered several times: the last time counts.

    Stricter than SWE-bench, where a subcase without an assertion that failed has passed: one that
    an exception or FAIL has ended did not.
    """
    return gathered(log, _results(log))


def _results(log: str) -> Results:
    begins = log.find(_OPENS)
    if begins < 0:
        return
    ends = log.find(_CLOSES, begins)
    report = _Report()
    try:
        parser = XMLParser(target=report)  # noqa: S314 -- its own start keeps declarations out
        parser.feed(log[begins : ends + len(_CLOSES)] if ends > 0 else "")
        parser.close()
    except ParseError as error:
        raise UnreadableError(f"no XML: {error}") from error
    for subcase in report.subcases:
        yield subcase.name, TestStatus.FAILED if subcase.failed else TestStatus.PASSED


@dataclass(slots=True)
class _Subcase:
    name: str
    failed: bool = False


@dataclass(slots=True)
class _Report:
    """What is open at a place of the XML, and all subcases up to there, in their order."""

    tags: list[str] = field(default_factory=list)
    cases: list[str | None] = field(default_factory=list)
    entered: list[_Subcase] = field(default_factory=list)
    subcases: list[_Subcase] = field(default_factory=list)

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "TestCase":
            if self.cases:
                raise UnreadableError("a test case in a test case")
            self.cases.append(attributes.get("name"))
        elif tag == "SubCase":
            case = self.cases[-1] if self.cases else None
            self.entered.append(_Subcase(f"{case} > {attributes.get('name')}"))
            self.subcases += self.entered[-1:] if self.cases else []
        elif self.entered:
            self.entered[-1].failed |= _is_failure(tag, attributes, self.tags[-1])
        self.tags.append(tag)

    def end(self, tag: str) -> None:
        self.tags.pop()
        if tag == "TestCase":
            self.cases.pop()
        elif tag == "SubCase":
            failed = self.entered.pop().failed
            if self.entered:
                self.entered[-1].failed |= failed


def _is_failure(tag: str, attributes: Mapping[str, str], parent: str) -> bool:
    match tag:
        case "Expression":
            return attributes.get("success") != "true"
        case "Exception":  # what an assertion expects is inside its Expression
            return parent != "Expression"
        case "Message":
            return attributes.get("type") in {"ERROR", "FATAL ERROR"}
        case _:
            return False
