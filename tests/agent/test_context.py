"""What is shortened when a conversation comes near the model's context: decisions as tables."""

from __future__ import annotations

import pytest

from swerun.agent.context import (
    KEPT,
    LEAST,
    MOST,
    REPLY,
    chars_per_token,
    how_many,
    largest_request,
    shortened,
)
from swerun.records import Usage


@pytest.mark.parametrize(
    ("context", "longest_reply", "most"),
    [
        (8192, None, 8192 - 1024),
        (8192, 512, 8192 - 512),  # endpoints count a limit that was given against the context
        (32768, None, 32768 - 4096),
        (262144, None, 262144 - REPLY),
        (4096, 4096, 0),
    ],
)
def test_a_request_leaves_room_for_the_reply(context, longest_reply, most):
    assert largest_request(context, longest_reply) == most


@pytest.mark.parametrize(
    ("savings", "size", "most", "number"),
    [
        ([], 10, 100, 0),
        ([50, 50], 100, 100, 0),  # it fits
        ([60, 60, 60], 101, 100, 1),  # down to half of what fits, the oldest first
        ([20, 20, 20, 5], 110, 100, 3),
        ([30, 30, 30, 30], 110, 100, 2),
        ([0, 60, 60], 110, 100, 2),  # short ones before it go along
        ([5, 5, 50], 108, 100, 2),  # half is out of reach, and the newest can stay as it is
        ([5, 5, 50], 120, 100, 3),  # the newest too, where it has to be
        ([5], 120, 100, 1),
        ([], 120, 100, 0),
    ],
)
def test_the_oldest_results_go_in_one_batch_down_to_half(savings, size, most, number):
    assert how_many(savings, size, most) == number


def test_a_shortened_result_keeps_its_beginning_and_says_what_is_missing():
    made = shortened("[exit code 0]\n" + "a" * 1000)
    assert made.startswith("[exit code 0]\naaa")
    assert f"{1014 - KEPT} characters of this older result were taken out" in made
    assert len(made) < 500


@pytest.mark.parametrize("text", ["", "[exit code 0]", "a" * KEPT, "a" * (KEPT + 100)])
def test_what_would_not_get_shorter_stays_as_it_is(text):
    assert shortened(text) == text


@pytest.mark.parametrize(
    ("chars", "tokens", "ratio"),
    [(3000, 1000, 3.0), (300, 1000, LEAST), (90_000, 1000, MOST), (3000, 0, None)],
)
def test_how_long_a_token_is_is_learnt_from_what_the_endpoint_counted(chars, tokens, ratio):
    assert chars_per_token(chars, Usage(input_tokens=tokens)) == ratio
