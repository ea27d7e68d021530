"""SymPy's own runner (`bin/test`): `test_name ok`, `F` or `E`, and a headline for each failure."""

from __future__ import annotations

from collections.abc import Iterator

from swerun.records import TestStatus

_MARKS = {" ok": TestStatus.PASSED, " F": TestStatus.FAILED, " E": TestStatus.ERROR}


def parse_sympy(log: str) -> dict[str, TestStatus]:
    """Names without their file, as SWE-bench expects them; headlines count with it."""
    found = dict.fromkeys(_headlines(log), TestStatus.FAILED)
    for raw in log.split("\n"):
        line = raw.strip()
        if line.startswith("test_"):
            for mark, status in _MARKS.items():
                if line.endswith(mark):
                    found[line.split()[0]] = status
    return found


def _headlines(log: str) -> Iterator[str]:
    """`____ sympy/core/tests/test_x.py:test_name ____`, over the traceback."""
    for line in log.split("\n"):
        begins, ends = line.find(" ") + 1, line.rfind(" ")
        if ".py:" in line[begins:ends] and begins:
            yield line[begins:ends]
