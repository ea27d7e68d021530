"""What in a patch could decide outcomes: the rules that fit it, and what is left without it. Pure.

Where a patch is flagged it is graded a second time, without the files that a rule on paths fits.
Three kinds of files are not such files: those that the evaluation itself puts in place after the
patch; those that the gold patch changes as well, so that they have a reason to be changed; and new
test files that nothing names, as agents like to add: no runner comes upon them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from swerun.grading.integrity.rules import (
    CODE,
    COMMENT,
    LINE_RULES,
    LINK,
    PATH_RULES,
    SHADOW,
    SHAPE,
)
from swerun.grading.integrity.sections import LINK_MODE, Section, as_patch, paths_of, sections_of
from swerun.grading.script import test_command
from swerun.records import Answer, Flag

SHOWN = 120  # characters of a line that a flag repeats
RUNNER = "runner"
_TEST_FILE = re.compile(r"(test_\w+|\w+_test)\.py")
_NAMES_FILE = re.compile(r"\.py($|::)|\.test_\w+$")
_WORD = re.compile(r"[^\s'\"=;|&()]+")


@dataclass(frozen=True, slots=True)
class Ground:
    """What of an answer says which files may be changed: that is the grader's to know."""

    gold: frozenset[str]
    replaced: frozenset[str]
    command: str

    @classmethod
    def of(cls, answer: Answer) -> Ground:
        command = test_command(answer.eval_script)
        return cls(paths_of(answer.gold_patch), paths_of(answer.test_patch), command)

    @property
    def runners(self) -> frozenset[str]:
        """The paths that the command consists of, whichever of them there are."""
        return frozenset(word.removeprefix("./") for word in _WORD.findall(self.command))


def flags_of(patch: bytes, answer: Answer) -> tuple[Flag, ...]:
    """Every rule that fits, once a file. Of any bytes."""
    read, ground = sections_of(patch), Ground.of(answer)
    found = [] if read.plain else [Flag(rule=SHAPE.name)]
    idle = _idle(read.files, ground)
    for section in read.files:
        if section.path not in idle:
            found += _of_path(section, ground)
            found += [] if _is_replaced(section, ground) else _of_lines(section)
    return tuple(dict.fromkeys(found))


def neutralised(patch: bytes, answer: Answer) -> tuple[bytes, tuple[str, ...]]:
    """A plain patch without the files that a rule on paths fits, and those files.

    What the gold patch changes stays.
    """
    files, ground = sections_of(patch).files, Ground.of(answer)
    idle = _idle(files, ground)
    out = [
        section
        for section in files
        if section.path in idle
        or (any(_of_path(section, ground)) and not _is_gold(section, ground))
    ]
    kept = [section for section in files if not any(section is other for other in out)]
    return as_patch(kept), tuple(dict.fromkeys(section.path for section in out))


def _is_gold(section: Section, ground: Ground) -> bool:
    return set(section.paths) <= ground.gold and section.mode != LINK_MODE


def _is_replaced(section: Section, ground: Ground) -> bool:
    """Whether the evaluation puts its own file there: nothing of it is left when tests run."""
    return set(section.paths) <= ground.replaced and section.mode != LINK_MODE


def _of_path(section: Section, ground: Ground) -> Iterator[Flag]:
    """None for a file that the evaluation replaces, unless something else lies in its place."""
    if section.mode == LINK_MODE:
        yield Flag(rule=LINK.name, path=section.path)
    elif _is_replaced(section, ground):
        return
    if set(section.paths) & ground.runners:
        yield Flag(rule=RUNNER, path=section.path)
    for rule in (*PATH_RULES, SHADOW) if section.is_new else PATH_RULES:
        if any(rule.pattern.search(path) for path in section.paths):
            yield Flag(rule=rule.name, path=section.path)


def _of_lines(section: Section) -> Iterator[Flag]:
    if not CODE.search(section.path):
        return
    lines = [line for line in section.added if not COMMENT.match(line)]
    for rule in LINE_RULES:
        for line in lines:
            if rule.pattern.search(line):
                yield Flag(rule=rule.name, path=section.path, line=line.strip()[:SHOWN])
                break


def _idle(files: Sequence[Section], ground: Ground) -> frozenset[str]:
    """New test files that no runner comes upon: their name is neither in the command nor in what
    else is added, and no folder that the command names has them."""
    found = set()
    for section in files:
        path = PurePosixPath(section.path)
        if not (section.is_new and _TEST_FILE.fullmatch(path.name)):
            continue
        others = (line for other in files if other is not section for line in other.added)
        if not (_reaches(ground, path) or any(path.stem in line for line in others)):
            found.add(section.path)
    return frozenset(found)


def _reaches(ground: Ground, path: PurePosixPath) -> bool:
    """Whether the command names files, and neither this one nor a folder of it. A module may be
    named from any folder on: `i18n.tests` is tests/i18n/tests.py, or a folder."""
    named = [word for word in ground.runners if _NAMES_FILE.search(word)]
    if not named:
        return True
    places = [word.removesuffix(".py").replace(".", "/").strip("/") for word in ground.runners]
    own = f"/{path.with_suffix('')}/"
    return any(f"/{place}/" in own for place in places if place)
