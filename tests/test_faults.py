"""Faults of the machine in the middle of real attempts: whose they are said to be, what is tried
again, and that nothing is lost by them."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import tarfile
import threading
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import docker
import pytest

from swerun.ports import Image
from swerun.records import Cause, Fault, Outcome, Stop
from swerun.sandbox.archives import first_file
from swerun.sandbox.containers import leftovers, reap
from tests.fakes import ScriptedModel, a_reply
from tests.sandbox.conftest import make_repository
from tests.whole_attempts import EVAL, FIX, Here, made

pytestmark = [
    pytest.mark.docker,
    # the SDK leaves its connections to an engine that went away to the garbage collector
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
RUN = f"test-faults-{os.getpid()}"
DOCKERD = Path(__file__).parent.parent / ".ci" / "dockerd.sh"
ID = "org__repo-1"
PROGRAMS = (
    "sh bash git cat head tail mktemp timeout setsid dd rm grep env mkdir cp chmod sed xargs sleep "
    "base64 wc mkfifo cut sort ls"
)
# an engine takes seconds for a small image, and the better part of a minute for the base image
PACK = """set -e
files=$(for p in $PROGRAMS; do ls /usr/bin/$p; done)
tar -c -h $files $(ldd $files | grep -o '/[^ ]*' | grep '\\.so' | sort -u) >/small.tar 2>/dev/null
"""
SMALL = "small:latest"


@dataclass
class Faulty(ScriptedModel):
    """Brings about a fault before it gives its reply number `at`, from 0; only once in all."""

    fault: Callable[[], object] = lambda: None
    at: int = 1
    once: list[int] = field(default_factory=list)

    def reply(self, messages, *, deadline, cancel):
        if len(self.heard) == self.at and not self.once:
            self.once.append(1)
            self.fault()
        return super().reply(messages, deadline=deadline, cancel=cancel)


def solving(fault=lambda: None, at=1):
    """The models of an instance: the first brings about the fault before its reply number `at`."""
    once = []
    replies = [a_reply("echo one >>notes"), a_reply(FIX), a_reply("submit")]
    return {ID: lambda: Faulty(replies, fault=fault, at=at, once=once)}


def in_the_middle_of_grading(fault):
    """A listener that brings about the fault once, a moment after the tests began."""
    begun = []

    def listen(event):
        if event.what == "grade" and not begun:
            begun.append(threading.Timer(2, fault))
            begun[0].start()

    return listen


SLOW = EVAL.replace("grep -q", "sleep 4; grep -q")


def removed(client, role):
    def remove():
        found = {"label": [f"swerun.run={RUN}", f"swerun.role={role}"]}
        for one in client.containers.list(filters=found):
            one.remove(force=True)

    return remove


@pytest.fixture(scope="module")
def small(engine, base_image, tmp_path_factory):
    """A root file system with a repository and what is needed to work on one."""
    packing = engine.containers.create(
        base_image, ["-c", f"PROGRAMS='{PROGRAMS}'\n{PACK}"], entrypoint="bash", network_mode="none"
    )
    try:
        packing.start()
        assert packing.wait()["StatusCode"] == 0
        chunks, _ = packing.get_archive("/small.tar")
        path = tmp_path_factory.mktemp("small") / "root.tar"
        path.write_bytes(first_file(chunks, "small.tar", None))
    finally:
        packing.remove(force=True)
    repository = make_repository(path.parent / "repo")
    with tarfile.open(path, "a") as tar:
        tar.add(repository, "testbed")
        for name, target in (("bin", "usr/bin"), ("tmp", "")):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = (tarfile.SYMTYPE if target else tarfile.DIRTYPE), target
            entry.mode = 0o1777
            tar.addfile(entry)
    return path


@dataclass
class Second:
    """An engine beside the machine's own, which may be treated as one likes."""

    folder: str
    client: docker.DockerClient

    def restart(self, number):
        subprocess.run([DOCKERD, "restart", self.folder, number], check=True, capture_output=True)

    def hang(self, seconds):
        """From now on, for so long: it takes connections and answers nothing."""
        process = int((Path(self.folder) / "dockerd.pid").read_text())
        os.kill(process, signal.SIGSTOP)
        threading.Timer(seconds, os.kill, (process, signal.SIGCONT)).start()


def close(client):
    client.close()
    with warnings.catch_warnings():  # as above
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="module")
def second(small, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("engine"))
    begun = subprocess.run([DOCKERD, "start", folder], capture_output=True, text=True, check=False)
    if begun.returncode != 0:
        pytest.skip(f"no second engine can be started here: {begun.stderr}")
    client = docker.DockerClient(begun.stdout.strip(), timeout=60)
    try:
        client.api.import_image_from_data(small.read_bytes(), repository="small", tag="latest")
        yield Second(folder, client)
    finally:
        close(client)
        subprocess.run([DOCKERD, "stop", folder], check=True)


