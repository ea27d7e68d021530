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
from swerun.sandbox.disk import RESERVE, SHARE, DiskWatch, Watched, end_largest, end_too_large
from swerun.sandbox.docker import DockerSandboxes, Profile
from swerun.sandbox.used import Room, Used, files_in, free_room, held_open
from tests.sandbox.conftest import OWN_RUN, a_task
from tests.sandbox.test_contract import names

GB = 10**9
LIMIT = 8 * GB


@dataclass
class Container:
    id: str
    was: list = field(default_factory=list)
    attrs: dict = field(default_factory=dict)

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
    engine = Engine({f"fake-{name}": size for name, size in sizes.items()})
    said = map(Room, free)
    watch = DiskWatch(engine, lambda: next(said), pause=3600, clock=lambda: 0)
    a, b = Container("fake-a"), Container("fake-b")
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


def test_what_measuring_costs_is_a_small_share_of_a_core_while_nobody_can_be_beyond_its_limit():
    now, free = [0.0], [90 * GB]

    class Slow(Engine):
        def containers(self, **asked):
            now[0] += 4
            return super().containers(**asked)

    engine = Slow({"a": GB})
    watch = DiskWatch(engine, lambda: Room(free[0]), pause=3600, clock=lambda: now[0])
    with watch.watching(Container("fake-a"), LIMIT):
        for seconds, written, asked in [
            (2, 2 * GB, 1),
            (2, 3 * GB, 1),
            (4 / SHARE, GB // 10, 2),  # it has rested for long enough
            (2, 7 * GB, 2),
            (2, 2 * GB, 3),  # somebody may have written all that it may, and more
        ]:
            now[0], free[0] = now[0] + seconds, free[0] - written
            watch.look()
            assert engine.asked == asked


def test_files_are_bounded_as_bytes_are_where_a_disk_has_a_number_of_them():
    each = 16_000
    a, b = Watched(Container("fake-a"), LIMIT), Watched(Container("fake-b"), LIMIT)
    end_too_large([(a, Used(0, 500_001)), (b, Used(GB, 500_000))], each)
    assert (a.container.was, b.container.was) == (["killed"], [])
    assert a.ended == "it made 500,001 files, and may make 500,000 (8 GB worth)"
    end_too_large([(b, Used(GB, 10**9))], 0)
    assert b.container.was == []
    few = Room(90 * GB, 50_000, each)
    end_largest(
        [(Watched(Container("fake-c"), LIMIT), Used(5 * GB, 10)), (b, Used(0, 100_000))], few
    )
    assert b.container.was == ["removed"]
    assert "had room for 50,000 files left" in b.ended


def test_files_that_are_made_are_looked_at_as_bytes_that_are_written():
    engine, files = Engine({"fake-a": 0}), [9_000_000]
    watch = DiskWatch(engine, lambda: Room(90 * GB, files[0], 16_000), pause=3600)
    with watch.watching(Container("fake-a"), LIMIT):
        for made, asked in ((100_000, 0), (100_000, 1)):
            files[0] -= made
            watch.look()
            assert engine.asked == asked


def test_what_is_in_a_folder_is_counted_once_and_as_the_disk_has_it(tmp_path):
    folder = tmp_path / "layer"
    (folder / "sub").mkdir(parents=True)
    (folder / "large").write_bytes(b"x" * 100_000)
    os.link(folder / "large", folder / "sub" / "again")
    os.truncate(folder / "sub" / "again", 10**12)  # room that is promised is not taken
    (folder / "out").symlink_to("/")
    before = files_in(folder)
    assert before.files == 3
    assert 100_000 <= before.bytes < 130_000
    for number in range(20):
        (folder / f"{number}").touch()
    assert files_in(folder).files == 23
    assert files_in(tmp_path / "nowhere") is None


def test_an_engine_that_is_gone_is_nobodys_doing():
    class Gone(Engine):
        def containers(self, **_):
            raise requests.ConnectionError

    free = itertools.count(90 * GB, -5 * GB)
    watch = DiskWatch(Gone({}), lambda: Room(next(free)), pause=3600)
    with watch.watching(Container("fake-a"), LIMIT) as watched:
        watch.look()
    assert watched.ended == ""


def test_the_watch_ends_with_the_last_container_and_begins_again_with_the_next():
    looks, engine = threading.Semaphore(0), Engine({})

    def free():
        looks.release()
        return Room(90 * GB)

    watch = DiskWatch(engine, free, pause=0.001)
    for _ in range(2):
        with watch.watching(Container("fake-a"), LIMIT):
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
    free = free_room(client)
    assert (free is not None) is known
    if free:
        here, room = os.statvfs("/"), free()
        assert room.bytes == pytest.approx(here.f_bavail * here.f_frsize, rel=0.5)
        assert room.files == pytest.approx(here.f_favail, rel=0.5)


MANY = "echo two >>a.txt; for i in $(seq 12); do head -c 3000000 /dev/zero >/full$i; done"


@pytest.mark.docker
def test_a_command_that_fills_the_disk_loses_the_sandbox_and_what_it_did_is_kept(engine, images):
    free = itertools.count(90 * GB, -(1 << 30))
    watch = DiskWatch(engine, lambda: Room(next(free)), pause=3600)
    profile = Profile(resources=Resources(disk="20m"))
    sandboxes = DockerSandboxes(engine, OWN_RUN, "tests", {Role.AGENT: profile}, watch)
    task = a_task(images["sh"])
    with (
        sandboxes.start(task, role=Role.AGENT, attempt=1) as full,
        sandboxes.start(task, role=Role.AGENT, attempt=2) as other,
    ):
        assert full.exec(MANY, timeout=120).exit_code == 0
        watch.look()
        with pytest.raises(SandboxLostError, match=r"it wrote 0.0361? GB, and may write 0.021 GB"):
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
    watch = DiskWatch(engine, lambda: Room(3 * GB), pause=3600)
    sandboxes = DockerSandboxes(engine, OWN_RUN, "tests", {}, watch)
    with sandboxes.start(a_task(images["sh"]), role=Role.AGENT, attempt=1) as sandbox:
        end_largest([(sandbox.watched, Used(2 * GB))], Room(0))
        with pytest.raises(SandboxError, match=r"make room, or run fewer at once") as caught:
            sandbox.exec("true", timeout=30)
        assert not isinstance(caught.value, SandboxLostError)


@pytest.mark.docker
def test_files_without_a_name_and_files_without_bytes_are_seen(engine, images):
    """Where swerun is root on the engine's machine, as on this one."""
    sandboxes = DockerSandboxes(engine, OWN_RUN, "tests", {}, DiskWatch(engine, None))
    hidden = "(exec 3>/hidden; rm /hidden; head -c 9000000 /dev/zero >&3; : >/done; sleep 60) &"
    with sandboxes.start(a_task(images["python3"]), role=Role.AGENT, attempt=1) as sandbox:
        layer = sandbox.watched.layer
        before = files_in(layer).files
        sandbox.exec("mkdir /many; cd /many; seq 3000 | xargs touch", timeout=60)
        assert files_in(layer).files - before in range(3001, 3020)  # and what swerun itself needs
        waiting = "while ! test -e /done; do sleep 0.05; done"
        sandbox.exec(f"{hidden} {waiting}", timeout=60)
        assert held_open(sandbox.container.id) >= 9_000_000
        assert files_in(layer).bytes < 3_000_000
