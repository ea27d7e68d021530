"""Which instances of a subset are meant. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from swerun.errors import InputError
from swerun.instances.sampling import sampled
from swerun.records import Instance, Selection, Stratum

_SLICE = re.compile(r"(-?\d+)?:(-?\d+)?(?::(-?\d+)?)?")


@dataclass(frozen=True, slots=True)
class Subset:
    """A subset's split as it was loaded, by id.

    `source` says what was loaded: `org/name@<commit>` of the hub, or a path. `grade_network` is the
    network of its grading containers, "none" or "bridge".
    """

    name: str
    instances: tuple[Instance, ...]
    source: str
    grade_network: str = "none"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some of a subset's instances, in order. `strata` are those of a stratified sample."""

    subset: Subset
    instances: tuple[Instance, ...]
    strata: tuple[Stratum, ...] = ()


def select(subset: Subset, selection: Selection) -> Chosen:
    """The instances that `selection` means, in the order that Selection has.

    Raises InputError for a part of it that matches nothing or leaves nothing: a typo must not
    quietly shrink a run.
    """
    left = list(subset.instances)
    for name, narrowed in _FILTERS.items():
        before, left = len(left), narrowed(left, subset, selection)
        if not left:
            raise InputError(f"{name} leaves none of the {before} instances that were left for it")
    strata: tuple[Stratum, ...] = ()
    if selection.sample is not None:
        strata = _strata(left, selection)
        drawn = {i for stratum in strata for i in stratum.sampled}
        left = [i for i in left if i.id in drawn]
    if selection.shuffle:
        left.sort(key=lambda i: lot(selection.seed, i.id))
    if selection.slice is not None:
        before, left = len(left), left[_slice(selection.slice)]
        if not left:
            raise InputError(f"--slice {selection.slice} leaves none of {before} instances")
    return Chosen(subset, tuple(left[: selection.limit]), strata)


def matching(instances: Sequence[Instance], wanted: Sequence[str]) -> list[Instance]:
    """Those whose id matches one of the globs `wanted`; all where none is given.

    Raises InputError for a glob that matches nothing.
    """
    for pattern in wanted:
        if not any(fnmatchcase(i.id, pattern) for i in instances):
            ids = [i.id for i in instances]
            raise InputError(f"no instance is called {pattern!r}.{nearest(pattern, ids)}")
    return [i for i in instances if not wanted or any(fnmatchcase(i.id, p) for p in wanted)]


def nearest(name: str, known: Sequence[str]) -> str:
    """A question to end a message with: which of `known` was meant?"""
    near = get_close_matches(name, known, n=3, cutoff=0.5) or known[:10]
    return f" Did you mean {', '.join(near)}?" if near else ""


def lot(seed: int, text: str) -> bytes:
    """What `text` draws with `seed`. The same for ever, and whatever else draws: so the first ten
    of a shuffled subset are among its first twenty."""
    return hashlib.sha256(f"{seed}:{text}".encode()).digest()


Narrowed = Callable[[list[Instance], Subset, Selection], list[Instance]]


def _ids(left: list[Instance], _: Subset, selection: Selection) -> list[Instance]:
    return matching(left, selection.instances)


def _found(left: list[Instance], _: Subset, selection: Selection) -> list[Instance]:
    if selection.filter is None:
        return left
    try:
        pattern = re.compile(selection.filter)
    except re.error as error:
        raise InputError(f"--filter {selection.filter}: no regular expression: {error}") from error
    return [i for i in left if pattern.search(i.id)]


def _repos(left: list[Instance], subset: Subset, selection: Selection) -> list[Instance]:
    """GitHub's names are the same in small letters; the name alone will do."""

    def matches(instance: Instance, pattern: str) -> bool:
        repo = instance.task.repo.lower()
        return any(fnmatchcase(name, pattern.lower()) for name in (repo, repo.rpartition("/")[2]))

    full = sorted({i.task.repo for i in subset.instances})
    known = [*full, *(repo.rpartition("/")[2] for repo in full)]
    return _of(left, selection.repo, matches, subset, ("--repo", "is of the repository", known))


def _difficulties(left: list[Instance], subset: Subset, selection: Selection) -> list[Instance]:
    def matches(instance: Instance, word: str) -> bool:
        return instance.difficulty.lower() == word.lower()

    known = sorted({i.difficulty for i in subset.instances if i.difficulty})
    if selection.difficulty and not known:
        raise InputError(
            f"--difficulty: {subset.name} does not say how difficult its instances are"
        )
    said = ("--difficulty", "has the difficulty", known)
    return _of(left, selection.difficulty, matches, subset, said)


def _of(
    left: list[Instance],
    wanted: Sequence[str],
    matches: Callable[[Instance, str], bool],
    subset: Subset,
    said: tuple[str, str, list[str]],
) -> list[Instance]:
    flag, words, known = said
    for each in wanted:
        if not any(matches(i, each) for i in subset.instances):
            near = nearest(each, known)
            raise InputError(f"{flag}: no instance of {subset.name} {words} {each!r}.{near}")
    return [i for i in left if not wanted or any(matches(i, each) for each in wanted)]


_FILTERS: dict[str, Narrowed] = {
    "--instance": _ids,
    "--filter": _found,
    "--repo": _repos,
    "--difficulty": _difficulties,
}


def _strata(left: Sequence[Instance], selection: Selection) -> tuple[Stratum, ...]:
    number = selection.sample or 0
    for flag, given in (("--slice", selection.slice), ("--limit", selection.limit)):
        if given is not None:
            raise InputError(f"--sample and {flag}: what is cut off a sample makes it none")
    if number > len(left):
        raise InputError(f"--sample {number}: there are only {len(left)} instances to draw from")
    return sampled(_drawn(left, selection.seed), number, selection.seed)


def _drawn(left: Iterable[Instance], seed: int) -> list[Instance]:
    return sorted(left, key=lambda i: lot(seed, i.id))


def _slice(text: str) -> slice:
    match = _SLICE.fullmatch(text)
    parts = [int(part) if part else None for part in match.groups()] if match else [0, 0, 0]
    if parts[2] == 0:
        raise InputError(
            f"--slice {text}: it is start:stop or start:stop:step, as 10:20, :50 or ::2"
        )
    return slice(*parts)
