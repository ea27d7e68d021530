"""Processes on this machine: run to the end or to the deadline, and talked with."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from swerun.sandbox.process import OUTPUT_CAP, run, talk

ENOUGH = 30


@pytest.mark.parametrize(
    ("script", "code"), [("true", 0), ("exit 3", 3), ("kill -9 $$", 137), ("kill -15 $$", 143)]
)
def test_a_process_that_fails_is_a_result(script, code):
    result = run(["sh", "-c", script], timeout=ENOUGH)
    assert (result.exit_code, result.timed_out) == (code, False)


def test_a_program_that_is_not_there_is_said_to_be_not_there():
    with pytest.raises(FileNotFoundError):
        run(["swerun-has-no-such-program"], timeout=ENOUGH)


def test_output_and_errors_come_in_order_and_need_be_no_utf8():
    result = run(["sh", "-c", r"echo a; echo b >&2; printf '\377'"], timeout=ENOUGH)
    assert result.output == "a\nb\n\ufffd"


def test_a_process_gets_the_input_folder_and_environment_that_it_is_given(tmp_path):
    command = ["sh", "-c", "cat; pwd; echo $A"]
    result = run(command, timeout=ENOUGH, stdin=b"in\n", cwd=tmp_path, env={"A": "b"})
    assert result.output == f"in\n{tmp_path.resolve()}\nb\n"
    assert run(["cat"], timeout=ENOUGH).output == ""


def test_output_is_capped_and_says_so():
    result = run(["head", "-c", str(OUTPUT_CAP + 1), "/dev/zero"], timeout=ENOUGH)
    assert (len(result.output), result.truncated) == (OUTPUT_CAP, True)
    result = run(["head", "-c", str(OUTPUT_CAP), "/dev/zero"], timeout=ENOUGH)
    assert (len(result.output), result.truncated) == (OUTPUT_CAP, False)


def lives(pid):
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_after_the_deadline_the_group_is_dead_and_what_it_said_is_kept(tmp_path):
    script = "echo early; sleep 600 & echo $! >child; wait"
    began = time.monotonic()
    result = run(["sh", "-c", script], timeout=0.5, cwd=tmp_path)
    assert time.monotonic() - began < ENOUGH
    assert (result.output, result.timed_out) == ("early\n", True)
    child = (tmp_path / "child").read_text().strip()
    while lives(child):  # to be killed takes a moment
        assert time.monotonic() - began < ENOUGH
        time.sleep(0.01)


def test_what_a_process_leaves_running_does_not_keep_its_result_back():
    began = time.monotonic()
    assert run(["sh", "-c", "sleep 3 & echo done"], timeout=ENOUGH).output == "done\n"
    assert time.monotonic() - began < 2.5


@pytest.fixture
def cat():
    stream = talk(["cat"], cwd=Path("/"))
    yield stream
    stream.close()
    assert stream.process.poll() is not None


def test_what_is_said_to_a_process_comes_back_in_pieces(cat):
    cat.send(b"\0\xff\n")
    assert cat.receive(ENOUGH) == b"\0\xff\n"
    cat.send(b"again")
    assert cat.receive(ENOUGH) == b"again"


def test_a_process_that_says_nothing_for_so_long_is_a_timeout(cat):
    with pytest.raises(TimeoutError):
        cat.receive(0.05)
    cat.send(b"late")
    assert cat.receive(ENOUGH) == b"late"


def test_a_long_message_arrives_whole():
    count = "import sys; print(len(sys.stdin.buffer.read(3_000_000)))"
    stream = talk([sys.executable, "-I", "-S", "-c", count], cwd=Path("/"))
    stream.send(bytes(3_000_000))
    assert stream.receive(ENOUGH) == b"3000000\n"
    stream.close()


def test_errors_are_kept_apart_and_the_end_is_the_end():
    stream = talk(["sh", "-c", "echo out; echo err >&2"], cwd=Path("/"))
    said = b"".join(iter(lambda: stream.receive(ENOUGH), b""))
    assert (said, stream.errors) == (b"out\n", b"err\n")
    stream.close()
