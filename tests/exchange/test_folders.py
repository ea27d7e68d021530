"""A folder that a user names is written whole, or not at all, and never over another."""

from __future__ import annotations

import pytest

from swerun.errors import InputError
from swerun.exchange.folders import File, write_folder
from tests.fakes import files_below

FILES = [File("a", b"\xff"), File("b/c", b"")]


def test_a_folder_is_made_with_those_that_it_is_in(tmp_path):
    write_folder(tmp_path / "x" / "y", FILES)
    assert list(files_below(tmp_path)) == ["x/y/a", "x/y/b/c"]
    assert (tmp_path / "x/y/a").read_bytes() == b"\xff"


def test_a_folder_with_nothing_in_it_may_be_there(tmp_path):
    (tmp_path / "x").mkdir()
    write_folder(tmp_path / "x", FILES)
    assert list(files_below(tmp_path)) == ["x/a", "x/b/c"]


def test_nothing_is_written_over_or_into_what_is_there(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine").touch()
    (tmp_path / "file").touch()
    for path in (tmp_path / "x", tmp_path / "file"):
        with pytest.raises(InputError, match="is there already, and is not empty"):
            write_folder(path, FILES)
    assert list(files_below(tmp_path)) == ["file", "x/mine"]


@pytest.mark.parametrize("path", ["../a", "/a", "a/../b", "", "a//b", "a/", "a\0b", "x" * 256])
def test_no_name_leads_out_of_the_folder_and_then_nothing_is_written(tmp_path, path):
    with pytest.raises(InputError, match="is no name for a file"):
        write_folder(tmp_path / "x", [File("a", b""), File(path, b"")])
    assert list(tmp_path.iterdir()) == []


def test_what_fails_half_way_leaves_nothing(tmp_path):
    def files():
        yield from FILES
        raise InputError("no more")

    with pytest.raises(InputError, match="no more"):
        write_folder(tmp_path / "x", files())
    assert list(tmp_path.iterdir()) == []
