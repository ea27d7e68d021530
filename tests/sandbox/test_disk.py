"""What containers write is watched: whose doing it is that a disk fills, and what comes of it."""

from __future__ import annotations

import itertools
import os
import threading
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import requests

from swerun.errors import SandboxError, SandboxLostError
from swerun.records import Resources, Role
from swerun.sandbox.disk import RESERVE, DiskWatch, free_bytes
from swerun.sandbox.docker import DockerSandboxes, Profile
from tests.sandbox.conftest import OWN_RUN, a_task
from tests.sandbox.test_contract import names

GB = 10**9
LIMIT = 8 * GB


@dataclass
class Container:
    id: str
    was: list = field(default_factory=list)

    def kill(self):
        self.was.append("killed")

    def remove(self, *, force):
        self.was.append("removed")


@dataclass
class Engine:
    """Says how much its containers wrote; remembers how often it was asked."""

    sizes: dict
    asked: int = 0

    @property
    def api(self):
        return self

    def containers(self, *, size, filters):
        self.asked += 1
        return [{"Id": i, "SizeRw": self.sizes[i]} for i in filters["id"] if i in self.sizes]


def looked(*free, sizes):
    """What becomes of containers when so much is free: as they begin, and at each look."""
    engine, said = Engine(sizes), iter(free)
    watch = DiskWatch(engine, lambda: next(said), pause=3600)
    a, b = Container("a"), Container("b")
    with watch.watching(a, LIMIT) as first, watch.watching(b, LIMIT) as second:
        while True:
            try:
                watch.look()
            except StopIteration:
                return engine.asked, (a.was, first.ended), (b.was, second.ended)


def test_nobody_is_asked_while_little_is_written():
    asked, a, b = looked(90 * GB, 89 * GB, 95 * GB, 94 * GB, sizes={})
    assert (asked, a, b) == (0, ([], ""), ([], ""))


def test_who_wrote_more_than_it_may_is_ended_and_the_others_go_on():
    asked, a, b = looked(90 * GB, 87 * GB, 87 * GB, sizes={"a": 9 * GB, "b": GB})
    assert asked == 1
    assert a == (["killed"], "it wrote 9 GB, and may write 8 GB")
    assert b == ([], "")


def test_what_somebody_else_writes_costs_a_question_and_nobody_his_work():
    frees = [90 * GB, 87 * GB, 87 * GB, 86 * GB, 85 * GB, 85 * GB, 88 * GB, 87 * GB]
    asked, a, b = looked(*frees, sizes={"a": GB, "b": GB})
    assert (asked, a, b) == (2, ([], ""), ([], ""))


def test_on_a_disk_that_is_nearly_full_the_largest_makes_room_and_is_not_blamed():
    low = RESERVE - 1
    asked, a, b = looked(3 * GB, low, low, sizes={"a": 2 * GB, "b": 3 * GB})
    assert (asked, a) == (1, ([], ""))
    assert b[0] == ["removed"]
    assert "the engine's disk had 1.07 GB left" in b[1]


def test_on_a_disk_that_others_filled_nobody_is_ended():
    low = RESERVE - 1
    asked, a, b = looked(3 * GB, low, low, sizes={"a": 5, "b": 7})
    assert (asked, a, b) == (1, ([], ""), ([], ""))


def test_an_engine_that_is_gone_is_nobodys_doing():
    class Gone(Engine):
        def containers(self, **_):
            raise requests.ConnectionError

    watch = DiskWatch(Gone({}), itertools.count(90 * GB, -5 * GB).__next__, pause=3600)
    with watch.watching(Container("a"), LIMIT) as watched:
        watch.look()
    assert watched.ended == ""


def test_the_watch_ends_with_the_last_container_and_begins_again_with_the_next():
    looks, engine = threading.Semaphore(0), Engine({})

    def free():
        looks.release()
        return 90 * GB

    watch = DiskWatch(engine, free, pause=0.001)
    for _ in range(2):
        with watch.watching(Container("a"), LIMIT):
            for _ in range(5):
                assert looks.acquire(timeout=30)
        ended = [t for t in threading.enumerate() if t.name.startswith("swerun-disk")]
        for thread in ended:
            thread.join(30)
            assert not thread.is_alive()


@pytest.mark.parametrize(
    ("address", "known"),
    [("http+docker://localhost", True), ("http://far:2375", False), ("http+docker://ssh", False)],
)
def test_what_is_free_is_known_of_this_machines_engines_alone(tmp_path, address, known):
    root = tmp_path / "not here"
    client = SimpleNamespace(
        api=SimpleNamespace(base_url=address), info=lambda: {"DockerRootDir": str(root)}
    )
    free = free_bytes(client)
    assert (free is not None) is known
    if free:
        here = os.statvfs("/")
        assert free() == pytest.approx(here.f_bavail * here.f_frsize, rel=0.5)


MANY = "echo two >>a.txt; for i in $(seq 12); do head -c 3000000 /dev/zero >/full$i; done"


@pytest.mark.docker
def test_a_command_that_fills_the_disk_loses_the_sandbox_and_what_it_did_is_kept(engine, images):
    free = itertools.count(90 * GB, -(1 << 30)).__next__
    watch = DiskWatch(engine, free, pause=3600)
    profile = Profile(resources=Resources(disk="20m"))
    sandboxes = DockerSandboxes(engine, OWN_RUN, "tests", {Role.AGENT: profile}, watch)
    task = a_task(images["sh"])
    with (
        sandboxes.start(task, role=Role.AGENT, attempt=1) as full,
        sandboxes.start(task, role=Role.AGENT, attempt=2) as other,
    ):
        assert full.exec(MANY, timeout=120).exit_code == 0
        watch.look()
        with pytest.raises(SandboxLostError, match=r"it wrote 0.036 GB, and may write 0.021 GB"):
            full.exec("true", timeout=30)
        assert names(full.changes()) == [b"a.txt"]
        assert other.exec("echo there", timeout=30).output == "there\n"


@pytest.mark.docker
def test_no_single_file_becomes_larger_than_all_that_may_be_written(docker_sandboxes, images):
    sandboxes, task = docker_sandboxes(resources=Resources(disk="5m")), a_task(images["sh"])
    with sandboxes.start(task, role=Role.AGENT, attempt=1) as sandbox:
        for filling in ("cat /dev/zero >full", "fallocate -l 6M full", "truncate -s 9T full"):
            assert sandbox.exec(f"sh -c '{filling}'", timeout=60).exit_code != 0
            assert int(sandbox.exec("wc -c <full; rm full", timeout=30).output) <= 5 << 20
        assert sandbox.exec("ulimit -f unlimited", timeout=30).exit_code != 0
        # nor what the first process prints, which the engine would keep
        assert sandbox.container.attrs["HostConfig"]["LogConfig"]["Type"] == "none"


@pytest.mark.docker
def test_a_container_that_makes_room_is_an_error_and_not_the_commands_doing(engine, images):
    watch = DiskWatch(engine, iter([3 * GB, 0, 0]).__next__, pause=3600)
    sandboxes = DockerSandboxes(engine, OWN_RUN, "tests", {}, watch)
    with sandboxes.start(a_task(images["sh"]), role=Role.AGENT, attempt=1) as sandbox:
        watch._end([(sandbox.watched, 2 * GB)])
        with pytest.raises(SandboxError, match=r"make room, or run fewer at once") as caught:
            sandbox.exec("true", timeout=30)
        assert not isinstance(caught.value, SandboxLostError)
