"""What an audit found in an image, and what undoes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from swerun.records import Leak
from swerun.repos.inspection import Inspection

IN_THE_WORK_TREE = "it is in the work directory"


@dataclass(frozen=True, slots=True)
class Found:
    """Leaks, and for those that can be undone the repositories to mend, the paths to remove, and by
    path what is put there afterwards."""

    leaks: tuple[Leak, ...] = ()
    repositories: tuple[Inspection, ...] = ()
    removed: tuple[str, ...] = ()
    placed: tuple[tuple[str, bytes], ...] = ()

    def __add__(self, other: Found) -> Found:
        return Found(
            self.leaks + other.leaks,
            self.repositories + other.repositories,
            self.removed + other.removed,
            self.placed + other.placed,
        )


def of_path(leak: Leak, *paths: str, placed: Mapping[str, bytes] | None = None) -> Found:
    """A leak that goes with these paths, unless it stays."""
    if leak.stays:
        return Found((leak,))
    return Found((leak,), removed=paths, placed=tuple((placed or {}).items()))


def of_repository(seen: Inspection) -> Found:
    """What leaks in a repository is mended where it is, as far as that can be."""
    can_be = any(not leak.stays for leak in seen.leaks)
    return Found(seen.leaks, (seen,) if can_be else ())
