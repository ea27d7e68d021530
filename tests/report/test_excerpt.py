"""The part of a log about one test, on the logs of real runners."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from swerun.report.excerpt import SHOWN, files_of, part_of

LOGS = Path(__file__).parents[1] / "grading" / "logs"
CASES = sorted(path.with_suffix(".json") for path in LOGS.rglob("*.log"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_every_failing_test_of_every_runner_has_a_part_of_its_log(case):
    log = case.with_suffix(".log").read_text(errors="replace")
    by_parser = json.loads(case.read_text()).values()
    failing = {t for o in by_parser for t, status in o.items() if status in {"FAILED", "ERROR"}}
    assert [test for test in sorted(failing) if not part_of(log, test)] == []


def test_of_pytest_it_is_the_section_with_the_error():
    log = (LOGS / "pytest-all.log").read_text()
    part = part_of(log, "tests/test_outcomes.py::test_fails_with[plain]")
    assert part.splitlines()[0].strip("_ ") == "test_fails_with[plain]"
    assert "\nE  " in part
    assert "====" not in part
    assert part.count("____") == part.splitlines()[0].count("____")


def test_of_two_sections_with_one_title_it_is_that_of_the_tests_file():
    log = "\n".join(
        f"=== FAILURES ===\n____ test_x ____\nE  of {name}\ntests/{name}.py:1: Error\n"
        for name in ("one", "two")
    )
    assert "of two" in part_of(log, "tests/two.py::test_x")
    assert "of two" not in part_of(log, "tests/one.py::test_x")


def test_of_unittest_it_ends_before_the_next_failure():
    bar = "=" * 70
    log = f"{bar}\nFAIL: test_a (m.T)\n---\nAssertionError: a\n{bar}\nERROR: test_b (m.T)\n---\nb\n"
    assert part_of(log, "test_a (m.T)").splitlines()[-1] == "AssertionError: a"
    assert part_of(log, "test_b (m.T)").splitlines() == ["ERROR: test_b (m.T)", "---", "b"]


def test_of_unittest_the_last_one_ends_before_the_summary():
    log = "FAIL: test_a (m.T)\n-----\nAssertionError: a\n\n-----\nRan 2 tests in 0.1s\n"
    assert part_of(log, "test_a (m.T)").strip().endswith("AssertionError: a")


def test_a_line_that_says_it_failed_comes_before_one_that_only_names_it():
    log = "running a_test\nmore\na_test ... FAILED\nbecause\n"
    assert part_of(log, "a_test").splitlines()[0] == "a_test ... FAILED"


def test_colours_are_no_part_of_it():
    log = "\x1b[31m____ test_x ____\x1b[0m\n\x1b[1mE  boom\x1b[0m\n"
    assert part_of(log, "t.py::test_x") == "____ test_x ____\nE  boom"


def test_of_a_long_part_the_beginning_and_the_end_are_shown():
    lines = [f"line {i}" for i in range(500)]
    part = part_of("\n".join(["____ test_x ____", *lines]), "t.py::test_x").splitlines()
    assert len(part) == SHOWN + 1
    assert (part[0], part[-1]) == ("____ test_x ____", "line 499")
    assert f"... {501 - SHOWN} lines ..." in part


def test_a_test_that_the_log_does_not_name_has_none():
    assert part_of("nothing here", "tests/a.py::test_missing") == ""


def test_the_files_of_a_patch_are_those_after_it():
    patch = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\ndiff --git a/a b/new name\n"
    assert files_of(patch) == ["new name", "x.py"]
    assert files_of("") == []
