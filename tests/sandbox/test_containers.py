"""Containers are found and removed by their labels: those of one run, and no others."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import ExitStack, suppress

import pytest
from docker.errors import NotFound

from swerun.errors import SandboxError
from swerun.records import Role
from swerun.sandbox.containers import leftovers, reap
from swerun.sandbox.docker import DockerSandboxes
from tests.sandbox.conftest import a_task

pytestmark = pytest.mark.docker


@pytest.fixture
def run():
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def left(engine, images):
    """Makes containers that nobody removes; they are gone after the test."""
    made = []

    def leave(run, instance="org__repo-1", *, started=True, **labels):
        named = {"swerun.run": run, "swerun.owner": "host:1", "swerun.instance": instance}
        container = engine.containers.create(
            images["sh"], ["sleep", "600"], init=True, labels=named | labels
        )
        made.append(container)
        if started:
            container.start()
        return container.id

    yield leave
    for container in made:
        with suppress(NotFound):
            container.remove(force=True)


def test_what_a_run_left_is_removed_and_other_runs_and_strangers_are_not(engine, run, left):
    ours = {left(run), left(run, started=False)}
    longer, stranger = left(run + "-2"), left("", **{"swerun.run": "other"})
    assert {one.id for one in leftovers(engine, run=run)} == ours
    assert {*ours, longer, stranger} <= {one.id for one in leftovers(engine)}
    assert reap(engine, run) == 2
    assert leftovers(engine, run=run) == ()
    assert {longer, stranger} <= {one.id for one in leftovers(engine)}
    assert reap(engine, run) == 0


def test_a_container_without_labels_is_nobodys(engine, images):
    container = engine.containers.create(images["sh"], "true")
    try:
        assert container.id not in {one.id for one in leftovers(engine)}
    finally:
        container.remove(force=True)


def test_a_leftover_says_whose_it_is(engine, run, left):
    made = left(run, "org__repo-7")
    (one,) = leftovers(engine, run=run)
    assert (one.id, one.run, one.instance, one.owner) == (made, run, "org__repo-7", "host:1")
    assert one.status == "running"
    assert engine.containers.get(one.name).id == made


def test_a_command_that_waits_in_a_container_ends_when_its_run_is_reaped(engine, images, run):
    sandboxes = DockerSandboxes(client=engine, run=run, owner="tests")
    ended = []

    def wait(sandbox):
        with pytest.raises(SandboxError):
            sandbox.exec("sleep 60", timeout=60)
        ended.append(time.monotonic())

    with ExitStack() as stack:
        threads = []
        for attempt in (1, 2):
            start = sandboxes.start(a_task(images["sh"]), role=Role.AGENT, attempt=attempt)
            threads.append(threading.Thread(target=wait, args=[stack.enter_context(start)]))
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        began = time.monotonic()
        assert reap(engine, run) == 2
        for thread in threads:
            thread.join(30)
    assert len(ended) == 2
    assert max(ended) - began < 10
    assert leftovers(engine, run=run) == ()
