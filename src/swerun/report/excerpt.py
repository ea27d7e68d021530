"""The part of a test log that is about one test, and the files of a patch. Pure.

Three forms are known: pytest's sections with the test's name between underscores, unittest's (and
Django's) with FAIL or ERROR before it, and of any other runner the first line that names it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

SHOWN = 60  # lines of a part; of a longer one the beginning and the end, where the error is
AFTER = 15  # lines after the first one of a form that is not known
_SECTION = re.compile(r"_{2,} (?:ERROR (?:at \w+ of|collecting) )?(?P<title>\S.*?) _{2,}")
_BAR = re.compile(r"={10,}(?: .* =+)?")
_UNITTEST = re.compile(r"(?:FAIL|ERROR): (?P<title>.+)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_BAD = re.compile(r"fail|error|not ok|[✕✗●]", re.IGNORECASE)


def part_of(log: str, test: str) -> str:
    """ "" where the log does not name it."""
    lines = _COLOUR.sub("", log).splitlines()
    found = _pytest(lines, test) or _unittest(lines, test) or _any(lines, test)
    found = found or _inner(lines, test)
    return "\n".join(_shortened(found))


def files_of(patch: str) -> list[str]:
    """The files that a git diff is of."""
    return sorted(set(re.findall(r"^diff --git a/.* b/(.*)$", patch, re.MULTILINE)))


def _pytest(lines: Sequence[str], test: str) -> Sequence[str]:
    """Of sections with the same title the one that names the test's file."""
    path, *inner = test.split("::")
    titles = {".".join(inner), path} if inner else {test}
    sections = [
        (title, section) for title, section in _sections(lines) if title and title in titles
    ]
    of_file = [section for _, section in sections if any(path in line for line in section)]
    return next(iter(of_file or [section for _, section in sections]), ())


def _sections(lines: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    title, start = "", 0
    for at, line in enumerate(lines):
        found = _SECTION.fullmatch(line.strip())
        if found or _BAR.fullmatch(line.strip()):
            yield title, lines[start:at]
            title, start = found["title"] if found else "", at
    yield title, lines[start:]


def _unittest(lines: Sequence[str], test: str) -> Sequence[str]:
    for at, line in enumerate(lines):
        found = _UNITTEST.fullmatch(line.strip())
        if found and (found["title"] == test or found["title"].startswith(f"{test} ")):
            after = range(at + 1, len(lines))
            ends = (n for n in after if _BAR.fullmatch(lines[n].strip()) or _ends(lines[n:]))
            return lines[at : next(ends, len(lines))]
    return ()


def _ends(lines: Sequence[str]) -> bool:
    """Whether unittest's summary begins here."""
    return lines[0].startswith("-----") and lines[1:2] != [] and lines[1].startswith("Ran ")


def _any(lines: Sequence[str], test: str) -> Sequence[str]:
    named = [at for at, line in enumerate(lines) if test in line]
    at = next((at for at in named if _BAD.search(lines[at].replace(test, ""))), None)
    at = at if at is not None else next(iter(named), None)
    return () if at is None else lines[at : at + 1 + AFTER]


def _inner(lines: Sequence[str], test: str) -> Sequence[str]:
    """Of a name made of groups and the test in them: runners print the last parts on a line."""
    bare = re.sub(r" \(\d+ ?m?s\)$", "", test).rstrip(" :")
    for cut in re.finditer(r"[\s.:>-]+", bare):
        inner = re.escape(bare[cut.end() :])
        line = re.compile(rf'(?:.*[\s)✕✗●])?{inner}(?: \(\d+ ?m?s\))?:?(?: FAILED)?|.*"{inner}".*')
        at = next((at for at, each in enumerate(lines) if line.fullmatch(each.strip())), None)
        if at is not None:
            return lines[at : at + 1 + AFTER]
    return ()


def _shortened(lines: Sequence[str]) -> Sequence[str]:
    if len(lines) <= SHOWN:
        return lines
    first = SHOWN // 3
    left_out = f"... {len(lines) - SHOWN} lines ..."
    return [*lines[:first], left_out, *lines[first - SHOWN :]]
