"""Each way in which swerun reads a log otherwise than swebench 5.0.2, with its paragraph in docs.

A difference is a name with the status that swerun has for it and the one that swebench has, each
None where there is none. A rule says whether it explains one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from swerun.records import TestStatus


@dataclass(frozen=True, slots=True)
class Difference:
    reader: str  # the parser's name, without `parse_log_`
    log: str
    ours: str | None
    theirs: str | None


MINITEST = {"minitest", "jekyll"}
NESTED = re.compile(r"<TestCase[^>]*>((?!</TestCase>)[\s\S])*<TestCase")


def no_status(one: Difference) -> bool:
    return one.theirs is not None and one.theirs not in set(TestStatus)


def skipped_in_minitest(one: Difference) -> bool:
    return one.reader in MINITEST and (one.ours, one.theirs) == ("SKIPPED", "PASSED")


def ended_by_an_exception(one: Difference) -> bool:
    return one.reader == "doctest" and (one.ours, one.theirs) == ("FAILED", "PASSED")


def in_two_lines_or_cases(one: Difference) -> bool:
    if one.reader == "openlayers":
        return "\nFAILED\n" in one.log
    return one.reader == "doctest" and one.ours is None and bool(NESTED.search(one.log))


RULES: dict[str, Callable[[Difference], bool]] = {
    "A word that is no status gives no result": no_status,
    "A skipped minitest test has not passed": skipped_in_minitest,
    "A doctest subcase that an exception ended has not passed": ended_by_an_exception,
    "A log that its runner cannot have printed gives no result": in_two_lines_or_cases,
}


def explained(one: Difference) -> str | None:
    return next((paragraph for paragraph, holds in RULES.items() if holds(one)), None)
