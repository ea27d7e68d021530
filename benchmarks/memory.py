"""What the driver holds in memory, however much the tests print.

    python benchmarks/memory.py [--sizes 1M 100M 1G] [--jobs 1 4]

Grades an instance of the sample whose patch makes the tests print so many bytes, by so many threads
at once, each size in a process of its own. Prints a row for each: the peak of its resident memory,
what is kept of each log, and seconds. `lines` are short ones, which take most to be parsed, `noise`
is what no compression makes smaller.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from swerun.face import load_instances
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import SandboxGrader
from swerun.sandbox.client import connect
from swerun.sandbox.docker import DockerSandboxes

UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
WHAT = {
    "lines": "yes so it goes on and on",
    "noise": "head -c {size} /dev/urandom",
}
START = ": '>>>>> Start Test Output'\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=["1M", "100M", "1G"])
    parser.add_argument("--jobs", nargs="+", type=int, default=[1, 4])
    parser.add_argument("--kinds", nargs="+", choices=WHAT, default=list(WHAT))
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        kind, size, jobs = given.measure
        print(measured(kind, int(size), int(jobs)))
        return 0
    print(f"{'what':8} {'printed':>8} {'jobs':>5} {'peak MB':>8} {'kept MB':>8} {'s':>7}  grade")
    for kind in given.kinds:
        for size in given.sizes:
            for jobs in given.jobs:
                bytes_ = str(int(size[:-1]) * UNITS[size[-1]])
                argv = [sys.executable, __file__, "--measure", kind, bytes_, str(jobs)]
                done = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True)
                print(f"{kind:8} {size:>8} {jobs:>5} {done.stdout.rstrip()}", flush=True)
    return 0


def measured(kind: str, size: int, jobs: int) -> str:
    client = connect(os.environ)
    sandboxes = DockerSandboxes(client=client, run=f"benchmark-{os.getpid()}", owner="benchmark")
    grader = SandboxGrader(Evaluator(sandboxes, 1800))
    instance = load_instances("sample")[0]
    prints = f"{WHAT[kind].format(size=size)} | head -c {size}; echo\n"
    script = instance.answer.eval_script.replace(START, START + prints)
    assert prints in script
    answer = instance.answer.model_copy(update={"eval_script": script})
    loud = instance.model_copy(update={"answer": answer})

    def grade(number: int) -> tuple[int, str]:
        graded = grader.grade(loud, loud.answer.gold_patch.encode(), attempt=number)
        return len(graded.log.data), graded.grade.reason.value

    began = time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        done = list(pool.map(grade, range(1, jobs + 1)))
    seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    kept = max(kept for kept, _ in done) / UNITS["M"]
    reasons = ", ".join(sorted({reason for _, reason in done}))
    return f"{peak:8} {kept:8.1f} {seconds:7.1f}  {reasons}"


if __name__ == "__main__":
    sys.exit(main())
