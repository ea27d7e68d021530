"""What an engine says while attempts go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from swerun.records import Attempt, Grade, Solved, Step

Stage = Literal["image", "solve", "grade"]


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of one attempt; `what` is a stage that begins, or a record that is on disk now."""

    run: str
    instance_id: str
    attempt: int
    what: Stage | Step | Solved | Grade | Attempt
