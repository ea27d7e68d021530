# ruff: noqa -- it prints and fails on purpose
"""A pytest suite with every outcome that there is. Each test is named for its own."""

import sys
import unittest
import warnings

import pytest


@pytest.fixture
def broken():
    raise OSError("no such - thing")


@pytest.fixture
def broken_at_the_end():
    yield
    raise OSError("it would not close")


def test_passes():
    pass


def test_passes_and_prints():
    print("FAILED tests/test_outcomes.py::test_passes_and_prints - said by the test itself")
    print("no line end", end="")
    sys.stderr.write("ERROR\n")


def test_passes_and_warns():
    warnings.warn("this is old", DeprecationWarning, stacklevel=1)


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "two words",
        "a dash - between",
        "log(photon / s)",
        "[brackets]",
        "::",
        "ünï",
        "",
        "/usr/lib/file.txt",
        "//host/share",
        "/usr/*.txt",
    ],
)
def test_passes_with(text):
    pass


@pytest.mark.parametrize("text", ["plain", "two words", "a dash - between"])
def test_fails_with(text):
    assert not text, f"{text} - it is not empty"


def test_fails():
    raise AssertionError


def test_fails_over_lines():
    assert "one\ntwo - three" == "one\ntwo"


def test_fails_by_an_exception():
    raise KeyError("key - and dash")


@pytest.mark.skip(reason="not today")
def test_skips():
    pass


@pytest.mark.parametrize("number", [1, 2, 3])
def test_skips_inside(number):
    pytest.skip("not now - or ever")


@pytest.mark.xfail(reason="known")
def test_xfails():
    raise AssertionError


@pytest.mark.xfail(run=False)
def test_xfails_without_a_run():
    pass


@pytest.mark.xfail(reason="thought to fail")
def test_xpasses():
    pass


@pytest.mark.xfail(strict=True)
def test_fails_by_a_strict_xpass():
    pass


def test_errors_at_set_up(broken):
    pass


def test_errors_at_the_end(broken_at_the_end):
    pass


class TestGroup:
    def test_passes(self):
        pass

    def test_fails(self):
        raise AssertionError("in a class")


class Cases(unittest.TestCase):
    def test_passes(self):
        """A description."""

    def test_passes_with_subtests(self):
        for number in range(2):
            with self.subTest(number=number):
                pass

    def test_fails_in_subtests(self):
        for number in range(3):
            with self.subTest("a message", number=number):
                self.assertEqual(number, 1)

    @unittest.expectedFailure
    def test_xfails(self):
        self.fail("known")
