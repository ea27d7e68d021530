"""What the witness noted, as watching.py in the container writes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from swerun.grading.parsers import Parser
from swerun.records import TestStatus


@dataclass(frozen=True, slots=True)
class Notes:
    """By their kinds; of a pair the first word and the second."""

    statuses: Mapping[str, TestStatus] = field(default_factory=dict)
    asides: tuple[tuple[str, str], ...] = ()  # file, test
    replaced: tuple[tuple[str, str], ...] = ()  # name, file
    plugins: tuple[str, ...] = ()  # file


def own_notes(written: str, token: str) -> str:
    """Without the token, and without the lines that do not begin with it: these are not its own."""
    own = (line for line in written.split("\n") if line.startswith(f"{token}\t"))
    return "\n".join(line.split("\t", 1)[1] for line in own)


def read_notes(text: str, parse: Parser) -> Notes:
    """Results are as the runner prints them, so the parser of its logs reads them."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in text.split("\n"):
        kind, first, second = (*line.split("\t"), "", "", "")[:3]
        found.setdefault(kind, []).append((first, second))
    results = "\n".join(line for line, _ in found.get("result", ()))
    return Notes(
        statuses=parse(results),
        asides=tuple(found.get("aside", ())),
        replaced=tuple(found.get("replaced", ())),
        plugins=tuple(file for file, _ in found.get("plugin", ())),
    )
