"""What an audit found in an image, and what undoes it."""

from __future__ import annotations

from dataclasses import dataclass

from swerun.records import Leak
from swerun.repos.inspection import Inspection

IN_THE_WORK_TREE = "it is in the work directory"


@dataclass(frozen=True, slots=True)
class Found:
    """Leaks, and for those that can be undone the repositories to mend and the paths to remove."""

    leaks: tuple[Leak, ...] = ()
    repositories: tuple[Inspection, ...] = ()
    removed: tuple[str, ...] = ()

    def __add__(self, other: Found) -> Found:
        return Found(
            self.leaks + other.leaks,
            self.repositories + other.repositories,
            self.removed + other.removed,
        )


def of_path(leak: Leak, *paths: str) -> Found:
    """A leak that goes with these paths, unless it stays."""
    return Found((leak,), removed=() if leak.stays else paths)


def of_repository(seen: Inspection) -> Found:
    """What leaks in a repository is mended where it is, as far as that can be."""
    can_be = any(not leak.stays for leak in seen.leaks)
    return Found(seen.leaks, (seen,) if can_be else ())
