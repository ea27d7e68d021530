"""The engine's frames, however they are cut."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swerun.sandbox.attached import ERRORS, FRAME, AttachedStream

STDOUT, STDERR = 1, 2
frames = st.lists(st.tuples(st.sampled_from([STDOUT, STDERR]), st.binary(max_size=40)), max_size=8)


@dataclass
class Pieces:
    """A socket that gives the pieces, the last one for ever if it is to be `endless`."""

    pieces: Sequence[bytes]
    endless: bool = False
    given: int = 0
    waits: list[float | None] = field(default_factory=list)

    def settimeout(self, seconds: float | None) -> None:
        self.waits.append(seconds)

    def recv(self, size: int) -> bytes:
        if self.given == len(self.pieces):
            return self.pieces[-1] if self.endless else b""
        self.given += 1
        return self.pieces[self.given - 1]


def framed(stream, data):
    return FRAME.pack(stream, len(data)) + data


def cut(data, cuts):
    edges = [0, *sorted(at % (len(data) + 1) for at in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if a < b]


def all_of(stream):
    pieces = iter(lambda: stream.receive(5), b"")
    return b"".join(pieces)


@given(frames, st.lists(st.integers(0, 1000), max_size=20))
def test_frames_may_be_cut_anywhere(sent, cuts):
    stream = AttachedStream(Pieces(cut(b"".join(framed(*one) for one in sent), cuts)))
    assert all_of(stream) == b"".join(data for which, data in sent if which == STDOUT)
    assert bytes(stream.errors) == b"".join(data for which, data in sent if which == STDERR)


@given(st.integers(1, 12))
def test_a_frame_that_breaks_off_is_the_end(length):
    whole, broken = framed(STDOUT, b"whole"), framed(STDOUT, b"broken")[:length]
    stream = AttachedStream(Pieces([whole + broken]))
    assert all_of(stream) == b"whole"


def test_a_long_frame_is_whole():
    data = bytes(range(256)) * 4096
    stream = AttachedStream(Pieces(cut(framed(STDOUT, data), range(0, 1 << 20, 4001))))
    assert all_of(stream) == data


def test_only_the_last_of_many_errors_is_kept():
    errors = b"".join(framed(STDERR, b"%07d\n" % i) for i in range(20_000))
    stream = AttachedStream(Pieces([errors, framed(STDOUT, b"out")]))
    assert all_of(stream) == b"out"
    assert len(stream.errors) == ERRORS
    assert stream.errors.endswith(b"0019999\n")


def test_errors_without_end_are_no_answer():
    stream = AttachedStream(Pieces([framed(STDERR, b"x")], endless=True))
    with pytest.raises(TimeoutError):
        stream.receive(0.2)
    assert all(0 < seconds <= 0.2 for seconds in stream.response.waits)


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield AttachedStream(ours), theirs


def test_nothing_for_so_long_is_a_timeout_and_what_comes_later_is_not_lost(ends):
    stream, theirs = ends
    theirs.sendall(framed(STDOUT, b"late")[:-1])
    with pytest.raises(TimeoutError):
        stream.receive(0.05)
    theirs.sendall(b"e")
    assert stream.receive(5) == b"late"


def test_what_is_sent_arrives_whole_and_the_other_side_sees_the_end(ends):
    stream, theirs = ends
    stream.send(b"x" * 100_000)
    received = bytearray()
    while len(received) < 100_000:
        received += theirs.recv(1 << 16)
    stream.close()
    assert bytes(received) == b"x" * 100_000
    assert theirs.recv(1) == b""


def test_a_stream_whose_other_side_is_gone_can_be_closed(ends):
    stream, theirs = ends
    theirs.close()
    assert stream.receive(5) == b""
    stream.close()
    stream.close()
