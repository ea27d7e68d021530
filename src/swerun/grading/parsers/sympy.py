"""SymPy's own runner (`bin/test`): `test_name ok`, `F` or `E`, and a headline for each failure."""

from __future__ import annotations

import re

from swerun.records import TestStatus

# `____ sympy/core/tests/test_x.py:test_name ____`, over the traceback
_HEADLINE = re.compile(r" (.*\.py:.*) ")
_MARKS = {" ok": TestStatus.PASSED, " F": TestStatus.FAILED, " E": TestStatus.ERROR}


def parse_sympy(log: str) -> dict[str, TestStatus]:
    """Names without their file, as SWE-bench expects them; headlines count with it."""
    found = {match[1]: TestStatus.FAILED for match in _HEADLINE.finditer(log)}
    for raw in log.split("\n"):
        line = raw.strip()
        if line.startswith("test_"):
            for mark, status in _MARKS.items():
                if line.endswith(mark):
                    found[line.split()[0]] = status
    return found
