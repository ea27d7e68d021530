"""What older rows of SWE-bench leave out: script, parser and image, from repository and version."""

from __future__ import annotations

from dataclasses import dataclass

from swerun.records import EvalType


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """What a row has instead. `instance_id` is for the name of its image alone."""

    repo: str
    version: str
    instance_id: str
    base_commit: str
    test_patch: str


@dataclass(frozen=True, slots=True)
class Derived:
    """The columns that rows have since SWE-bench 5."""

    eval_script: str
    log_parser: str
    eval_type: EvalType
    image: str


def derived(row: LegacyRow) -> Derived:
    """Raises InstanceError for a repository or a version that swerun has no rule for."""
    raise NotImplementedError(row.repo)
