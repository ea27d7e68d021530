"""What a command costs: `true` in a fresh shell of one container, in four ways, side by side.

    python benchmarks/channel.py [--image IMAGE] [--rounds 10] [--commands 20]

Prints a row a way: through the command channel with each of its servers (time limit, output cap and
the search for what is to be killed included), through the SDK's exec_run, and with the command
`docker exec`; the median and the 90th percentile of the round trip, and how many times faster than
the other two that is. The ways take turns, so that a busy machine is as busy for each of them.
Without IMAGE it is one of the sample's, built before the clock starts. Exit code 1 if a limit is
missed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from docker import DockerClient
from docker.models.containers import Container

from swerun.images.store import EngineImages
from swerun.instances.subsets import load_instances
from swerun.records import Role, Task
from swerun.sandbox.attached import attach
from swerun.sandbox.channel import Channel, Server, opening
from swerun.sandbox.client import connect
from swerun.sandbox.docker import DockerSandbox, DockerSandboxes

Way = Callable[[], object]
EXEC_RUN, COMMAND = "exec_run", "docker exec"
# milliseconds that a round trip may take, and how many times faster than exec_run it is to be
LIMITS: Mapping[str, tuple[float, float]] = {
    "channel, python3": (5, 6),
    "channel, sh": (10, 3),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--image", help="one with git and a repository at /testbed")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--commands", type=int, default=20, help="in a row, of each way in a round")
    given = parser.parse_args()
    client = connect(os.environ)
    task = task_in(client, given.image)
    sandboxes = DockerSandboxes(client=client, run=f"benchmark-{os.getpid()}", owner="benchmark")
    with sandboxes.start(task, role=Role.AGENT, attempt=1) as sandbox, ExitStack() as channels:
        assert isinstance(sandbox, DockerSandbox)
        took = measured(ways(client, sandbox.container, task, channels), given)
    print(f"{task.image}, {given.rounds} x {given.commands} commands of each")
    titles = ("median ms", "p90 ms", "x exec_run", "x docker exec")
    print(f"{'way':20}" + "".join(f"{title:>15}" for title in titles) + "   limit")
    kept = [row(way, took) for way in took]
    return int(not all(kept))


def task_in(client: DockerClient, image: str | None) -> Task:
    instance = load_instances("sample")[0]
    if image:
        return instance.task.model_copy(update={"image": image})
    EngineImages(client, cache=Path.home() / ".cache" / "swerun").ensure(instance)
    return instance.task


def ways(
    client: DockerClient, container: Container, task: Task, channels: ExitStack
) -> dict[str, Way]:
    """Each way to run `true` with bash, and to see that it ran."""

    def served_by(server: Server) -> Way:
        argv = opening(task.workdir, server=server)
        channel = Channel(attach(client, str(container.id), argv, user=""))
        channels.callback(channel.close)
        channel.open()
        if channel.served_by != server:
            raise SystemExit(f"{task.image} has no {server}")
        return lambda: channel.exec("true", timeout=60).exit_code

    bash = ["bash", "-c", "true"]
    found: dict[str, Way] = {
        "channel, python3": served_by("python3"),
        "channel, sh": served_by("sh"),
        EXEC_RUN: lambda: container.exec_run(bash, workdir=task.workdir).exit_code,
    }
    if shutil.which("docker"):
        command = ["docker", "exec", "-w", task.workdir, str(container.id), *bash]
        found[COMMAND] = lambda: subprocess.run(command, check=False).returncode
    return found


def measured(all_ways: Mapping[str, Way], given: argparse.Namespace) -> dict[str, list[float]]:
    """Milliseconds of each command, after one round that is not counted."""
    took: dict[str, list[float]] = {way: [] for way in all_ways}
    for number in range(given.rounds + 1):
        for way, run in all_ways.items():
            for _ in range(given.commands):
                began = time.perf_counter()
                if run() != 0:
                    raise SystemExit(f"{way}: `true` failed")
                if number:
                    took[way].append((time.perf_counter() - began) * 1000)
    return took


def row(way: str, took: Mapping[str, list[float]]) -> bool:
    """Whether it is within its limits, if it has any."""
    median = statistics.median(took[way])
    tenth = statistics.quantiles(took[way], n=10)[-1]
    times = {w: statistics.median(took[w]) / median for w in (EXEC_RUN, COMMAND) if w in took}
    words = [f"{times[w]:15.1f}" if w in times else f"{'-':>15}" for w in (EXEC_RUN, COMMAND)]
    most, least = LIMITS.get(way, (float("inf"), 0))
    good = median < most and times[EXEC_RUN] >= least
    limit = f"   under {most:g} ms, {least:g} x: {'kept' if good else 'MISSED'}" * (way in LIMITS)
    print(f"{way:20}{median:15.2f}{tenth:15.2f}{''.join(words)}{limit}")
    return good


if __name__ == "__main__":
    sys.exit(main())
