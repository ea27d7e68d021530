"""What others wrote is shown by a terminal, not obeyed."""

from __future__ import annotations

import pytest

from swerun.cli.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n\ttext, ümlaut, 日本", "plain\n\ttext, ümlaut, 日本"),
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m", r"\x9b31m"),
        ("over\rwritten\x08\x7f\x00", r"over\rwritten\x08\x7f\x00"),
        ("of DOS\r\n", "of DOS\n"),
        ("if x\u202e:", r"if x\u202e:"),
        ("half \ud800", r"half \ud800"),
    ],
)
def test_no_character_is_left_that_a_terminal_obeys(text, shown):
    assert printable(text) == shown
