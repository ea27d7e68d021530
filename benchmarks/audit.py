"""What it takes to keep the future out of an agent's sight: audits, cleanings, and each attempt.

    python benchmarks/audit.py [SUBSET] [--grep PATTERN] [--image IMAGE] [--leaky] [--times 20]

Prints a row per image: seconds of its audit, seconds of its cleaning (with the audit of what came
of it) where something leaks, and, of an image that is known already, milliseconds in the median:
that is what each attempt pays. `--leaky` takes a copy of each image with a branch of one commit
more, so that there is something to clean. `--image` is one of no subset's. Nothing is taken from
earlier audits; images are built or pulled before the clock starts. Exit code 1 if an attempt pays
more than the limit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from swerun.images.build import image_id
from swerun.images.clean import CleanImages, clean_name
from swerun.images.store import EngineImages
from swerun.instances.subsets import load_instances
from swerun.records import Answer, Instance, Task
from swerun.sandbox.client import connect

if TYPE_CHECKING:
    from docker import DockerClient

LIMIT = 10  # milliseconds of an attempt, in the median
PLANT = """git -c user.name=x -c user.email=x commit-tree -p HEAD -m later 'HEAD^{tree}' |
xargs git update-ref refs/heads/later"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("subset", nargs="?", default="sample")
    parser.add_argument("--grep", default="*", help="a glob of instance ids")
    parser.add_argument("--image", help="with a repository at its work directory")
    parser.add_argument("--leaky", action="store_true")
    parser.add_argument("--times", type=int, default=20)
    given = parser.parse_args()
    client = connect(os.environ)
    paid = []
    print(f"{'image of':40} {'audit s':>8} {'clean s':>8} {'leaks':>6} {'known ms':>9}")
    with tempfile.TemporaryDirectory() as cache:
        images = EngineImages(client, Path(cache))
        for instance in chosen(given):
            with looked_at(images, instance, leaky=given.leaky) as shown:
                paid += row(images, shown, given.times)
    middle = statistics.median(paid) if paid else 0
    print(f"median of {len(paid)} attempts on known images: {middle:.2f} ms; limit {LIMIT} ms")
    return int(middle >= LIMIT)


def chosen(given: argparse.Namespace) -> list[Instance]:
    if not given.image:
        return [each for each in load_instances(given.subset) if fnmatch(each.id, given.grep)]
    name = given.image.rpartition("/")[2]
    task = Task(id=name, repo="", base_commit="", problem_statement="", image=given.image)
    nothing = Answer(gold_patch="", test_patch="", eval_script="", log_parser="", fail_to_pass=())
    return [Instance(task=task, answer=nothing)]


@contextmanager
def looked_at(images: EngineImages, instance: Instance, *, leaky: bool) -> Iterator[Instance]:
    """The instance; with `leaky` in an image of its own, which goes afterwards with what is made
    of it."""
    image, shown, made = images.ensure(instance), instance, []
    if leaky:
        made.append(f"swerun-benchmark/leaky:{uuid.uuid4().hex[:12]}")
        plant(images.client, image.id, made[0], instance.task.workdir)
        shown = instance.on_image(made[0]).model_copy(update={"context": None})
    try:
        yield shown
    finally:
        for each in (clean_name(shown.task), *made):
            if image_id(images.client, each):
                images.client.api.remove_image(each, force=True)


def plant(client: DockerClient, image: str, name: str, workdir: str) -> None:
    container = client.containers.create(image, entrypoint=["cat"], stdin_open=True)
    try:
        container.start()
        code, said = container.exec_run(["sh", "-c", PLANT], workdir=workdir)
        if code:
            raise SystemExit(f"{image}: {said!r}")
        container.commit(*name.split(":"))
    finally:
        container.remove(force=True)


def row(images: EngineImages, instance: Instance, times: int) -> list[float]:
    """Prints it, and returns the milliseconds that attempts pay."""
    clean, image = CleanImages(images, allow_leaks=True), images.ensure(instance)
    clean.for_agent(instance, image)
    audited = clean.audited(instance.task, image, clean=True)
    paid = []
    for _ in range(times):
        began = time.monotonic()
        clean.for_agent(instance, image)
        paid.append(1000 * (time.monotonic() - began))
    cleaning = f"{audited.cleaning_seconds:.2f}" if audited.clean else "-"
    middle = statistics.median(paid)
    print(
        f"{instance.id:40} {audited.seconds:8.2f} {cleaning:>8} {len(audited.leaks):6}"
        f" {middle:9.2f}",
        flush=True,
    )
    return paid


if __name__ == "__main__":
    sys.exit(main())
