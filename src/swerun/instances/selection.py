"""Which instances of a subset are meant. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from swerun.errors import InputError
from swerun.records import Instance, Selection, Stratum


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
    """The instances that `selection` means.

    Raises InputError for what matches nothing: a typo must not quietly shrink a run.
    """
    return Chosen(subset, tuple(matching(subset.instances, selection.instances)))


def matching(instances: Sequence[Instance], wanted: Sequence[str]) -> list[Instance]:
    """Those whose id matches one of the globs `wanted`; all where none is given.

    Raises InputError for a glob that matches nothing.
    """
    if not wanted:
        return list(instances)
    for pattern in wanted:
        if not any(fnmatchcase(i.id, pattern) for i in instances):
            ids = [i.id for i in instances]
            raise InputError(f"no instance is called {pattern!r}.{nearest(pattern, ids)}")
    return [i for i in instances if any(fnmatchcase(i.id, pattern) for pattern in wanted)]


def nearest(name: str, known: Sequence[str]) -> str:
    """A question to end a message with: which of `known` was meant?"""
    near = get_close_matches(name, known, n=3, cutoff=0.5) or known[:10]
    return f" Did you mean {', '.join(near)}?" if near else ""
