"""What grading costs beside the eval script: the sample's gold patches, graded in Docker.

    python benchmarks/grading.py [SUBSET] [--times 3] [--grep PATTERN]

Prints a row per instance: seconds in all (create, start, apply, eval, read, judge, remove), seconds
of the eval script measured inside, what lies between, and the engine's requests. Images are built
or pulled before the clock starts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from fnmatch import fnmatch
from typing import Any

from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import SandboxGrader
from swerun.instances.subsets import load_instances
from swerun.records import Grade, Instance
from swerun.sandbox.client import connect
from swerun.sandbox.docker import DockerSandboxes

LIMIT = 0.5  # seconds beside the eval script, in the median


class Requests:
    """Counts what is sent to the engine, through the hooks that requests has for it."""

    def __init__(self, api: Any) -> None:  # noqa: ANN401 -- docker's client, a requests.Session
        self.count = 0
        api.hooks["response"].append(self.seen)

    def seen(self, *_: object, **__: object) -> None:
        self.count += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("subset", nargs="?", default="sample")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--grep", default="*", help="a glob of instance ids")
    given = parser.parse_args()
    client = connect(os.environ)
    requests = Requests(client.api)
    sandboxes = DockerSandboxes(client=client, run=f"benchmark-{os.getpid()}", owner="benchmark")
    grader = SandboxGrader(Evaluator(sandboxes, 1800))
    print(f"{'instance':40} {'total s':>8} {'eval s':>8} {'beside s':>8} {'requests':>8}  grade")
    beside = []
    for instance in load_instances(given.subset):
        if fnmatch(instance.id, given.grep):
            rows = [measured(grader, instance, requests) for _ in range(given.times)]
            beside += [total - grade.eval_seconds for total, grade, _ in rows]
            print(row(instance, rows))
    middle = statistics.median(beside)
    print(f"median beside the eval script: {middle:.3f} s of {len(beside)}; limit {LIMIT} s")
    return int(middle >= LIMIT)


def measured(
    grader: SandboxGrader, instance: Instance, requests: Requests
) -> tuple[float, Grade, int]:
    began, before = time.monotonic(), requests.count
    graded = grader.grade(instance, instance.answer.gold_patch.encode(), attempt=1)
    return time.monotonic() - began, graded.grade, requests.count - before


def row(instance: Instance, rows: list[tuple[float, Grade, int]]) -> str:
    total = statistics.median(total for total, _, _ in rows)
    inside = statistics.median(grade.eval_seconds for _, grade, _ in rows)
    beside = statistics.median(total - grade.eval_seconds for total, grade, _ in rows)
    grades = ", ".join(sorted({str(grade.reason) for _, grade, _ in rows}))
    sent = rows[0][2]
    return f"{instance.id:40} {total:8.3f} {inside:8.3f} {beside:8.3f} {sent:8}  {grades}"


if __name__ == "__main__":
    sys.exit(main())
