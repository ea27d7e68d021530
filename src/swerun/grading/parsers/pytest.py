"""pytest's short summary (`-rA`), and what the projects' older versions of it print instead."""

from __future__ import annotations

import re
from collections.abc import Iterator

from swerun.records import TestStatus

_STATUSES = {status.value: status for status in TestStatus}
_NAMES = tuple(_STATUSES)
_CONTROL = dict.fromkeys(range(1, 32))
_COLOUR = re.compile(r"\[\d+m")
_COUNT = re.compile(r"\[\d+\]")


def parse_pytest(log: str) -> dict[str, TestStatus]:
    """`STATUS name ...`. A name ends at its first space: so do those that instances expect."""
    return dict(_results(log))


def parse_pytest_options(log: str) -> dict[str, TestStatus]:
    """As parse_pytest; of a parameter that is a path only the last part counts, after a slash."""
    return {_shorter(name): status for name, status in _results(log)}


def parse_matplotlib(log: str) -> dict[str, TestStatus]:
    """As parse_pytest; enum members in names as the numbers that older Pythons print."""
    return parse_pytest(log.replace("MouseButton.LEFT", "1").replace("MouseButton.RIGHT", "3"))


def parse_pytest_whole_names(log: str) -> dict[str, TestStatus]:
    """Names with their spaces, colours taken out, and `name STATUS` of older versions too."""
    found = {}
    for line in log.split("\n"):
        plain = _COLOUR.sub("", line).translate(_CONTROL)
        if plain.startswith(_NAMES):
            # a failure's message comes after a dash, and is no part of the name
            words = (plain.split(" - ", 1)[0] if plain.startswith("FAILED") else plain).split()
            if _is_result(words):
                found[" ".join(words[1:])] = _STATUSES[words[0]]
        elif plain.endswith(_NAMES):
            words = plain.split()
            if len(words) > 1 and words[-1] in _STATUSES:
                found[" ".join(words[:-1])] = _STATUSES[words[-1]]
    return found


def parse_seaborn(log: str) -> dict[str, TestStatus]:
    """`FAILED name`, `PASSED name` and `name PASSED [ 10%]`."""
    found = {}
    for line in log.split("\n"):
        words = line.split()
        if len(words) < 2:
            continue
        if line.startswith("FAILED"):
            found[words[1]] = TestStatus.FAILED
        elif " PASSED " in line:
            if words[1] == "PASSED":
                found[words[0]] = TestStatus.PASSED
        elif line.startswith("PASSED"):
            found[words[1]] = TestStatus.PASSED
    return found


def _results(log: str) -> Iterator[tuple[str, TestStatus]]:
    for line in log.split("\n"):
        if line.startswith(_NAMES):
            words = (line.replace(" - ", " ") if line.startswith("FAILED") else line).split()
            if _is_result(words):
                yield words[1], _STATUSES[words[0]]


def _is_result(words: list[str]) -> bool:
    """`SKIPPED [2] file:line: reason` counts tests without naming them."""
    if len(words) < 2 or words[0] not in _STATUSES:
        return False
    return not (words[0] == "SKIPPED" and _COUNT.fullmatch(words[1]))


def _shorter(name: str) -> str:
    begins, ends = name.find("["), name.rfind("]")
    if not 0 <= begins < ends:
        return name
    main, option = name[:begins], name[begins + 1 : ends]
    if option.startswith("/") and not option.startswith("//") and "*" not in option:
        option = "/" + option.rsplit("/", 1)[-1]
    return f"{main}[{option}]"
