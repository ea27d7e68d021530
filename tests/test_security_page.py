"""SECURITY.md promises what tests hold."""

from __future__ import annotations

import re

import pytest

from swerun.names import LONGEST, flaw_of
from swerun.sandbox.profile import CAPABILITIES
from tests.pages import NAMED, ROOT, named_tests_exist

PAGE = (ROOT / "SECURITY.md").read_text()
PROMISES = re.findall(
    r"^\*\*(.+?)\*\*(.*?)(?=^\*\*|\Z)",
    PAGE.partition("## Not promised")[0],
    re.DOTALL | re.MULTILINE,
)


def test_every_test_that_the_page_names_is_there():
    assert named_tests_exist(PAGE) == []
    assert named_tests_exist("`tests/no.py::test_x`") == ["tests/no.py::test_x"]


@pytest.mark.parametrize(("promise", "rest"), PROMISES, ids=[title for title, _ in PROMISES])
def test_each_promise_names_a_test_that_holds_it(promise, rest):
    assert NAMED.search(rest), promise


def test_what_the_page_says_in_figures_is_so():
    assert len(PROMISES) == 8
    assert len(CAPABILITIES) == 8
    assert "Eight of the engine's fourteen capabilities" in PAGE
    assert f"at most {LONGEST} bytes long" in PAGE
    assert flaw_of("_.+@:=~,-") == ""
    assert "`_.+@:=~,-`" in PAGE
