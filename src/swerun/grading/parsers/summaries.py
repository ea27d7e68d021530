"""Signs in a log that a suite ran, for runners that name no test while all is well."""

from __future__ import annotations

import re

# Counts of zero are no sign: a runner that loses its browser prints `Executed 0 of 0` as well.
_SUITE_RAN = re.compile(
    "|".join(
        (
            r"Executed [1-9]\d* of \d+",  # karma
            r"TOTAL: [1-9]\d* (?:SUCCESS|FAILED)",  # karma, other reporters
            # no more digits than that: a long row of them would be tried from each of its digits
            r"[1-9]\d{0,19} passing",  # mocha
            r"Tests:\s+[1-9]\d*",  # jest
            r"Test Suites:\s+(?:\d+ \w+, )*[1-9]\d* total",  # jest
            r"^# tests [1-9]\d*",  # TAP
            r"[1-9]\d{0,19} specs?, \d+ failures?",  # jasmine
            r"': ok$",  # OpenLayers' rendering tests
        )
    ),
    re.MULTILINE,
)


def suite_ran(log: str) -> bool:
    """Whether a runner says that it ran at least one test."""
    return _SUITE_RAN.search(log) is not None
