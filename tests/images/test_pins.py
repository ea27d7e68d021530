"""Files of pins."""

from __future__ import annotations

import pytest

from swerun.errors import InputError
from swerun.images.pins import read_pins, write_pins

PINS = {"b:1": f"sha256:{'0' * 64}", "a:1": f"sha256:{'1' * 64}"}


def test_what_is_written_is_read_and_in_order(tmp_path):
    write_pins(tmp_path / "pins.json", PINS)
    assert read_pins(tmp_path / "pins.json") == PINS
    assert (tmp_path / "pins.json").read_text().splitlines()[1].strip().startswith('"a:1"')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file"),
        ("{", "cannot be read"),
        ("[]", "no JSON object"),
        ('{"a:1": "latest"}', "'latest', which is no sha256 digest"),
        ('{"a:1": 1}', "1, which is no sha256 digest"),
    ],
)
def test_a_file_that_is_none_is_bad_input(tmp_path, text, said):
    file = tmp_path / "pins.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_pins(file)
    assert str(file) in str(caught.value)
