"""What attempts are made with on one engine: sandboxes, a grader, images and turns."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from swerun.attempt import Bench
from swerun.config import RunConfig, cache_folder
from swerun.engine.slots import LocalSlots
from swerun.entrants import Entrant
from swerun.errors import InputError
from swerun.grading.alone import Alone
from swerun.grading.cache import RunCache
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import Probe, SandboxGrader
from swerun.images.build import Settings
from swerun.images.clean import CleanImages
from swerun.images.store import EngineImages
from swerun.records import Attempt, Conditions, Resources, Role, Soundness
from swerun.sandbox.client import connect
from swerun.sandbox.containers import owned
from swerun.sandbox.disk import DiskWatch
from swerun.sandbox.docker import DockerSandboxes, Profile, reap
from swerun.sandbox.used import free_room

if TYPE_CHECKING:
    from docker import DockerClient

ENOUGH_CORES = 2


@dataclass(frozen=True, slots=True)
class Shared:
    """What all runs of a session use together."""

    client: DockerClient
    images: EngineImages
    clean: CleanImages  # the same, for agents to see
    slots: LocalSlots
    cancel: Event
    agent: Profile
    grading: Profile
    cache: Path
    known: Mapping[str, Soundness]  # of the instances, as far as it is
    outdated: Callable[[Attempt], bool] | None  # set where it is the instances that are measured
    long_logs: Alone = field(default_factory=Alone)


def bench_of(config: RunConfig, who: Entrant, shared: Shared, run: str) -> Bench:
    """What each attempt of the run with the label `run` is made with."""
    sandboxes = sandboxes_of(shared.client, run, shared.agent, shared.grading)
    sandboxes = replace(sandboxes, beside=True)
    grader = SandboxGrader(
        Evaluator(sandboxes, who.limits.eval_seconds, platform.node(), alone=shared.long_logs),
        conditions=conditions_of(sandboxes),
        cache=None if config.no_cache else RunCache(shared.cache / "grades"),
        confirm=config.confirm,
    )
    measured = Probe(grader) if shared.outdated else grader
    solver = who.solver(sandboxes)
    bench = Bench(shared.images, solver, measured, shared.slots, shared.cancel, who.price)
    if who.scaffold is None:  # nobody looks around in what a given patch is made in
        return bench
    return replace(bench, images=shared.clean, for_agent=shared.clean.for_agent)


def conditions_of(sandboxes: DockerSandboxes) -> Conditions:
    """What they give a grading container."""
    return sandboxes.profiles[Role.GRADING].conditions()


def fitting(resources: Resources, cpus: int) -> Resources:
    """`resources` on an engine with so many cores, which takes no container that asks for more.

    Raises InputError for a number that somebody chose; the default becomes what there is.
    """
    if resources.cpus <= cpus:
        return resources
    if resources.cpus != Resources().cpus:
        raise InputError(f"--cpus {resources.cpus:g}: the engine has {cpus} cores")
    return resources.model_copy(update={"cpus": float(cpus)})


def check_runtime(resources: Resources, runtimes: Collection[str]) -> None:
    """Raises InputError for a runtime that the engine does not have."""
    if resources.runtime and resources.runtime not in runtimes:
        raise InputError(
            f"--runtime {resources.runtime}: the engine has {', '.join(sorted(runtimes))}; another "
            "one is made known to it in its daemon.json"
        )


def said_of_cores(cpus: float) -> str:
    """What has to be said of so few cores; "" of enough."""
    if cpus >= ENOUGH_CORES:
        return ""
    return (
        f"containers get {cpus:g} core{'' if cpus == 1 else 's'}: tests that ask how many there "
        "are (pylint's do) skip what needs two, which changes verdicts; "
        f"--cpus {ENOUGH_CORES} where the engine has them"
    )


def sandboxes_of(
    client: DockerClient, run: str, agent: Profile, grading: Profile
) -> DockerSandboxes:
    return DockerSandboxes(
        client=client,
        run=run,
        owner=owned(),
        profiles={Role.AGENT: agent, Role.PATCH: agent, Role.GRADING: grading},
        disk=DiskWatch(client, free_room(client)),
    )


def grading_profile(resources: Resources, network: str, outside: Settings) -> Profile:
    """A grading's container knows of the way out what builds do; an agent's knows nothing."""
    return Profile(
        resources=resources,
        network=network,
        environment={**outside.proxies, **outside.variables},
        ca_bundle=outside.ca_bundle,
    )


@contextmanager
def connected(environment: Mapping[str, str]) -> Iterator[DockerClient]:
    """The engine that the environment names. Raises NoEngineError."""
    client = connect(environment)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def grading(
    environment: Mapping[str, str], eval_seconds: float, network: str
) -> Iterator[tuple[EngineImages, SandboxGrader]]:
    """Images and a grader without a run: for one patch at a time. `network` is the grading's.

    Raises NoEngineError.
    """
    with connected(environment) as client:
        run = f"grading-{uuid.uuid4().hex[:12]}"
        images = EngineImages(client, cache_folder(None, environment))
        resources = fitting(Resources(), client.info()["NCPU"])
        profile = grading_profile(resources, network, images.settings)
        sandboxes = sandboxes_of(client, run, profile, profile)
        try:
            evaluator = Evaluator(sandboxes, eval_seconds, platform.node())
            yield images, SandboxGrader(evaluator, conditions_of(sandboxes))
        finally:
            reap(client, sandboxes.run)
