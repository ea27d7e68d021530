# ruff: noqa -- it prints and fails on purpose
"""Tests for a runner that knows ok, F and E. Each is named for its own."""


def test_passes():
    pass


def test_passes_and_prints():
    print("test_passes_and_prints F said by the test itself ok")


def test_passes_and_prints_no_line_end():
    print("no line end", end="")


def test_fails():
    raise AssertionError("see test.py:12 for more")


def test_errors():
    raise KeyError("key")


def test_errors_deep_down():
    def below():
        raise OSError("no such file: a folder/with spaces.py:3 in it")

    below()
