"""Runs that are kept by content: never the wrong one, never a broken one, and none in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from swerun.grading.apply import Applied
from swerun.grading.cache import RunCache, key_of
from swerun.grading.evaluate import Ran
from swerun.ports import LONG, Log
from tests.fakes import NOW

KEY, OTHER = key_of({"a": 1}), key_of({"a": 2})


def a_run(log=b"printed\nthis\n", **more):
    given = {"applied": Applied("git apply", "")} | more
    return Ran(at=NOW, host="h", log=Log.of(log), exit_code=1, eval_seconds=2.5, **given)


@pytest.fixture
def cache(tmp_path):
    return RunCache(tmp_path / "grades")


@pytest.mark.parametrize("log", [b"", b"\n", b"\xff\0\r\n{}\n", b"x" * (LONG + 1)])
def test_what_is_kept_is_found_as_it_was_but_for_being_cached(cache, log):
    cache.keep(KEY, a_run(log))
    found = cache.find(KEY)
    assert found == a_run(log, cached=True)
    assert found.log.whole() == log
    assert cache.find(OTHER) is None


def test_a_run_without_a_patch_is_found_without_one(cache):
    cache.keep(KEY, a_run(applied=None))
    assert cache.find(KEY).applied is None


def test_the_key_changes_with_every_part_and_not_with_their_order():
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    assert len({key_of({"a": 1}), key_of({"a": 2}), key_of({"b": 1}), key_of({})}) == 4


def only(cache):
    (path,) = (p for p in cache.folder.rglob("*") if p.is_file())
    return path


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data.replace(b"printed", b"PASSED!"),
        lambda data: data.replace(b'"exit_code":1', b'"exit_code":"no"'),
        lambda data: data.replace(b'"schema_version":1', b'"schema_version":1,"later":1'),
        lambda data: os.urandom(100),
        lambda data: b"{}\n",
        lambda data: data.replace(KEY.encode(), OTHER.encode()),
    ],
)
def test_a_damaged_entry_is_no_entry_and_is_replaced(cache, damage):
    cache.keep(KEY, a_run())
    whole = only(cache).read_bytes()
    only(cache).write_bytes(damage(whole))
    assert only(cache).read_bytes() != whole
    assert cache.find(KEY) is None
    cache.keep(KEY, a_run())
    assert cache.find(KEY) == a_run(cached=True)


def test_an_entry_that_is_moved_is_not_taken_for_anothers(cache):
    cache.keep(KEY, a_run())
    target = cache.folder / OTHER[:2] / OTHER[2:]
    target.parent.mkdir(parents=True, exist_ok=True)
    only(cache).rename(target)
    assert cache.find(OTHER) is None


def test_what_is_forgotten_is_gone_and_may_be_forgotten_again(cache):
    cache.keep(KEY, a_run())
    for _ in range(2):
        cache.forget(KEY)
        assert cache.find(KEY) is None


def test_a_cache_that_cannot_be_written_is_only_empty(tmp_path):
    (tmp_path / "file").write_text("in the way")
    cache = RunCache(tmp_path / "file" / "grades")
    cache.keep(KEY, a_run())
    assert cache.find(KEY) is None


def test_threads_and_processes_that_keep_the_same_run_leave_one_whole_entry(cache):
    code = """
import sys
from pathlib import Path
from tests.grading.test_cache import KEY, a_run
from swerun.grading.cache import RunCache
for number in range(100):
    RunCache(Path(sys.argv[1])).keep(KEY, a_run(sys.argv[2].encode() * 50_000))
"""
    cache.keep(KEY, a_run(b"a"))
    processes = [
        subprocess.Popen([sys.executable, "-c", code, cache.folder, letter]) for letter in "ab"
    ]
    seen = set()
    with ThreadPoolExecutor(2) as pool:
        for letter in (b"c", b"d"):
            pool.submit(lambda said: [cache.keep(KEY, a_run(said)) for _ in range(100)], letter)
        while any(process.poll() is None for process in processes):
            found = cache.find(KEY)
            seen.add(found and found.log.whole()[:1])  # None would be an entry that is not whole
    assert [process.returncode for process in processes] == [0, 0]
    assert seen <= {b"a", b"b", b"c", b"d"}
    assert only(cache).name == KEY[2:]  # and no temporary file is left


def test_the_entry_says_in_plain_json_when_and_where_it_was_made(cache):
    cache.keep(KEY, a_run())
    entry = json.loads(only(cache).read_bytes().split(b"\n")[0])
    assert (entry["made_on"], entry["made_at"]) == ("h", "2026-01-01T00:00:00Z")
