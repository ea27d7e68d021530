"""A container to stand in, in a state of a recorded attempt. Nothing is written below runs/."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

from swerun.again import Again
from swerun.config import cache_folder
from swerun.errors import SandboxLostError
from swerun.grading.apply import Applied, apply_patch
from swerun.grading.ready import made_ready
from swerun.images.store import EngineImages
from swerun.moments import Way
from swerun.ports import Agent
from swerun.records import Instance, Question, Role
from swerun.replaying import Difference, Nobody, ReplayingAgent, difference
from swerun.sandbox.containers import reap_orphans
from swerun.sandbox.docker import DockerSandbox, Profile
from swerun.workbench import connected, grading_profile, sandboxes_of

if TYPE_CHECKING:
    from docker import DockerClient

SCRIPT = "/tmp/eval.sh"  # noqa: S108 -- in a container of its own
NOWHERE = "none"  # what an agent reaches of which nobody knows what it reached
SHOWN = 800  # characters of what a patch or a script was answered with


@dataclass(frozen=True, slots=True)
class Redone:
    """Step `step`, from 1, `of` so many was done again; how it differs from its recording."""

    step: int
    of: int
    difference: Difference | None


@dataclass(frozen=True, slots=True)
class Place:
    """A container in which a way to a state begins."""

    way: Way
    instance: Instance  # on the container's image
    sandbox: DockerSandbox
    network: str

    @property
    def said(self) -> str:
        """What it is, once the way is gone, in a line."""
        return f"{self.way.said} (network {self.network})"

    @property
    def variables(self) -> tuple[str, ...]:
        """What a shell on a terminal needs so that eval scripts do not stop in git's pager."""
        return ("GIT_PAGER=cat",) if self.way.moment.graded else ()

    def arrive(self) -> Iterator[Redone | str]:
        """Go the way; what there is to be said comes as it is known.

        Raises SandboxError, SandboxLostError where the container does not outlive it, InstanceError
        for an eval script that cannot be understood.
        """
        if self.way.moment.graded:
            yield from self._as_graded()
        elif self.way.steps and self.way.agent:
            yield from self._again(self.way.agent)
        elif self.way.patch.strip():
            yield from rejection(apply_patch(self.sandbox, self.way.patch))

    def _again(self, agent: Agent) -> Iterator[Redone]:
        steps, done = self.way.steps, 0
        replaying = ReplayingAgent(agent, steps, self.way.moment.attempt)
        running = replaying.solve(self.instance.task, self.sandbox, Nobody(), Event())
        for done, (recorded, step) in enumerate(zip(steps, running, strict=False), start=1):
            yield Redone(done, len(steps), difference(recorded, step))
        if not self.sandbox.runs("the steps"):
            raise SandboxLostError(
                f"the container ended in step {done}: --at {done - 1} is the state before"
            )
        if done < len(steps):
            raise SandboxLostError(f"after step {done} the agent did not go on")

    def _as_graded(self) -> Iterator[str]:
        if not self.way.patch.strip():
            yield "the patch is empty: for one like that the grader runs no tests"
        limit = self.way.question.limits.eval_seconds
        ready = made_ready(self.sandbox, self.instance.answer, self.way.patch, SCRIPT, limit)
        if ready.applied:
            yield from rejection(ready.applied)
        if ready.before and ready.before.exit_code:
            said = ready.before.output[-SHOWN:].strip()
            yield f"before its tests the eval script ended with {ready.before.exit_code}:\n{said}"
        yield f"this shows the answer: `bash {SCRIPT}` runs the tests as the grader does"


def rejection(applied: Applied) -> Iterator[str]:
    """What there is to be said of a patch that does not apply."""
    if applied.command is None:
        yield f"the patch does not apply:\n{applied.output[-SHOWN:].strip()}"


@contextmanager
def standing(
    run: Again,
    way: Way,
    instance: Instance,
    environment: Mapping[str, str],
    network: str | None,
    say: Callable[[str], None],
) -> Iterator[Place]:
    """A fresh container of the instance's image, under the attempt's profile or its grading's;
    `network` in the place of their own. What killed shells of the run have left is removed.

    Raises NoEngineError, ImageError, SandboxError.
    """
    with connected(environment) as client:
        label = run.store.shell_label()
        reap_orphans(client, label)
        cache = cache_folder(run.config.cache, environment)
        images = EngineImages(client, cache, say, run.config.images, environment)
        with images.hold(instance):
            image = images.ensure(instance)
            if way.image_digest not in ("", image.digest):
                say(f"the image is another one than then: {way.image_digest} -> {image.digest}")
            agent, grading = profiles_of(client, way.question, images, network)
            sandboxes = sandboxes_of(client, label, agent, grading)
            pinned = instance.on_image(image.id)
            role = Role.GRADING if way.moment.graded else Role.AGENT
            with sandboxes.start(pinned.task, role=role, attempt=way.moment.attempt) as sandbox:
                yield Place(way, pinned, sandbox, sandboxes.profiles[role].network)


def profiles_of(
    client: DockerClient, asked: Question, images: EngineImages, network: str | None
) -> tuple[Profile, Profile]:
    """The agent's and the grading's; with as many cores as this engine has, if those are fewer."""
    cpus = min(asked.resources.cpus, float(client.info()["NCPU"]))
    resources = asked.resources.model_copy(update={"cpus": cpus})
    agent = Profile(resources=resources, network=network or asked.network or NOWHERE)
    reach = network or asked.grade_network
    return agent, grading_profile(resources, reach, images.settings)
