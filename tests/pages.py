"""What pages of docs/ name of the tests."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
NAMED = re.compile(r"tests/[\w/]+\.py(?:::\w+)?")


def named_tests_exist(text: str) -> list[str]:
    """What `text` names of tests, as files and as `tests/a.py::test_b`, and nobody wrote."""
    return [name for name in sorted({*NAMED.findall(text)}) if not _is_there(*name.split("::"))]


def _is_there(file: str, test: str = "") -> bool:
    path = ROOT / file
    return path.is_file() and (not test or f"def {test}(" in path.read_text())
