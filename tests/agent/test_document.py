"""Exact changes of a text, and what a model is told where they cannot be made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swerun.agent.document import (
    LONGEST_LINE,
    Document,
    NotDoneError,
    around,
    inserted,
    numbered,
    range_of,
    replaced,
    shown,
)

SOURCE = "import os\n\ndef one():\n    return 1\n\ndef two():\n    return 2\n"


@given(st.binary())
def test_a_file_comes_back_as_it_was_whatever_is_in_it(data):
    if b"\0" not in data:
        assert Document.of(data).encoded() == data


def test_a_binary_file_is_refused_with_its_size():
    with pytest.raises(NotDoneError, match="a binary file of 5 bytes"):
        Document.of(b"ab\0cd")


@pytest.mark.parametrize(
    ("data", "old", "new", "made"),
    [
        (b"a\nb\n", "b", "c", b"a\nc\n"),
        (b"a\nb", "b", "c", b"a\nc"),  # no end of the last line is made up
        (b"a\r\nb\r\nc\r\n", "a\nb", "x\ny\nz", b"x\r\ny\r\nz\r\nc\r\n"),
        (b"a\r\nb\r\n", "a\r\nb", "x", b"x\r\n"),
        (b"a\r\nb\n", "a\r\nb", "x\ny", b"x\ny\n"),  # ends of both kinds are left alone
        (b"caf\xe9 a\n", "a\n", "\xe9\n", b"caf\xe9 \xc3\xa9\n"),  # latin-1 stays what it was
        (b"a\x0cb\x0bc\x85d\n", "b", "", b"a\x0c\x0bc\x85d\n"),
        ("a\u2028b\n".encode(), "a", "b", "b\u2028b\n".encode()),
        (b"\xef\xbb\xbfa\n", "a", "b", b"\xef\xbb\xbfb\n"),
        (b"a\n\n\nb\n", "a\n\n\n", "a\n", b"a\nb\n"),
    ],
)
def test_a_text_is_replaced_and_nothing_else_changes(data, old, new, made):
    assert replaced(Document.of(data), old, new).document.encoded() == made


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ("return", "there 2 times, at the lines 4, 7"),
        ("", "old_str is empty"),
        ("return 3\n", "The nearest lines are:\n     4\t    return 1"),
        ("def one():\n  return 1", "But for blanks it is like these lines:\n     3\tdef one():"),
        ("     3\tdef one():\n     4\t    return 1", "line numbers in it"),
        ("nothing like that at all", "nor anything like it"),
        ("def  two():\n\treturn   2\n", "     6\tdef two():\n     7\t    return 2"),
    ],
)
def test_a_text_that_is_not_there_exactly_once_is_answered_with_where_it_may_be(old, said):
    with pytest.raises(NotDoneError) as caught:
        replaced(Document(SOURCE), old, "x")
    assert said in str(caught.value)


def test_places_that_overlap_are_two_places():
    with pytest.raises(NotDoneError, match="2 times, at the lines 1, 1"):
        replaced(Document("aaa\n"), "aa", "b")


def test_a_change_into_the_same_is_none():
    with pytest.raises(NotDoneError, match="the same"):
        replaced(Document(SOURCE), "one", "one")


@pytest.mark.parametrize(
    ("text", "after", "new", "made"),
    [
        ("a\nb\n", 0, "x", "x\na\nb\n"),
        ("a\nb\n", 1, "x\n", "a\nx\nb\n"),
        ("a\nb\n", 2, "x\ny", "a\nb\nx\ny\n"),
        ("a\nb", 2, "x\n", "a\nb\nx"),
        ("", 0, "x", "x\n"),
        ("a\n", 1, "x\n\n", "a\nx\n\n"),
    ],
)
def test_lines_are_inserted_after_a_line(text, after, new, made):
    assert inserted(Document(text), after, new).document.text == made


@pytest.mark.parametrize("after", [-1, 3])
def test_lines_that_are_not_there_have_nothing_after_them(after):
    with pytest.raises(NotDoneError, match="from 0 to 2"):
        inserted(Document("a\nb\n"), after, "x")


def test_after_a_change_the_lines_around_it_are_shown_with_their_numbers():
    text = "".join(f"{n}\n" for n in range(1, 21))
    seen = around(replaced(Document(text), "10\n11", "a\nb\nc"), keep=1000)
    assert seen.split("\n")[0] == "     7\t7"
    assert seen.split("\n")[-1] == "    15\t14"
    assert "    12\tc\n    13\t12" in seen


@pytest.mark.parametrize(
    ("given_", "lines"),
    [(None, (1, 40)), ([], (1, 40)), ([3, 5], (3, 5)), ([3, -1], (3, 40)), ([39, 99], (39, 40))],
)
def test_a_view_has_the_lines_that_it_asks_for(given_, lines):
    assert range_of(given_, 40) == lines


@pytest.mark.parametrize("given_", [[0, 5], [5, 3], [41, 50], [1], [1, 2, 3], ["a", 2], [1.5, 2]])
def test_a_view_of_lines_that_there_are_not_is_refused(given_):
    with pytest.raises(NotDoneError, match="view_range has to"):
        range_of(given_, 40)


def test_what_is_too_much_for_one_answer_ends_at_a_whole_line_and_says_where_it_goes_on():
    seen = shown([f"line {n}" for n in range(100)], 11, keep=100)
    assert seen.endswith("[... lines 18 to 110 are not shown: view them with view_range ...]")
    assert "    17\tline 6\n" in seen


def test_a_line_that_is_very_long_is_cut_and_says_by_how_much():
    assert numbered(["a" * (LONGEST_LINE + 7)], 1).endswith("a [... 7 more characters]")
