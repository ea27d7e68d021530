"""What an engine says while attempts go on."""

from __future__ import annotations

from dataclasses import dataclass

from swerun.ports import Stage
from swerun.records import Attempt, Grade, Solved, Step


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of one attempt; `what` is a stage that begins, or a record that is on disk now."""

    run: str
    instance_id: str
    attempt: int
    what: Stage | Step | Solved | Grade | Attempt
