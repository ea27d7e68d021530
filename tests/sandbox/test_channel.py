"""The host's half of a channel against streams that say what a test wrote for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swerun.errors import SandboxError
from swerun.sandbox.channel import (
    HANG_SECONDS,
    LONGEST_LINE,
    LONGEST_OUTPUT,
    Channel,
    ChannelEndedError,
    killed,
    opening,
)

READY = [b"python3\n", b"ready python3 bash\n"]


@dataclass
class ScriptedStream:
    """Says the pieces in order, an error among them is raised; then it is at its end."""

    pieces: Sequence[bytes | Exception]
    errors: bytes = b""
    sent: list[bytes] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    closed: bool = False

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def receive(self, timeout: float) -> bytes:
        self.asked.append(timeout)
        if len(self.asked) > len(self.pieces):
            return b""
        piece = self.pieces[len(self.asked) - 1]
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self) -> None:
        self.closed = True


@dataclass
class EndlessStream(ScriptedStream):
    """Says its first piece for ever."""

    def receive(self, timeout: float) -> bytes:
        self.asked.append(timeout)
        assert len(self.asked) < 1000, "somebody listens for ever"
        return self.pieces[0]


@dataclass
class DeafStream(ScriptedStream):
    """Takes nothing."""

    def send(self, data: bytes) -> None:
        raise BrokenPipeError


def a_channel(*pieces, marks=""):
    return Channel(ScriptedStream(pieces), marks)


def done(output=b"", *, mark="1.", code=0, late=0, took=1500, head=None, left_out=0):
    head = len(output) if head is None else head
    words = f"done {mark} {code} {late} {took} {head} {left_out} {len(output) - head}\n"
    return words.encode() + output


# opening


@pytest.mark.parametrize(
    ("server", "shell"), [("python3", "bash"), ("python3", "sh"), ("sh", "bash"), ("sh", "sh")]
)
def test_a_channel_is_open_once_its_server_says_what_it_is(server, shell):
    channel = a_channel(f"{server}\n".encode(), f"ready {server} {shell}\n".encode())
    channel.open()
    assert (channel.served_by, channel.shell) == (server, shell)
    head, source = channel.stream.sent
    assert len(head) == int("".join(c for c in opening("/w")[4] if c.isdigit()))
    assert source.endswith(b"\n")
    if server == "sh":
        assert f'head -c {len(source)})"'.encode() in head


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"python"],
        [b"Welcome to this image!\n"],
        [b"\n"],
        [b"\xff\xfe\n"],
        [b"ruby\n", b"ready ruby bash\n"],
        [b"python3\n"],
        [b"python3\n", b"ready\n"],
        [b"python3\n", b"Traceback (most recent call last):\n"],
        [b"python3\n", b"x" * LONGEST_LINE, b"x" * LONGEST_LINE, b"\n"],
        [TimeoutError()],
        [b"sh\n", TimeoutError()],
        [ConnectionResetError()],
    ],
)
def test_what_is_no_server_does_not_open_a_channel(pieces):
    with pytest.raises(ChannelEndedError):
        a_channel(*pieces).open()


def test_a_channel_that_does_not_open_repeats_what_was_said_instead():
    stream = ScriptedStream([b"exec failed: ", b"no such "], errors=b"permission denied\n")
    with pytest.raises(ChannelEndedError, match="exec failed: no such permission denied"):
        Channel(stream).open()
    stream = ScriptedStream([b"Welcome!\n"], errors=b"python3: bad interpreter\n")
    with pytest.raises(ChannelEndedError, match=r"Welcome!.*bad interpreter"):
        Channel(stream).open()


# what is asked


@pytest.mark.parametrize(
    ("command", "timeout", "given", "request_"),
    [
        ("ls", 1.5, b"", b"run 1. 1500 1 2 0\nls\n"),
        ("", 60, b"", b"run 1. 60000 1 0 0\n\n"),
        ("a\nb\n", 2, b"", b"run 1. 2000 3 4 0\na\nb\n\n"),
        ("ü", 0.0001, b"", b"run 1. 1 1 2 0\n\xc3\xbc\n"),
        ("\udcff", 1, b"", b"run 1. 1000 1 1 0\n?\n"),
        ("cat", 1, b"x\0\n", b"run 1. 1000 1 3 3\ncat\nx\0\n"),
        ("y" * 100_000, 1, b"", b"run 1. 1000 1 100000 0\n" + b"y" * 100_000 + b"\n"),
        (
            "y" * 100_001,
            1,
            b"",
            b"run 1. 1000 1 17 100001\n. /proc/self/fd/9\n" + b"y" * 100_001,
        ),
    ],
)
def test_a_request_announces_all_that_it_brings(command, timeout, given, request_):
    channel = a_channel(done())
    channel.exec(command, timeout=timeout, given=given)
    assert channel.stream.sent == [request_]


def test_no_two_commands_have_the_same_mark_and_none_is_the_beginning_of_another():
    channel = a_channel(*(done(mark=f"m-{i}.") for i in range(1, 13)), marks="m-")
    seen = []
    for _ in range(12):
        channel.exec("true", timeout=1)
        seen.append(channel.mark)
    assert len(set(seen)) == 12
    assert not [(a, b) for a in seen for b in seen if a != b and b.startswith(a)]
    assert all(mark.startswith("m-") for mark in seen)


def test_a_nul_byte_is_not_sent_at_all():
    channel = a_channel()
    assert channel.exec("echo a\0b", timeout=1).exit_code == 126
    assert channel.stream.sent == []


def test_a_channel_that_follows_another_kills_what_that_ones_last_command_left():
    gone = a_channel(done(), done(mark="2."))
    for _ in range(2):
        gone.exec("sleep 60 &", timeout=1)
    channel = a_channel(done(mark="2."), done(mark="3."))
    channel.follow(gone)
    channel.exec("true", timeout=1)
    assert channel.stream.sent[0] == b"end 2.\n"
    assert channel.stream.sent[1].startswith(b"run 3. ")


# what is answered


def test_a_reply_says_how_a_command_ended():
    result = a_channel(done(b"caf\xc3\xa9\n", code=3)).exec("x", timeout=1)
    assert (result.exit_code, result.output, result.seconds) == (3, "café\n", 1.5)
    assert (result.timed_out, result.truncated) == (False, False)
    assert a_channel(done(code=124, late=1)).exec("x", timeout=1).timed_out


@pytest.mark.parametrize(
    ("left_out", "said"), [(7, "7 bytes of output left out"), (-1, "[... output left out")]
)
def test_a_reply_that_is_not_whole_says_so_where_something_is_missing(left_out, said):
    result = a_channel(done(b"firstlast", head=5, left_out=left_out)).exec("x", timeout=1)
    assert result.truncated
    assert result.output.startswith("first\n")
    assert result.output.endswith("\nlast")
    assert said in result.output


REPLIES = done(b"one\n") + done(b"\0\xff\n" * 9, mark="2.", code=3) + done(mark="3.", code=137)


@given(st.lists(st.integers(0, len(REPLIES)), max_size=12))
def test_a_reply_may_come_in_any_pieces(cuts):
    edges = [0, *sorted(cuts), len(REPLIES)]
    pieces = [REPLIES[a:b] for a, b in pairwise(edges) if a < b]
    channel = a_channel(*pieces)
    results = [channel.exec("x", timeout=1) for _ in range(3)]
    assert [r.exit_code for r in results] == [0, 3, 137]
    assert [r.output for r in results] == ["one\n", "\0\ufffd\n" * 9, ""]


@given(st.integers(0, len(REPLIES) - 1))
def test_a_reply_that_breaks_off_is_the_end_of_the_channel(length):
    channel = a_channel(*([REPLIES[:length]] if length else []))
    with pytest.raises(ChannelEndedError):
        for _ in range(3):
            channel.exec("x", timeout=1)


@pytest.mark.parametrize(
    "said",
    [
        b"\n",
        b"garbage\n",
        b"\xff\xfe\xfd\n",
        b"done\n",
        b"done 1.\n",
        b"done 1. 0 0 0 0 0\n",
        b"done 1. 0 0 0 0 0 0 0\n",
        b"done 1. 0 0 0 x 0 0\n",
        b"done 1. 0 0 0 -5 0 0\n12345",
        b"done 1. 0 0 0 0 0 -5\n12345",
        f"done 1. 0 0 0 {LONGEST_OUTPUT + 1} 0 0\n".encode(),
        f"done 1. 0 0 0 0 0 {10**15}\n".encode(),
        b"done 1. 0 0 0 " + b"9" * 4000 + b" 0 0\n",
        b"done 2. 0 0 0 0 0 0\n",
        b"done 11. 0 0 0 0 0 0\n",
        b"stuck 2.\n",
        b"stuck\n",
        ConnectionResetError(),
        TimeoutError(),
    ],
)
def test_an_answer_that_is_no_reply_to_this_command_is_the_end_of_the_channel(said):
    channel = a_channel(said, done(b"the output of something else", mark="2."))
    with pytest.raises(ChannelEndedError):
        channel.exec("x", timeout=1)


def test_an_answer_without_end_is_not_listened_to_for_ever():
    for piece in (b"x" * 1000, b"x" * LONGEST_OUTPUT):
        stream = EndlessStream([piece])
        with pytest.raises(ChannelEndedError, match="line of more than"):
            Channel(stream).exec("x", timeout=1)


def test_what_cannot_be_killed_is_an_error_and_the_channel_goes_on():
    channel = a_channel(b"stuck 1.\n" + done(b"next", mark="2."))
    with pytest.raises(SandboxError, match="cannot be killed: 'sleep 60'") as caught:
        channel.exec("sleep 60", timeout=1)
    assert not isinstance(caught.value, ChannelEndedError)
    assert channel.exec("x", timeout=1).output == "next"


def test_a_server_has_until_some_time_after_the_commands_own_limit():
    channel = a_channel(b"done 1. 0 0 0", TimeoutError())
    with pytest.raises(ChannelEndedError, match="after the limit of 7 s of the command 'sleep 60'"):
        channel.exec("sleep 60", timeout=7)
    assert all(7 < seconds <= 7 + HANG_SECONDS for seconds in channel.stream.asked)


def test_a_stream_that_takes_nothing_is_the_end_of_the_channel():
    with pytest.raises(ChannelEndedError):
        Channel(DeafStream([])).exec("x", timeout=1)


@pytest.mark.parametrize(
    ("seconds", "code", "timed_out"), [(0.5, 137, False), (10, 137, False), (10.1, 124, True)]
)
def test_a_command_that_ended_its_channel_was_killed_or_ran_out_of_time(seconds, code, timed_out):
    result = killed(seconds, timeout=10)
    assert (result.exit_code, result.timed_out, result.seconds) == (code, timed_out, seconds)
