"""One call in a text, as its format gives it."""

from __future__ import annotations

from dataclasses import dataclass

from swerun.models.protocols.calls import Function


@dataclass(frozen=True, slots=True)
class Part:
    """From `start` to `end` (characters of the text) there is a call, or what was to be one:
    then `problem` says, in words for the model, what is wrong with it."""

    form: str  # the protocol whose format it has
    start: int
    end: int
    name: str = ""
    function: Function | None = None
    problem: str | None = None
