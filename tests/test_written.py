"""JSON of others: what is wrong with it is told with the file and the line."""

from __future__ import annotations

import os

import pytest

from swerun.errors import InputError
from swerun.written import BOM, lines_in, value_in, values_in


def test_what_is_wrong_in_a_line_is_told_with_its_number(tmp_path):
    path = tmp_path / "rows.jsonl"
    for line, said in (
        (b"{", "line 3: it is not JSON"),
        (b'{"a": "\xff"}', "line 3: it is not UTF-8: byte 8 is 0xff"),
        (b"[" * 100_000, "line 3: its values are nested too deeply"),
    ):
        path.write_bytes(b'{"a": 1}\n\n' + line + b"\n")
        rows = lines_in(path)
        assert next(rows).value == {"a": 1}
        with pytest.raises(InputError, match=said):
            next(rows)


@pytest.mark.parametrize("read", [lines_in, values_in, value_in])
def test_what_is_larger_than_memory_is_not_read_into_it(tmp_path, read):
    path = tmp_path / "large.jsonl"
    path.write_text('["' + "x" * 1_000 + '"]\n')
    with pytest.raises(InputError, match=r"large\.jsonl(, line 1)?: it is larger than 1,000 bytes"):
        list(read(path, 1_000))
    assert list(read(path, 2_000))


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    for path in (tmp_path / "pipe.json", tmp_path):
        with pytest.raises(InputError, match="it is no file"):
            value_in(path)


def test_a_file_may_begin_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "one.json"
    path.write_bytes(BOM + b'{"a": 1}')
    assert value_in(path) == {"a": 1}
