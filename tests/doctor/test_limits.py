"""What servers tell of their limits, in their own words."""

from __future__ import annotations

import pytest

from swerun.doctor.limits import Told, listed, of_refusal

ASKED = 10_000_000


@pytest.mark.parametrize(
    ("text", "context", "cap"),
    [
        (
            "m at http://h:8000/v1 answered 400: max_tokens is too large: 10000000. This model "
            "supports at most 4096 completion tokens, whereas you provided 10000000.",
            None,
            4096,
        ),
        (
            "This model's maximum context length is 32768 tokens. However, you requested 10000012 "
            "tokens (12 in the messages, 10000000 in the completion).",
            32768,
            None,
        ),
        (
            "'max_tokens' or 'max_completion_tokens' is too large: 10000000. This model's maximum "
            "context length is 40,960 tokens and your request has 12 input tokens.",
            40960,
            None,
        ),
        ("Range of max_tokens should be [1, 8192]", None, 8192),
        ("`max_tokens` must be less than or equal to `32768`", None, 32768),
        (
            "max_tokens: 10000000 > 8192, which is the maximum allowed number of output tokens",
            None,
            8192,
        ),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", None, 8192),
        ("max_tokens is not supported here.", None, None),
        ("Internal error 17.", None, None),
    ],
)
def test_a_refusal_says_how_many_tokens_there_would_be(text, context, cap):
    told = of_refusal(text.replace("http://h:8000/v1 answered 400: ", ""), ASKED)
    assert (told.context, told.cap) == (context, cap)


def test_a_refusal_that_says_nothing_tells_nothing():
    assert of_refusal("", ASKED) == Told()


@pytest.mark.parametrize("listing", [None, [], {"data": None}, {"data": [1, {"id": None}]}, "x"])
def test_what_is_no_list_lists_nothing(listing):
    assert listed(listing, "m") is None
