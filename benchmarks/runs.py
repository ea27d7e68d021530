"""How long it takes to read a runs folder of 10,000 attempts, and how much memory.

    python benchmarks/runs.py [--folder DIR] [--shapes 20x500x1 2x1000x5 1x2500x4]

Makes a folder for each shape (runs x instances x samples) with what a run writes, in its format,
through RunStore, and runs the commands on it, each in a process of its own. Prints a row for each:
seconds from start to exit, those of a processor, and the peak of its resident memory. Expected
tests are as many as Verified's instances have (median 52, mean 123, at most 2488). Making a folder
takes some minutes on a disk, since each file is synced; with --folder it is kept, and made once.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from plain_run import NOW, plain_run

from swerun.ports import Graded, Log
from swerun.records import (
    Attempt,
    Call,
    Conduct,
    ConductKind,
    ExpectedTest,
    Grade,
    GradeReason,
    Observation,
    Outcome,
    Reply,
    Solved,
    Step,
    Stop,
    TestStatus,
    Usage,
)
from swerun.runs.store import RunStore, Started, open_or_create

REPOS = ("django__django", "sympy__sympy", "sphinx-doc__sphinx", "psf__requests")
STEPS = 5
ADDED = Conduct(kind=ConductKind.ADDED_TESTS, steps=(2, 3), example="cat >> tests/test_a.py")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--folder", type=Path, help="Keep what is made here.  [a temporary one]")
    parser.add_argument("--shapes", nargs="+", default=["20x500x1", "2x1000x5", "1x2500x4"])
    given = parser.parse_args()
    print(f"{'shape':10} {'command':28} {'s':>6} {'cpu s':>6} {'peak MB':>8}")
    with tempfile.TemporaryDirectory() as temporary:
        for shape in given.shapes:
            folder = (given.folder or Path(temporary)) / shape
            runs, instances, samples = map(int, shape.split("x"))
            if not folder.exists():
                make(folder, runs, instances, samples)
            for words in commands(runs):
                said = " ".join(words[:3]) + (f" and {len(words) - 3} more" if words[3:] else "")
                figures = measured([*words, "--runs", str(folder)])
                print(f"{shape:10} {said:28} {figures}", flush=True)
    return 0


def commands(runs: int) -> list[list[str]]:
    found = [["list"], ["report", "run-0"], ["why", "run-0"]]
    if runs > 1:
        found.append(["compare", "run-0", "run-1"])
    if runs > 2:
        found.append(["compare", *(f"run-{i}" for i in range(runs))])
    return found


def measured(words: list[str]) -> str:
    began = time.monotonic()
    argv = [sys.executable, "-m", "swerun", *words]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{argv} ended with {process.returncode}"
    seconds = time.monotonic() - began
    return f"{seconds:6.2f} {usage.ru_utime + usage.ru_stime:6.2f} {usage.ru_maxrss / 1024:8.0f}"


def make(folder: Path, runs: int, instances: int, samples: int) -> None:
    lot = random.Random(0)
    ids = [f"{lot.choice(REPOS)}-{10_000 + i}" for i in range(instances)]
    sizes = {i: min(2488, int(lot.lognormvariate(3.95, 1.3)) + 1) for i in ids}
    for number in range(runs):
        record = plain_run(f"run-{number}", f"model-{number}", tuple(ids), samples)
        store = open_or_create(folder, record)
        for instance_id in ids:
            for sample in range(1, samples + 1):
                write(store, instance_id, sample, sizes[instance_id], lot)


def write(store: RunStore, instance_id: str, number: int, tests: int, lot: random.Random) -> None:
    resolved = lot.random() < 0.5
    grade = a_grade(instance_id, tests, resolved=resolved)
    solved = Solved(
        instance_id=instance_id,
        attempt=number,
        stop=Stop.SUBMITTED,
        steps=STEPS,
        usage=Usage(input_tokens=lot.randint(10_000, 500_000), output_tokens=5_000),
        patch_bytes=700,
        started_at=NOW,
        seconds=lot.uniform(20, 900),
    )
    attempt = Attempt(
        instance_id=instance_id,
        attempt=number,
        sample=number,
        outcome=Outcome.RESOLVED if resolved else Outcome.UNRESOLVED,
        stop=Stop.SUBMITTED,
        grade=grade,
        steps=STEPS,
        usage=solved.usage,
        patch_bytes=700,
        conduct=(ADDED,) if number % 2 else (),
        seconds=solved.seconds + 20,
        solve_seconds=solved.seconds,
        grade_seconds=20,
        started_at=NOW,
        finished_at=NOW,
    )
    with store.attempt(instance_id, number, Started(sample=number)) as log:
        for index in range(STEPS):
            log.step(a_step(index, lot))
        log.solved(solved, b"+x\n" * 233)
        log.graded(Graded(grade, "eval\n" * 50, Log(b"ok\n" * 500)))
        log.finished(attempt)


def a_grade(instance_id: str, tests: int, *, resolved: bool) -> Grade:
    failing = 0 if resolved else max(1, tests // 20)
    return Grade(
        resolved=resolved,
        reason=GradeReason.RESOLVED if resolved else GradeReason.TESTS_FAILED,
        tests=tuple(
            ExpectedTest(
                name=f"tests/{instance_id}/test_module.py::TestOfIt::test_number_{i}[parameter]",
                group="PASS_TO_PASS" if i >= failing else "FAIL_TO_PASS",
                status=TestStatus.PASSED if i >= failing else TestStatus.FAILED,
                ok=i >= failing,
            )
            for i in range(tests)
        ),
        image_digest="sha256:" + "0" * 64,
        made_at=NOW,
        made_on="host",
    )


def a_step(index: int, lot: random.Random) -> Step:
    call = Call(id=f"c{index}", tool="bash", arguments={"command": "cd /testbed && pytest -q"})
    usage = Usage(input_tokens=20_000, output_tokens=300)
    reply = Reply(
        text="I look at it. " * 20, calls=(call,), usage=usage, raw={"content": "x" * 500}
    )
    seen = Observation(call_id=call.id, text="line\n" * 400, exit_code=lot.choice([0, 0, 1]))
    return Step(index=index, at=NOW, reply=reply, observations=(seen,))


if __name__ == "__main__":
    sys.exit(main())
