"""Containers are found and removed by their labels: those of one run, and no others."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import uuid
from contextlib import ExitStack, suppress

import pytest
from docker.errors import NotFound

from swerun.errors import SandboxError
from swerun.records import Role
from swerun.sandbox.containers import (
    DAY,
    Leftover,
    is_alive,
    is_orphan,
    leftovers,
    owned,
    reap,
    reap_orphans,
)
from swerun.sandbox.docker import DockerSandboxes
from tests.sandbox.conftest import a_task

pytestmark = pytest.mark.docker
NOW = 10 * DAY


def an_ended_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


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


def test_of_several_processes_containers_only_those_of_one_that_is_gone_are_orphans(
    engine, run, left
):
    host = owned().rpartition(":")[0]
    living = left(run, **{"swerun.owner": owned()})
    left(run, **{"swerun.owner": f"{host}:{an_ended_process()}"})
    assert reap_orphans(engine, run) == 1
    assert [one.id for one in leftovers(engine, run=run)] == [living]


@pytest.mark.parametrize(
    ("owner", "age", "orphan"),
    [
        ("here:1", 0, False),
        ("here:2", 0, True),
        ("here:1", 99 * DAY, False),  # its process lives: whatever it does, it is not over
        ("there:2", 0, False),  # on another machine, or in a container: nobody can tell
        ("there:2", DAY + 1, True),
        ("here:x", 0, False),
        ("", 0, False),
        ("", DAY + 1, True),
    ],
)
def test_a_container_is_left_behind_where_its_process_is_gone(owner, age, orphan):
    one = Leftover("id", "name", "r", owner, "i", "running", NOW - age)
    assert is_orphan(one, "here", NOW, lambda process: process == 1) is orphan


def test_a_process_lives_until_it_has_ended():
    assert is_alive(os.getpid())
    assert is_alive(1)
    assert not is_alive(an_ended_process())
