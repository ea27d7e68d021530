"""What protection costs: the same work done plainly, and as swerun does it.

    python benchmarks/protection.py [SUBSET] [--times 5] [--grep PATTERN] [--files 0] [--think 3]

An attempt without its model and its grading: a container of the image, the gold patch applied in it
by a command, some seconds of thought, and the patch taken. Plainly that is a container as the
engine makes it, whose own git writes the diff. swerun looks up what is known of the image, starts a
container with limits, without a network and with an eye on its disk, takes the patch from outside
in a second container, and reads patch and a hundred steps for what is suspicious. Both are done in
turns, on an image that was audited; neither waits for the end of its containers. The thought is in
neither's seconds.

Prints a row per instance: the median seconds of both, where the difference is, and apart what an
attempt does not wait for: making the second container ready while the model thinks (`ahead`), the
audit, which is made once for an image, and what follows the official grading of an honest patch
that is flagged. `--files` commits so many files of 8 kB to a copy of each image first: taking a
patch from outside reads the work directory. Exit code 1 if the overhead misses the limit.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from docker.errors import ImageNotFound

from swerun.conduct.audit import conduct_of
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import SandboxGrader
from swerun.grading.integrity.flags import flags_of
from swerun.images.clean import CleanImages, clean_name
from swerun.images.store import EngineImages
from swerun.instances.subsets import load_instances
from swerun.ports import Image, Sandbox
from swerun.records import Call, Instance, Observation, Reply, Resources, Role, Step
from swerun.sandbox.channel import Channel
from swerun.sandbox.client import connect
from swerun.sandbox.container import open_channel
from swerun.sandbox.containers import remove_beside
from swerun.sandbox.disk import DiskWatch
from swerun.sandbox.docker import DockerSandboxes, Profile
from swerun.sandbox.patch import take_patch
from swerun.sandbox.used import free_room

LIMIT = 0.5  # seconds of an attempt, in the median
PARTS = ("look up", "container", "patch", "reading")
PLAIN_DIFF = "git add -A && git diff --cached --binary HEAD"
# honest, and flagged all the same: nothing of it is a reason for any verdict
FLAGGED = b"""diff --git a/.github/workflows/measured.yml b/.github/workflows/measured.yml
new file mode 100644
--- /dev/null
+++ b/.github/workflows/measured.yml
@@ -0,0 +1 @@
+on: push
"""
SAID = (
    "cd /testbed && git log --oneline -5 && git status --short",
    "grep -rn 'def parse' --include=*.py . | head -20; sed -n 1,80p setup.py",
    "cat >check.py <<'END'\nimport sys\nprint(sys.path)\nEND\npython check.py && rm check.py",
    "python -m pytest -q tests 2>&1 | tail -5",
)
PLANT = """set -e
mkdir grown && cd grown
for i in $(seq {files}); do head -c 6000 /dev/urandom | base64 >"file$i.txt"; done
cd .. && git add -A && git -c user.name=x -c user.email=x commit -qm grown
"""


def a_step(index: int) -> Step:
    call = Call(id="c", tool="bash", arguments={"command": SAID[index % len(SAID)]})
    seen = Observation(call_id="c", text="a line of what it printed\n" * 50)
    return Step(index=index, reply=Reply(text="", calls=(call,)), observations=(seen,))


STEPS = tuple(a_step(index) for index in range(100))


@dataclass(frozen=True, slots=True)
class Machine:
    """One engine, and what swerun keeps of it."""

    images: EngineImages
    clean: CleanImages
    sandboxes: DockerSandboxes
    think: float

    def work(self, sandbox: Sandbox | Channel, instance: Instance) -> None:
        """What an agent does: not timed."""
        applied = f"git apply - <<'END_OF_PATCH'\n{instance.answer.gold_patch}END_OF_PATCH"
        result = sandbox.exec(applied, timeout=60)
        if result.exit_code:
            raise SystemExit(f"{instance.id}: {result.output}")
        time.sleep(self.think)

    def plainly(self, instance: Instance, seconds: dict[str, float]) -> bytes:
        """The patch; `seconds` takes what each part took."""
        client = self.images.client
        with timed(seconds, "container"):
            container = client.containers.create(
                instance.task.image, entrypoint=["cat"], command=[], stdin_open=True
            )
            container.start()
            channel = open_channel(client, container, instance.task.workdir, "")
        try:
            self.work(channel, instance)
            with timed(seconds, "patch"):
                diff = channel.exec(PLAIN_DIFF, timeout=60).output.encode()
        finally:
            with timed(seconds, "container"):
                channel.close()
                remove_beside(container)
        return diff

    def protected(self, instance: Instance, image: Image, seconds: dict[str, float]) -> bytes:
        with timed(seconds, "look up"):
            shown = instance.on_image(self.clean.for_agent(instance, image).id)
        with timed(seconds, "container"):
            running = self.sandboxes.start(shown.task, role=Role.AGENT, attempt=1)
            sandbox = running.__enter__()
        try:
            self.work(sandbox, instance)
            with timed(seconds, "patch"):
                taken = take_patch(self.sandboxes, shown.task, sandbox, attempt=1)
        finally:
            with timed(seconds, "container"):
                running.__exit__(None, None, None)
        with timed(seconds, "reading"):
            flags_of(taken.diff, instance.answer)
            conduct_of(STEPS, instance.task, taken.diff)
        return taken.diff


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("subset", nargs="?", default="sample")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--grep", default="*", help="a glob of instance ids")
    parser.add_argument("--files", type=int, default=0)
    parser.add_argument("--think", type=float, default=3.0, help="seconds")
    given = parser.parse_args()
    print(
        f"{'seconds, medians':40} {'plain':>7} {'swerun':>7} {'more':>7}"
        + "".join(f" {part:>9}" for part in PARTS)
        + f" | {'ahead':>6} {'audit':>6} | {'graded':>6} {'strict':>6}  by"
    )
    overheads = []
    with tempfile.TemporaryDirectory() as cache:
        machine = on_this_machine(Path(cache), given.think)
        for instance in load_instances(given.subset):
            if fnmatch(instance.id, given.grep):
                with grown(machine.images, instance, given.files) as shown:
                    overheads += row(machine, shown, given.times)
    middle = statistics.median(overheads)
    print(f"median overhead of {len(overheads)} attempts: {middle:.3f} s; limit {LIMIT} s")
    return int(middle >= LIMIT)


def on_this_machine(cache: Path, think: float) -> Machine:
    client = connect(os.environ)
    images = EngineImages(client, cache)
    profile = Profile(resources=Resources(cpus=min(2.0, client.info()["NCPU"])))
    profiles = dict.fromkeys(Role, profile)
    watch = DiskWatch(client, free_room(client))
    run = f"benchmark-{os.getpid()}"
    sandboxes = DockerSandboxes(client, run, "benchmark", profiles, watch, beside=True)
    return Machine(images, CleanImages(images), sandboxes, think)


def row(machine: Machine, instance: Instance, times: int) -> list[float]:
    """Prints it, and returns the seconds that each attempt paid for protection."""
    image = machine.images.ensure(instance)
    audited = machine.clean.audited(instance.task, image, clean=True)
    machine.protected(instance, image, defaultdict(float))  # imports, and the engine's caches
    plain, ours = list[dict[str, float]](), list[dict[str, float]]()
    for _ in range(times):
        plain.append(defaultdict(float))
        ours.append(defaultdict(float))
        diffs = {
            machine.plainly(instance.on_image(image.id), plain[-1]),
            machine.protected(instance, image, ours[-1]),
        }
        if not all(diff.strip() for diff in diffs):
            raise SystemExit(f"{instance.id}: no patch was taken")
    more = [sum(b.values()) - sum(a.values()) for a, b in zip(plain, ours, strict=True)]
    parts = [
        statistics.median(b[part] - a[part] for a, b in zip(plain, ours, strict=True))
        for part in PARTS
    ]
    print(
        f"{instance.id:40} {middle(plain):7.3f} {middle(ours):7.3f} {statistics.median(more):7.3f}"
        + "".join(f" {part:9.3f}" for part in parts)
        + f" | {ahead(machine, instance, image):6.2f}"
        f" {audited.seconds + audited.cleaning_seconds:6.2f} | {second(machine, instance)}",
        flush=True,
    )
    return more


def middle(rounds: list[dict[str, float]]) -> float:
    return statistics.median(sum(seconds.values()) for seconds in rounds)


def ahead(machine: Machine, instance: Instance, image: Image) -> float:
    """What it takes to make a second container ready."""
    shown = instance.on_image(image.id).task
    with machine.sandboxes.start(shown, role=Role.GRADING, attempt=1) as sandbox:
        began = time.monotonic()
        sandbox.pristine.tree()
        return time.monotonic() - began


def second(machine: Machine, instance: Instance) -> str:
    """What the gradings of an honest patch take that is flagged: the official one, and the rest."""
    grader = SandboxGrader(Evaluator(machine.sandboxes, 1800))
    patch = instance.answer.gold_patch.encode() + FLAGGED
    grade = grader.grade(instance, patch, attempt=1).grade
    if grade.strict is None or not grade.resolved:
        raise SystemExit(f"{instance.id}: {grade.reason}, {grade.strict}")
    means = ", ".join(grade.strict.means)
    return f"{grade.seconds:6.2f} {grade.strict.seconds:6.2f}  {means}"


@contextmanager
def timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    seconds[part] += time.monotonic() - began


@contextmanager
def grown(images: EngineImages, instance: Instance, files: int) -> Iterator[Instance]:
    """The instance; with `files` in an image of its own, which goes afterwards."""
    if not files:
        yield instance
        return
    image = images.ensure(instance)
    name = f"swerun-benchmark/grown:{uuid.uuid4().hex[:12]}"
    container = images.client.containers.create(image.id, entrypoint=["cat"], stdin_open=True)
    try:
        container.start()
        code, said = container.exec_run(
            ["bash", "-c", PLANT.format(files=files)], workdir=instance.task.workdir
        )
        if code:
            raise SystemExit(f"{instance.id}: {said!r}")
        container.commit(*name.split(":"))
    finally:
        container.remove(force=True)
    shown = instance.on_image(name).model_copy(update={"context": None})
    try:
        yield shown
    finally:
        for each in (clean_name(shown.task), name):
            with suppress(ImageNotFound):
                images.client.api.remove_image(each, force=True)


if __name__ == "__main__":
    sys.exit(main())
