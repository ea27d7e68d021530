"""Whether a conversation still fits into a model's context, and what of it is shortened if not.

Pure. History is otherwise append-only, so that an endpoint's prefix cache hits; so what is
shortened is shortened in one batch, down to half of what fits, and then for long no more.
"""

from __future__ import annotations

from collections.abc import Sequence

from swerun.records import Usage

CHARS_PER_TOKEN = 3.0  # of code and logs, until an endpoint has said what it counts
LEAST, MOST = 1.5, 4.5  # what that may be learnt to be
KEPT = 200  # characters of a result that stay when it is shortened
REPLY = 8192  # tokens to leave for a reply whose length nobody has limited
NOTE = (
    "[... {cut} characters of this older result were taken out, because the conversation comes near"
    " what you can read at once; do it again to see them ...]"
)


def largest_request(context: int, longest_reply: int | None) -> int:
    """How many tokens a request may have where `context` holds it and the reply to it.

    Endpoints count a limit on the reply that was given against the context, whether it is used up
    or not; without one an eighth is left free.
    """
    return context - (longest_reply or min(REPLY, context // 8))


def shortened(text: str) -> str:
    """A result as it is shown once there is no room for it; a short one stays as it is."""
    cut = len(text) - KEPT
    made = f"{text[:KEPT].rstrip()}\n{NOTE.format(cut=cut)}"
    return made if len(made) < len(text) else text


def how_many(savings: Sequence[int], size: int, most: int) -> int:
    """Of how many of the oldest steps the results are to be shortened.

    `savings` are the tokens that each step would give, oldest first, `size` is what the
    conversation has and `most` what fits. The newest step is shortened only where all others are
    not enough: the model has not seen it yet.
    """
    if size <= most:
        return 0
    left = size
    for number, saving in enumerate(savings[:-1]):
        left -= saving
        if left <= most // 2:
            return number + 1
    return len(savings) - 1 if left <= most and savings else len(savings)


def chars_per_token(chars: int, usage: Usage) -> float | None:
    """What a request of so many characters says of it; None where nothing was reported."""
    if not usage.input_tokens:
        return None
    return min(MOST, max(LEAST, chars / usage.input_tokens))
