"""Test files in which every test must fail."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from swerun.grading.integrity.doomed import doomed

SUITE = '''
import unittest

def test_plain():
    """Says what it does.

    And more."""
    assert 1 == 1

def test_one_line(): assert True  # a remark

def test_long_end():
    for number in range(3):
        assert number < 3

def test_early():
    if 1: return
    assert 2

def test_inner():
    def inner():
        return 5
    assert inner() == 5

def test_text():
    x = """
 not the end
"""

def test_é():
    é = "é"; return é

def helper():
    return 1

class Cases(unittest.TestCase):
    def test_equal(self):
        self.assertTrue(True)
        self.assertEqual(1, 1)
        self.assertEqual(2, 2)

    def test_raises(self):
        """Raises."""
        with self.assertRaises(ValueError):
            int("x")

class TestPlain:
\tdef test_tabs(self):
\t\tif True:
\t\t\tassert self

try:
    import json
except ImportError:
    json = None
else:
    def test_guarded():
        assert json
'''


def run(folder: Path, source: str) -> tuple[int, int]:
    (folder / "test_it.py").write_text(source)
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=no", "test_it.py"]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True)
    words = done.stdout.replace(",", "").split()
    return tuple(int(words[words.index(w) - 1]) if w in words else 0 for w in ("passed", "failed"))


def test_tests_that_pass_fail_once_they_are_doomed(tmp_path):
    made = doomed(SUITE)
    assert run(tmp_path, SUITE) == (11, 0)
    assert run(tmp_path, made.source) == (0, 11)
    assert {"test_plain", "Says what it does.", "test_equal", "Raises.", "test_tabs"} <= made.names
    assert "helper" not in made.names


def test_a_test_is_doomed_by_the_assertion_that_it_uses_most():
    said = doomed(SUITE).source.split("class Cases")[1]
    assert "self.assertEqual(2, 2); self.assertEqual(" in said
    assert "assert " in said.split("def test_raises")[1].split("class")[0]


@pytest.mark.parametrize(
    "source",
    [
        "",
        "x = 1\n",
        "def test_(:\n",
        "def helper():\n    assert 1\n",
        "def test_a():\n    raise ValueError\n",  # what is raised may be what is expected
        "def test_a():\n    yield 1\n",
        "def test_a():\n    while True:\n        pass\n",
        "def test_a():\n    x = 1\r    assert x\n",
        "print 'Python 2'\n",
        "\0",
    ],
)
def test_where_no_test_can_be_doomed_nothing_is_made(source):
    assert doomed(source) is None


def test_it_is_the_same_each_time_and_of_other_tests_another():
    assert doomed(SUITE) == doomed(SUITE)
    two = doomed("def test_a():\n    assert x\ndef test_b():\n    assert y\n").source
    wrong = [line.split("; ")[1] for line in two.split("\n") if ";" in line]
    assert len(set(wrong)) == 2


def test_these_tests_too_can_be_doomed():
    for path in sorted(Path(__file__).parents[2].rglob("test_*.py")):
        source = path.read_text()
        made = doomed(source)
        tests = {n.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)}
        assert made, path
        assert {name for name in tests if name.startswith("test")} <= made.names | {"test_"}, path
