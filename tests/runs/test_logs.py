"""Logs that are read again: one that unpacks to more than any log has is refused, not unpacked."""

from __future__ import annotations

import gzip
import zlib

import pytest

from swerun.errors import InputError
from swerun.ports import LONG, Log
from swerun.runs.grades import read_log_file


def test_a_log_that_unpacks_without_end_is_an_error():
    bomb = Log(gzip.compress(bytes(10 << 20)), packed=True)
    with pytest.raises(zlib.error, match="unpacks to more than 1,048,576 bytes"):
        bomb.whole(largest=1 << 20)
    assert bomb.whole(largest=10 << 20) == bytes(10 << 20)
    assert bomb.whole() == bytes(10 << 20)


@pytest.mark.parametrize("damaged", [lambda d: d[:-9], lambda d: b"x" + d, lambda d: b""])
def test_a_packed_log_that_is_damaged_is_an_error_that_names_its_file(tmp_path, damaged):
    file = tmp_path / "test_output.txt.gz"
    file.write_bytes(damaged(Log.of(bytes(LONG + 1)).data))
    with pytest.raises(InputError, match=r"the log .*test_output\.txt\.gz cannot be read: "):
        read_log_file(file)