# containers and images that somebody removes


def test_an_agents_container_that_somebody_removes_is_the_machines_fault_and_tried_again(
    tmp_path, second
):
    models = solving(removed(second.client, "agent"))
    first, again = made(tmp_path, second.client, SMALL, models, run=RUN, retries=1).run()
    assert (first.outcome, first.failure.fault) == (Outcome.SANDBOX_FAILED, Fault.SANDBOX)
    assert "removed or paused from outside" in first.failure.message
    assert first.steps == 1, "what was done until then is counted"
    assert (again.outcome, again.cause, again.of) == (Outcome.RESOLVED, Cause.RETRY, 1)
    assert leftovers(second.client, run=RUN) == ()


def test_a_gradings_container_that_somebody_removes_costs_one_grading_and_no_solving(
    tmp_path, second
):
    listener = in_the_middle_of_grading(removed(second.client, "grading"))
    attempts = made(
        tmp_path, second.client, SMALL, solving(), run=RUN, listener=listener, eval_script=SLOW
    )
    (only,) = attempts.run()
    assert (only.outcome, only.stop, only.failure) == (Outcome.RESOLVED, Stop.SUBMITTED, None)


def test_an_image_that_somebody_removes_before_its_container_is_made_is_had_again(tmp_path, second):
    @dataclass(frozen=True)
    class Fleeting(Here):
        """There at last, when it is asked for the second time."""

        asked: list = field(default_factory=list)

        def ensure(self, instance):
            self.asked.append(instance.id)
            gone = Image("sha256:" + "0" * 64, "sha256:0")
            return gone if len(self.asked) == 1 else self.image

    images = Fleeting(Image(second.client.images.get(SMALL).id, "sha256:0"))
    first, again = made(tmp_path, second.client, images, solving(), run=RUN, retries=1).run()
    assert (first.outcome, first.failure.fault) == (Outcome.IMAGE_FAILED, Fault.IMAGE)
    assert "is not on this engine, or not any more" in first.failure.message
    assert again.outcome is Outcome.RESOLVED


# an engine that hangs


def test_an_engine_that_hangs_for_some_seconds_costs_these_seconds_alone(tmp_path, second):
    """Longer than a command may take: the limit on it is kept inside of the container."""
    models = solving(lambda: second.hang(5))
    (only,) = made(tmp_path, second.client, SMALL, models, run=RUN).run()
    assert (only.outcome, only.stop, only.steps) == (Outcome.RESOLVED, Stop.SUBMITTED, 3)


def test_an_engine_that_hangs_for_too_long_is_the_machines_fault_and_tried_again(tmp_path, second):
    """As long as the client bears: ten minutes, and here two seconds."""
    impatient = docker.DockerClient(f"unix://{second.folder}/docker.sock", timeout=2)
    try:
        models = solving(lambda: second.hang(6), at=2)
        *failed, last = made(tmp_path, impatient, SMALL, models, run=RUN, retries=5).run()
        assert {(a.outcome, a.failure.fault) for a in failed} == {
            (Outcome.SANDBOX_FAILED, Fault.SANDBOX)
        }
        assert "timed out" in failed[0].failure.message
        assert (last.outcome, last.cause) == (Outcome.RESOLVED, Cause.RETRY)
    finally:
        close(impatient)
        reap(second.client, RUN)


# an engine that is started anew


@pytest.mark.parametrize("number", ["TERM", "KILL"])
def test_an_engine_that_is_started_anew_while_an_agent_works_is_the_machines_fault(
    tmp_path, second, number
):
    models = solving(lambda: second.restart(number))
    first, again = made(tmp_path, second.client, SMALL, models, run=RUN, retries=1).run()
    assert (first.outcome, first.failure.fault) == (Outcome.SANDBOX_FAILED, Fault.SANDBOX)
    assert first.failure.message.startswith("the container was stopped from outside")
    assert (again.outcome, again.cause) == (Outcome.RESOLVED, Cause.RETRY)


def test_an_engine_that_is_started_anew_while_tests_run_costs_no_solving(tmp_path, second):
    listener = in_the_middle_of_grading(lambda: second.restart("TERM"))
    attempts = made(
        *(tmp_path, second.client, SMALL, solving()),
        run=RUN,
        listener=listener,
        eval_script=SLOW,
        retries=3,
    )
    *failed, last = attempts.run()
    assert {a.outcome for a in failed} <= {Outcome.SANDBOX_FAILED}
    assert (last.outcome, last.solved_in) == (Outcome.RESOLVED, 1 if failed else None)
    assert len({a.patch_bytes for a in (*failed, last)}) == 1
