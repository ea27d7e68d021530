"""What it costs to watch what containers write: the share of one core, of swerun and the engine.

    python benchmarks/disk.py [--image IMAGE] [--files 200000] [--seconds 30] [--ask]

Containers are made as attempts have them and watched as they are: one and eight that do nothing,
eight that write large files over and over, one that makes many small files. Counted is the time of
the watch's thread, and of the engine's processes while it is asked, over the time until the watch
may measure again. swerun looks at the engine's disk itself where it can (root, on its machine);
with `--ask` the engine is asked, as where it cannot. Prints a table; exit code 1 where the share is
above 2 % of one core.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from swerun.images.store import EngineImages
from swerun.instances.subsets import load_instances
from swerun.records import Resources, Role, Task
from swerun.sandbox.client import connect
from swerun.sandbox.disk import DiskWatch
from swerun.sandbox.docker import DockerSandbox, DockerSandboxes, Profile
from swerun.sandbox.used import free_room

MOST = 0.02  # of one core
LIMIT = "4g"  # so that each gigabyte is a reason to measure
LARGE = "while :; do head -c 300000000 /dev/zero >/large; done"
MANY = (
    "for folder in $(seq $(({files} / 1000))); do mkdir -p /many/$folder;"
    " (cd /many/$folder; seq 1000 | split -l 1 -a 3); done"
)
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Timed(DiskWatch):
    """A watch that notes what it costs: seconds of its thread, and of the engine's processes."""

    own: float = 0.0
    engine: float = 0.0
    measured: int = 0

    def look(self) -> None:
        engine, rest, own = engine_seconds(), self._rest, time.thread_time()
        DiskWatch.look(self)
        self.own += time.thread_time() - own
        if self._rest != rest:
            self.measured += 1
            self.engine += engine_seconds() - engine

    def until(self) -> float:
        """When it may measure again."""
        return max(self.clock(), self._rest)


def engine_seconds() -> float:
    """Of a core, of all engines that can be seen."""
    return sum(_ticks()) / TICKS


def _ticks() -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() in {"dockerd", "containerd"}:
                after_name = (process / "stat").read_text().rpartition(")")[2].split()
                yield int(after_name[11]) + int(after_name[12])
        except OSError:  # it ended
            continue


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--image", help="with a repository in /testbed  [an instance's]")
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--ask", action="store_true", help="the engine, in the place of its disk")
    given = parser.parse_args()
    many = MANY.format(files=given.files)
    task = task_on(given.image)
    print(f"{'what they do':24}{'measured':>9}{'swerun s':>9}{'engine s':>9}{'of a core':>10}")
    shares = [
        row(given, task, name, count, command)
        for name, count, command in (
            ("1: nothing", 1, "true"),
            ("8: nothing", 8, "true"),
            ("8: large files", 8, f"({LARGE}) >/dev/null 2>&1 &"),
            (f"1: {given.files:,} files", 1, many),
        )
    ]
    print(f"limit {MOST:.0%} of a core")
    return int(max(shares) > MOST)


def task_on(image: str | None) -> Task:
    if image:
        return Task(id="watched", repo="", base_commit="", problem_statement="", image=image)
    instance = load_instances("sample")[0]
    with TemporaryDirectory() as cache:
        there = EngineImages(connect(os.environ), Path(cache)).ensure(instance)
    return instance.on_image(there.id).task


def row(given: argparse.Namespace, task: Task, name: str, count: int, command: str) -> float:
    """Prints it, and returns the share of one core."""
    client = connect(os.environ)
    watch = Timed(client, free_room(client))
    profiles = {Role.AGENT: Profile(resources=Resources(disk=LIMIT))}
    sandboxes = DockerSandboxes(client, f"benchmark-{os.getpid()}", "benchmark", profiles, watch)
    made: list[DockerSandbox] = []
    with ExitStack() as open_:
        for number in range(count):
            sandbox = open_.enter_context(sandboxes.start(task, role=Role.AGENT, attempt=number))
            if given.ask:
                sandbox.container.attrs["GraphDriver"] = None
            made.append(sandbox)
        began = watch.clock()
        for sandbox in made:
            sandbox.exec(command, timeout=3600)
        while watch.clock() - began < given.seconds:
            time.sleep(1)
        spent, seconds = watch.own + watch.engine, watch.until() - began
    print(
        f"{name:24}{watch.measured:9}{watch.own:9.2f}{watch.engine:9.2f}{spent / seconds:10.2%}",
        flush=True,
    )
    return spent / seconds


if __name__ == "__main__":
    sys.exit(main())
