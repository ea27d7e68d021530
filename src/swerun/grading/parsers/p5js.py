"""p5.js' mocha, run in a browser by grunt: what failed, out of a log full of printed objects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from swerun.grading.parsers.lines import indentation, without_colours
from swerun.records import TestStatus

_OPENS = re.compile(r"<(\w+)>")
_CLOSES = re.compile(r"</(\w+)>")
_NUMBER = re.compile(r"^[^\S\n]*\d+\)", re.MULTILINE)
_LONGEST = 1000


def parse_p5js(log: str) -> dict[str, TestStatus]:
    """`suite:suite:name`, from `  3) suite` through lines that are indented ever more."""
    plain = _without_tags(_without_objects(without_colours(log)))
    return dict.fromkeys(_failures(plain), TestStatus.FAILED)


def _failures(log: str) -> Iterator[str]:
    at = 0
    while number := _NUMBER.search(log, at):
        colon = log.find(":", number.end(), number.end() + _LONGEST + 1)
        at = number.end() if colon < 0 else colon + 1
        lines = log[number.end() : max(colon, 0)].split("\n")
        indents = [0, *map(indentation, lines)]
        if colon >= 0 and all(a < b for a, b in pairwise(indents)):
            yield ":".join(line.strip() for line in lines)


def _without_objects(log: str) -> str:
    """Without JSON: from a line that ends with `{` to one that is `}`; the same for lists."""
    kept = []
    in_object = in_list = False
    for line in log.split("\n"):
        plain = line.rstrip()
        if plain.endswith("{"):
            in_object = True
        elif plain.endswith("["):
            in_list = True
        elif plain == "}" and in_object:
            in_object = False
        elif plain == "]" and in_list:
            in_list = False
        elif not (in_object or in_list or _is_object(plain)):
            kept.append(line)
    return "\n".join(kept)


def _is_object(line: str) -> bool:
    return line.startswith(("{", "[")) and line.endswith("}" if line[0] == "{" else "]")


def _without_tags(log: str) -> str:
    """Without what is between `<a>` and its `</a>`. Of one that is never closed the tag stays."""
    last = {match[1]: match.start() for match in _CLOSES.finditer(log)}
    kept, at = [], 0
    while opening := _OPENS.search(log, at):
        kept.append(log[at : opening.start()])
        tag, at, unclosed = opening[1], opening.end(), 1
        while unclosed and at <= last.get(tag, -1):
            closes = log.find(f"</{tag}>", at)
            unclosed += log.count(opening[0], at, closes) - 1
            at = closes + len(tag) + 3
        kept.append(opening[0] * unclosed)
    return "".join([*kept, log[at:]])
