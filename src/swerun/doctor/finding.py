"""What was found out, and what to change where it is not as it should be."""

from __future__ import annotations

from enum import StrEnum

from swerun.records import Record


class State(StrEnum):
    """`bad` keeps a run from its work, `poor` makes its numbers or its hours worse."""

    GOOD = "good"
    POOR = "poor"
    BAD = "bad"
    UNKNOWN = "unknown"


class Finding(Record):
    """`about` is "this machine" or a model; `said` is what is so, `advice` what to do about it."""

    about: str
    name: str
    state: State
    said: str
    advice: str = ""


def good(about: str, name: str, said: str) -> Finding:
    return Finding(about=about, name=name, state=State.GOOD, said=said)


def poor(about: str, name: str, said: str, advice: str) -> Finding:
    return Finding(about=about, name=name, state=State.POOR, said=said, advice=advice)


def bad(about: str, name: str, said: str, advice: str = "") -> Finding:
    return Finding(about=about, name=name, state=State.BAD, said=said, advice=advice)


def unknown(about: str, name: str, said: str, advice: str = "") -> Finding:
    return Finding(about=about, name=name, state=State.UNKNOWN, said=said, advice=advice)
