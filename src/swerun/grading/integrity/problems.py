"""Why a verdict is not believed: what a witness, doomed tests and the log itself say. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from swerun.grading.integrity.notes import Notes
from swerun.grading.parsers import Parser
from swerun.grading.verdict import EXIT_CODE, Statuses, judged
from swerun.records import END, START, Answer, ExpectedTest, TestStatus

_FAILURES = {TestStatus.FAILED, TestStatus.ERROR}
BLIND = "blind"  # the kind of a witness that sees nothing
_PRINTS = re.compile(r"\b(echo|printf)\b")


@dataclass(frozen=True, slots=True)
class Problem:
    """The same `kind` of the same `what` without any patch is the instance's own."""

    kind: str
    what: str
    said: str

    @property
    def key(self) -> tuple[str, str]:
        return self.kind, self.what


def disagreements(
    answer: Answer, logged: Iterable[ExpectedTest], notes: Notes, changed: Iterable[str]
) -> Iterator[Problem]:
    """What of a log the witness does not confirm; `changed` are the files of the patch."""
    if not notes.statuses:
        yield Problem(BLIND, "", "the witness saw no test")
        return
    yield from _of_tests(logged, judged(answer, notes.statuses))
    yield from _of_files(notes, tuple(changed))


def _of_tests(logged: Iterable[ExpectedTest], seen: Iterable[ExpectedTest]) -> Iterator[Problem]:
    there = {(test.group, test.name): test for test in seen}
    for test in logged:
        also = there[test.group, test.name]
        if test.status is not None and also.status is None:
            yield Problem("unseen", test.name, f"the witness did not see {test.name}")
        elif test.ok and not also.ok:
            said = f"the witness saw {also.status}, the log says {test.status}: {test.name}"
            yield Problem("denied", test.name, said)


def _of_files(notes: Notes, files: tuple[str, ...]) -> Iterator[Problem]:
    for file, name in notes.asides:
        if _is_one_of(file, files):
            yield Problem("aside", name, f"{file}, which the patch changes, had {name} left out")
    for name, file in notes.replaced:
        yield Problem("replaced", name, f"{name} was replaced by code in {file}")
    for file in notes.plugins:
        if _is_one_of(file, files):
            yield Problem("plug-in", file, f"{file}, which the patch changes, became a plug-in")


def among(passed: Iterable[ExpectedTest], doomed: Collection[str]) -> list[ExpectedTest]:
    """Those of the tests that are doomed, by the names of these."""
    return [test for test in passed if _plain_name(test.name) in doomed]


def unfailing(
    answer: Answer, doomed: Iterable[ExpectedTest], statuses: Statuses
) -> Iterator[Problem]:
    """Which of tests that must fail do not; `statuses` are of a run in which they must."""
    names = {(test.group, test.name) for test in doomed}
    again = [test for test in judged(answer, statuses) if (test.group, test.name) in names]
    for test in again:
        if test.status is not None and test.status not in _FAILURES:
            said = f"{test.name} is {test.status} also where its assertions cannot hold"
            yield Problem("unfailing", test.name, said)
    if again and not any(test.status in _FAILURES for test in again):
        yield Problem("unfailing", "", "no test was seen to fail where its assertions cannot hold")


def doubts(log: str, script: str, parse: Parser, names: Collection[str]) -> Iterator[Problem]:
    """Where a log can be read in two ways; `names` are the expected tests'."""
    lines, commands = log.split("\n"), script.split("\n")
    for marker in (START, END, EXIT_CODE):
        printing = sum(marker in line and bool(_PRINTS.search(line)) for line in commands)
        printed = sum(marker in line and not line.startswith("+") for line in lines)
        if printed > printing:
            yield Problem("log", marker, f"the log has {marker!r} more often than it is printed")
    # a name's last result is the first one from behind, where each stands in a line of its own
    first, last = parse("\n".join(reversed(lines))), parse(log)
    for name in sorted(name for name in names if first.get(name) is not last.get(name)):
        found = {parse(line).get(name) for line in lines if name in line} - {None}
        if len(found) > 1:
            said = f"the log has {' and '.join(sorted(map(str, found)))} of {name}"
            yield Problem("log", name, said)


def _plain_name(name: str) -> str:
    """Of a test's function, or what a description begins with: without file, class, parameters."""
    return name.split("[")[0].split("::")[-1].split(" (")[0]


def _is_one_of(file: str, changed: tuple[str, ...]) -> bool:
    """Whether a file in the container is one of these, there or where it was installed to."""
    places = (f"/{path.removeprefix('src/')}" for path in changed)
    return any(f"/{file}".endswith(place) for place in places)
