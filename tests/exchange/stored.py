"""A run on disk, as swerun leaves one, with nothing run for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from swerun.attempt import outcome_of
from swerun.ports import Graded, Log
from swerun.records import Grade, GradeReason, Solved, Step, Stop, Usage
from swerun.runs.store import RunStore, Started, open_or_create
from tests.fakes import NOW, a_reply, an_attempt
from tests.report.test_summary import a_run

PATCH = b"diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+\xff\n"


@dataclass(frozen=True)
class Done:
    """An attempt that has ended, and its evidence; without a `grade` by its endpoint's failure."""

    instance_id: str
    grade: Grade | None = None
    log: bytes = b""
    patch: bytes = PATCH
    steps: Sequence[Step] = (Step(index=0, at=NOW, reply=a_reply("submit")),)
    stop: Stop = Stop.SUBMITTED
    packed: bool = False


NO_PATCH = Grade(resolved=False, reason=GradeReason.NO_PATCH)


def stored(root, *attempts: Done, **changes: object) -> RunStore:
    run = a_run(*(done.instance_id for done in attempts)).model_copy(update=changes)
    store = open_or_create(root, run)
    for done in attempts:
        with store.attempt(done.instance_id, 1, Started()) as log:
            for step in done.steps:
                log.step(step)
            log.solved(_solved(done), done.patch)
            if done.grade:
                kept = Log.of(done.log) if done.packed else Log(done.log)
                log.graded(Graded(done.grade, "eval" if done.log else "", kept))
            log.finished(_ended(done))
    return store


def _ended(done: Done):
    return an_attempt(
        done.instance_id,
        outcome=outcome_of(done.grade, None, cancelled=False) if done.grade else "endpoint_failed",
        grade=done.grade,
        stop=done.stop,
        steps=len(done.steps),
    )


def _solved(done: Done) -> Solved:
    return Solved(
        instance_id=done.instance_id,
        attempt=1,
        stop=done.stop,
        steps=len(done.steps),
        usage=sum((step.reply.usage for step in done.steps), Usage()),
        started_at=NOW,
        seconds=1,
    )
