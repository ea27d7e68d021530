"""A disk that is full at any moment of a run: nothing is torn, and the run goes on with room.

The engine, the attempts and the files are real, on a real file system that has room for so many
pages, or for so many files, and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from threading import Event

import pytest

from swerun.attempt import Bench
from swerun.engine.local import LocalEngine, Work
from swerun.engine.slots import local_slots
from swerun.errors import StorageError
from swerun.ports import Graded, Kept, Log
from swerun.records import Outcome, Solved, Step, Stop
from swerun.report.derived import derive
from swerun.report.summary import Report
from swerun.runs.store import open_or_create
from tests.fakes import NOW, RESOLVED, Present, a_reply, an_instance, files_below
from tests.report.test_summary import a_run
from tests.runs.test_store import SESSION
from tests.small_disk import PAGE, small_disk

STEPS = [a_reply("ls " + "x" * 3000), a_reply("cat " + "y" * 6000), a_reply("submit")]
PATCH = b"+line\n" * 1500


@dataclass
class Solver:
    solved: int = 0

    def solve(self, planned, image_digest, keep):
        self.solved += 1
        for index, reply in enumerate(STEPS):
            keep(Step(index=index, at=NOW, reply=reply))
        numbers = {"instance_id": planned.instance.id, "attempt": planned.number}
        solved = Solved(**numbers, stop=Stop.SUBMITTED, started_at=NOW, seconds=1)
        return Kept(solved, PATCH)


@dataclass
class Grader:
    patches: list[bytes] = field(default_factory=list)

    def grade(self, instance, patch, *, attempt):
        self.patches.append(patch)
        return Graded(RESOLVED, "eval\n" * 500, Log(b"log\n" * 2500))


def worked(root):
    """What `swerun run` does on disk, from the first file to the last."""
    solver, grader, cancel = Solver(), Grader(), Event()
    slots = local_slots(images=1, agents=1, grading=1, cancel=cancel)
    store = open_or_create(root, a_run("a"))
    with store.locked():
        store.begin_session(SESSION, ["a"], 1)
        bench = Bench(Present(), solver, grader, slots, cancel)
        work = Work(store, bench, (an_instance("a"),), 1, 2)
        LocalEngine([work], 1, lambda _: None, cancel, pause=0).run()
        derive(store)
    return store, solver, grader


def refusal_of_work(root):
    try:
        worked(root)
    except StorageError as error:
        return str(error)
    return ""


def read(root):
    """What there is below a runs folder; each file is read, and none of them is torn."""
    there = {name: (root / name).read_bytes() for name in files_below(root)}
    assert not [name for name in there if name.endswith(".tmp")], there.keys()
    store = open_or_create(root, a_run("a")) if "r/run.json" in there else None
    for past in store.past("a") if store else ():
        seen = [step.reply for step in store.steps("a", past.number)]
        assert seen == STEPS[: len(seen)]
        assert there.get(f"r/attempts/a/{past.number}/steps.jsonl", b"")[-1:] in {b"", b"\n"}
        assert past.kept is None or past.kept.patch == PATCH
        for grade in store.grades("a", past.number):
            assert grade.log() == b"log\n" * 2500
    if "r/report.json" in there:
        Report.model_validate_json(there["r/report.json"])
    return there


def gone_on_with(disk, before):
    """The run once there is room: all that was there is there, and it is done."""
    disk.leave()
    store, solver, grader = worked(disk.folder)
    after = read(disk.folder)
    (attempt,) = list(store.attempts())
    assert (attempt.outcome, attempt.steps) == (Outcome.RESOLVED, 0)
    kept = {name: data for name, data in before.items() if name not in MADE_AGAIN}
    assert {name: after[name] for name in kept} == kept
    done, solved = ("r/attempts/a/1/" + name in before for name in ("attempt.json", "solved.json"))
    assert solver.solved == (0 if solved else 1)
    assert len(grader.patches) == (0 if done else 1)
    assert store.patch("a", attempt.attempt) == PATCH


# which files had no room in one of the cases: the sweep is as fine as it says
MOMENTS = {"run.json", "patch.diff", "solved.json", "test_output.txt", "grade.json", "attempt.json"}
MOMENTS |= {"eval.sh", "report.json", "predictions.jsonl"}
MADE_AGAIN = {"r/run.json", "r/report.json", "r/predictions.jsonl", "r/.lock"}


@pytest.mark.parametrize("what", ["room", "files"])
def test_a_disk_that_is_full_at_any_moment_of_a_run_tears_and_loses_nothing(tmp_path, what):
    """First there is nothing, then a page (a file) more each time, until all of it fits."""
    refused = set()
    for left in count():
        with small_disk(tmp_path / f"{what}-{left}") as disk:
            disk.leave(**{what: left * PAGE if what == "room" else left})
            refusal = refusal_of_work(disk.folder)
            if not refusal:
                break
            path, _, said = refusal.partition(" could not be written: ")
            assert said.startswith("No space left on device. Make room")
            refused.add(path.rpartition("/")[2])
            gone_on_with(disk, read(disk.folder))
    assert refused >= MOMENTS
