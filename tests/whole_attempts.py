"""Whole attempts on a real engine: only the model is scripted, and a single line is the fix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from docker import DockerClient

from swerun.agent.loop import BashAgent
from swerun.agent.prompts import load_prompts
from swerun.attempt import Bench
from swerun.engine.events import Happened
from swerun.engine.local import LocalEngine, Work
from swerun.engine.slots import local_slots
from swerun.grading.evaluate import Evaluator
from swerun.grading.grader import SandboxGrader
from swerun.ports import Image, Images, Model
from swerun.records import Limits, Resources, Role
from swerun.runs.store import RunStore, open_or_create
from swerun.sandbox.docker import DockerSandboxes, Profile
from swerun.solve import AgentSolver
from tests.fakes import an_instance
from tests.report.test_summary import a_run

FIX = "echo two >>a.txt"
EVAL = """#!/bin/bash
cd /testbed
: '>>>>> Start Test Output'
grep -q two ./a*.txt && echo 'PASSED t.py::a' || { echo 'FAILED t.py::a'; false; }
: '>>>>> End Test Output'
"""
AT_ONCE = 2


@dataclass(frozen=True)
class Here:
    """One image for all instances, which is there."""

    image: Image

    def hold(self, instance):
        return nullcontext()

    def ensure(self, instance):
        return self.image


@dataclass(frozen=True)
class Made:
    """What makes the attempts, where they are written, and what their sandboxes come from."""

    engine: LocalEngine
    store: RunStore
    sandboxes: DockerSandboxes

    def run(self):
        """All attempts, in order."""
        self.engine.run()
        return list(self.store.attempts())


def made(
    folder: Path,
    client: DockerClient,
    image: str | Images,
    models: Mapping[str, Callable[[], Model]],
    *,
    run: str,
    listener: Callable[[Happened], None] = lambda _: None,
    eval_script: str = EVAL,
    retries: int = 0,
    **resources,
) -> Made:
    """An attempt for each of the instances `models`, whose models are made anew for each."""
    profile = Profile(resources=Resources(**{"memory": "200m", "pids": 200} | resources))
    sandboxes = DockerSandboxes(client, run, "tests", dict.fromkeys(Role, profile))
    images = image
    if isinstance(image, str):
        images = Here(Image(client.images.get(image).id, "sha256:0"))
    cancel = Event()
    agent = BashAgent(load_prompts("tools"), Limits(command_seconds=3))
    solver = AgentSolver(sandboxes, agent, lambda task: models[task.id](), cancel)
    grader = SandboxGrader(Evaluator(sandboxes, 60))
    slots = local_slots(images=4, agents=AT_ONCE, grading=AT_ONCE, cancel=cancel)
    bench = Bench(images, solver, grader, slots, cancel)
    instances = tuple(
        an_instance(i, eval_script=eval_script, fail_to_pass=("t.py::a",)) for i in models
    )
    store = open_or_create(folder / "runs", a_run(*models))
    work = Work(store, bench, instances, samples=1, retries=retries)
    return Made(LocalEngine([work], 2 * AT_ONCE, listener, cancel, pause=0.5), store, sandboxes)
