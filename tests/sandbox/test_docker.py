"""What is promised of containers alone: how they end, what they may use, what is left of them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from swerun.agent.edit import Editor
from swerun.errors import ImageError, InstanceError, SandboxError, SandboxLostError
from swerun.ports import Changes, ExecResult
from swerun.records import Resources, Role
from swerun.sandbox.channel import StuckError
from swerun.sandbox.containers import leftovers
from swerun.sandbox.profile import CAPABILITIES
from tests.sandbox.conftest import CONTAINERS, DOCKER, OWN_RUN, a_task, alive
from tests.sandbox.test_contract import names

pytestmark = pytest.mark.docker
ENOUGH = 30  # seconds, for what takes none
IMAGES = [name.removeprefix("docker-") for name in DOCKER]
everywhere = pytest.mark.parametrize("place", CONTAINERS, indirect=True)
each_image = pytest.mark.parametrize("image", IMAGES)
each_server = pytest.mark.parametrize("image", ["python3", "sh"])


@pytest.fixture
def start(docker_sandboxes, images):
    """A sandbox of an image, with a profile."""

    def started(image="python3", *, role=Role.AGENT, workdir="/testbed", **profile):
        task = a_task(images[image], workdir=workdir)
        return docker_sandboxes(**profile).start(task, role=role, attempt=3)

    return started


def later(seconds, action):
    thread = threading.Timer(seconds, action)
    thread.start()
    return thread


# how a container ends


@everywhere
def test_a_container_removed_from_outside_is_an_error_at_once(fresh):
    removal = later(0.5, lambda: fresh.container.remove(force=True))
    began = time.monotonic()
    with pytest.raises(SandboxError) as caught:
        fresh.exec("sleep 60", timeout=60)
    assert time.monotonic() - began < 15
    removal.join()
    assert not isinstance(caught.value, SandboxLostError)
    for act in (
        lambda: fresh.exec("true", timeout=ENOUGH),
        lambda: fresh.write_file("x", b""),
        lambda: fresh.read_file("a.txt"),
        fresh.changes,
        lambda: fresh.apply(Changes(b"", ("a.txt",))),
    ):
        with pytest.raises(SandboxError) as caught:
            act()
        assert not isinstance(caught.value, SandboxLostError)


def test_a_container_paused_from_outside_is_an_error_and_not_the_commands_doing(start):
    with start() as sandbox:
        sandbox._channel.hang = 0.5
        pause = later(0.3, sandbox.container.pause)
        with pytest.raises(SandboxError) as caught:
            sandbox.exec("sleep 60", timeout=1)
        pause.join()
        assert not isinstance(caught.value, SandboxLostError)


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_container_stopped_from_outside_is_an_error_and_not_the_commands_doing(start, how):
    with start() as sandbox:
        ways = {"kill": sandbox.container.kill, "stop": lambda: sandbox.container.stop(timeout=1)}
        ending = later(0.3, ways[how])
        with pytest.raises(SandboxError, match="stopped from outside") as caught:
            sandbox.exec("sleep 60", timeout=60)
        ending.join()
        assert not isinstance(caught.value, SandboxLostError)


@everywhere
def test_a_command_that_ends_its_container_loses_it_and_what_it_wrote_can_still_be_read(fresh):
    with pytest.raises(SandboxLostError):
        fresh.exec("echo two >>a.txt; echo new >new; rm binary; kill -9 -1", timeout=ENOUGH)
    with pytest.raises(SandboxLostError):
        fresh.exec("true", timeout=ENOUGH)
    changes = fresh.changes()
    assert names(changes) == [b"a.txt", b"new"]
    assert changes.deleted == ("binary",)
    assert fresh.read_file("a.txt") == b"one\ntwo\n"
    with pytest.raises(FileNotFoundError):
        fresh.read_file("binary")


@each_server
def test_a_command_that_stops_its_channel_costs_that_command_only(start, image, number):
    with start(image) as sandbox:
        sandbox._channel.hang = 0.5
        result = sandbox.exec(f"sleep {number} & kill -STOP -1; sleep 60", timeout=0.5)
        assert (result.exit_code, result.timed_out) == (124, True)
        assert sandbox.exec("echo there", timeout=ENOUGH).output == "there\n"
        assert alive(sandbox, number) == []


@pytest.mark.parametrize(
    ("image", "careless"),
    [("python3", "pkill python3"), ("python3", "pkill -9 python3"), ("sh", "pkill -x sh")],
)
def test_a_command_that_ends_others_of_its_servers_name_costs_that_command_only(
    start, image, careless
):
    with start(image) as sandbox:
        result = sandbox.exec(f"{careless}; sleep 60", timeout=ENOUGH)
        assert (result.exit_code, result.timed_out) == (137, False)
        assert sandbox.exec("echo there", timeout=ENOUGH).output == "there\n"


@each_image
def test_a_command_that_runs_out_of_memory_is_a_result(start, image):
    hog = "x=xxxxxxxx; while :; do x=$x$x; done"
    with start(image, resources=Resources(memory="48m")) as sandbox:
        result = sandbox.exec(f"sh -c '{hog}'; echo $?", timeout=60)
        assert result.output.endswith("137\n")
        result = sandbox.exec(hog, timeout=60)
        assert (result.exit_code, result.timed_out) == (137, False)
        assert sandbox.exec("echo there", timeout=ENOUGH).output == "there\n"


@everywhere
def test_the_kernel_takes_a_command_before_what_runs_it(sandbox):
    score = sandbox.exec("cat /proc/self/oom_score_adj", timeout=ENOUGH).output
    servers = "grep -las SWERUN_COMMAND=- /proc/[0-9]*/environ | cut -d / -f 3 | sort -n | head -1"
    server = sandbox.exec(f"cat /proc/$({servers})/oom_score_adj", timeout=ENOUGH).output
    assert int(server) < int(score) == 500


@each_server
def test_memory_that_stays_full_loses_the_sandbox_at_most(start, image):
    fill = "echo new >new; head -c 60000000 /dev/zero >/dev/shm/full"
    with start(image, resources=Resources(memory="48m")) as sandbox:
        for command in (fill, "true"):
            sandbox._channel.hang = 2
            try:
                assert isinstance(sandbox.exec(command, timeout=5), ExecResult)
            except SandboxLostError:
                continue
        assert names(sandbox.changes()) == [b"new"]


@each_server
def test_a_gigabyte_of_output_takes_no_memory_in_the_container(start, image):
    with start(image, resources=Resources(memory="48m")) as sandbox:
        result = sandbox.exec("yes | head -c 1000000000; exit 3", timeout=120)
        assert (result.exit_code, result.truncated) == (3, True)
        assert sandbox._channel.commands == 2, "no channel was lost over it"


def test_what_a_server_keeps_of_its_output_is_all_the_memory_it_takes(start):
    with start() as sandbox:
        sandbox.exec("while :; do printf xy; done", timeout=2)  # each a piece of its own
        sandbox.exec("yes | head -c 1000000000", timeout=120)
        found = "grep -la SWERUN_COMMAND=- /proc/[0-9]*/environ | cut -d / -f 3"
        status = f"for p in $({found}); do cat /proc/$p/status; done"
        peaks = [
            int(line.split()[1])
            for line in sandbox.exec(status, timeout=ENOUGH).output.splitlines()
            if line.startswith("VmHWM")
        ]
        assert 1000 < max(peaks) < 40_000  # kB


@each_server
def test_a_fork_bomb_ends_with_its_timeout(start, image):
    with start(image, resources=Resources(pids=64)) as sandbox:
        result = sandbox.exec("f() { f | f & }; f; while :; do :; done", timeout=1)
        assert (result.exit_code, result.timed_out) == (124, True)
        assert sandbox.exec("echo there", timeout=ENOUGH).output == "there\n"


@each_image
def test_processes_that_leave_no_room_for_others_lose_the_sandbox_at_most(start, image):
    # sh, because bash waits for room
    many = "echo new >new; sh -c 'for i in $(seq 99); do sleep 600 & done'"
    with start(image, resources=Resources(pids=32)) as sandbox:
        for command in (many, "true | true | true", "true"):
            try:
                assert isinstance(sandbox.exec(command, timeout=2), ExecResult)
            except SandboxLostError:
                continue
        assert names(sandbox.changes()) == [b"new"]


def test_what_cannot_be_killed_takes_its_container_with_it_and_is_the_commands_doing(start):
    class Stuck:
        def exec(self, command, *, timeout, given=b""):
            raise StuckError("a process of this command cannot be killed")

        def close(self):
            channel.close()

    with start() as sandbox:
        channel = sandbox._channel
        sandbox.exec("echo new >new", timeout=ENOUGH)
        sandbox._channel = Stuck()
        with pytest.raises(SandboxLostError, match="cannot be killed"):
            sandbox.exec("true", timeout=ENOUGH)
        sandbox._channel = channel
        with pytest.raises(SandboxLostError, match="the container ended"):
            sandbox.exec("true", timeout=ENOUGH)
        assert names(sandbox.changes()) == [b"new"]


# what goes on in it


@each_server
def test_what_earlier_commands_left_running_goes_on_after_a_timeout(start, image, number):
    with start(image) as sandbox:
        sandbox.exec(f"sleep {number} &", timeout=ENOUGH)
        sandbox.exec("(while :; do date >beat; sleep 0.1; done) &", timeout=ENOUGH)
        assert sandbox.exec("sleep 60", timeout=0.5).timed_out
        assert alive(sandbox, number) == [f"sleep {number}"]
        stopped = "cat /proc/[0-9]*/status 2>/dev/null | grep -c '^State:.T'"
        assert sandbox.exec(stopped, timeout=ENOUGH).output == "0\n"
        sandbox.exec("rm beat", timeout=ENOUGH)
        assert sandbox.exec("until [ -e beat ]; do sleep 0.1; done", timeout=ENOUGH).exit_code == 0


@everywhere
def test_an_orphan_without_a_mark_outlives_a_timeout_if_it_was_there_before(sandbox, number):
    sandbox.exec(f"(env -i setsid sleep {number} >/dev/null 2>&1 &)", timeout=ENOUGH)
    sandbox.exec("sleep 60", timeout=0.3)
    assert alive(sandbox, number) == [f"sleep {number}"]
    found = f"grep -l '[{number[0]}]{number[1:]}' /proc/[0-9]*/cmdline | cut -d / -f 3"
    sandbox.exec(f"kill $({found})", timeout=ENOUGH)
    assert alive(sandbox, number) == []


@everywhere
def test_nothing_changes_while_the_changes_are_read(fresh):
    rewriting = "while :; do head -c 9000000 /dev/zero >grows; : >grows; done"
    fresh.exec(f"touch grows; ({rewriting}) >/dev/null 2>&1 & ({rewriting}) &", timeout=ENOUGH)
    for _ in range(4):
        assert names(fresh.changes()) == [b"grows"]
        assert fresh.exec("echo there", timeout=ENOUGH).output == "there\n"


# what a container is


def test_a_container_is_as_narrow_as_its_profile_says(start):
    resources = Resources(memory="100m", cpus=0.5, pids=77, runtime="runc")
    with start("sh", resources=resources) as sandbox:
        host = sandbox.container.attrs["HostConfig"]
        assert (host["Memory"], host["MemorySwap"], host["NanoCpus"]) == (100 << 20, 100 << 20, 5e8)
        assert (host["PidsLimit"], host["Runtime"]) == (77, "runc")
        assert not host["Privileged"]
        status = dict(
            line.split(":\t", 1)
            for line in sandbox.exec("cat /proc/self/status", timeout=ENOUGH).output.splitlines()
        )
        assert status["NoNewPrivs"] == "1"
        allowed = sum(1 << NUMBERS[name] for name in CAPABILITIES)
        assert {int(status[f"Cap{which}"], 16) for which in ("Eff", "Prm", "Bnd")} == {allowed}


def test_nothing_of_the_host_is_in_a_container_and_the_engines_filter_of_calls_stays(start):
    with start("sh") as sandbox:
        attributes = sandbox.container.attrs
        host = attributes["HostConfig"]
        assert [attributes["Mounts"], host["Binds"] or [], host["Devices"] or []] == [[], [], []]
        assert host["SecurityOpt"] == ["no-new-privileges"]  # seccomp and AppArmor as by default
        assert (host["PidMode"], host["UTSMode"], host["UsernsMode"]) == ("", "", "")
        assert (host["IpcMode"], host["NetworkMode"]) == ("private", "none")
        socket = sandbox.exec("ls /var/run/docker.sock /run/docker.sock", timeout=ENOUGH)
        assert socket.exit_code != 0


# https://man7.org/linux/man-pages/man7/capabilities.7.html, the numbers in linux/capability.h
NUMBERS = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "NET_BIND_SERVICE": 10,
}


def test_there_is_no_network_but_the_containers_own(start):
    with start() as sandbox:
        devices = sandbox.exec("tail -n +3 /proc/net/dev | cut -d : -f 1", timeout=ENOUGH)
        assert devices.output.split() == ["lo"]
        connect = "import socket; socket.create_connection(('192.0.2.1', 80), 5)"
        asked = sandbox.exec(f'python3 -c "{connect}"', timeout=ENOUGH)
        assert "Network is unreachable" in asked.output


def test_the_first_process_is_an_init_that_buries_orphans(start):
    with start("sh") as sandbox:
        assert "init" in sandbox.exec("tr '\\0' ' ' </proc/1/cmdline", timeout=ENOUGH).output
        sandbox.exec("(setsid sleep 0.1 &); (true &)", timeout=ENOUGH)
        time.sleep(0.5)
        dead = sandbox.exec("ps -eo stat,ppid | grep '^Z.* 1$'", timeout=ENOUGH)
        assert dead.output == ""


def test_labels_say_whose_a_container_is_and_it_is_gone_with_its_context(start, engine):
    with pytest.raises(ZeroDivisionError), start(role=Role.GRADING) as sandbox:
        labels = sandbox.container.labels
        assert {key: labels[f"swerun.{key}"] for key in ("run", "owner", "instance")} == {
            "run": OWN_RUN,
            "owner": "tests",
            "instance": "org__repo-1",
        }
        assert (labels["swerun.attempt"], labels["swerun.role"]) == ("3", "grading")
        assert "org__repo-1" in sandbox.container.name
        assert [one.id for one in leftovers(engine, run=OWN_RUN)] == [sandbox.container.id]
        _ = 1 / 0
    assert leftovers(engine, run=OWN_RUN) == ()


def test_each_role_has_its_own_profile(engine, images, docker_sandboxes):
    sandboxes = docker_sandboxes(environment={"WHO": "the agent"})
    for role, who in ((Role.AGENT, "the agent\n"), (Role.GRADING, "\n")):
        with sandboxes.start(a_task(images["sh"]), role=role, attempt=1) as sandbox:
            assert sandbox.exec("echo $WHO", timeout=ENOUGH).output == who


def test_an_image_that_is_not_there_is_said_to_be_missing(docker_sandboxes):
    task = a_task("swerun/test-nowhere:none")
    with (
        pytest.raises(ImageError, match="swerun/test-nowhere:none is not on this engine") as caught,
        docker_sandboxes().start(task, role=Role.AGENT, attempt=1),
    ):
        pass
    assert caught.value.retry, "it was there when the attempt began, and may be had again"


@pytest.mark.parametrize("workdir", ["/", "/tmp", "/testbed/sub", "/nowhere"])
def test_a_work_directory_that_is_no_repository_is_the_instances_fault(start, workdir):
    with (
        pytest.raises(InstanceError, match=f"{workdir} in the image"),
        start("sh", workdir=workdir),
    ):
        pass


# what serves its channel


@everywhere
def test_a_channel_is_served_by_python3_where_the_image_has_it_and_by_sh_where_not(sandbox, place):
    assert (sandbox._channel.served_by, sandbox._channel.shell) == (place.server, place.shell)


def test_the_testbed_environment_comes_first_and_its_python_does_not_serve_the_channel(start):
    with start("conda") as sandbox:
        assert sandbox._channel.served_by == "python3"
        seen = sandbox.exec("python3; echo $CONDA_PREFIX $CONDA_DEFAULT_ENV", timeout=ENOUGH)
        assert seen.output == "the python3 of testbed\n/opt/miniconda3/envs/testbed testbed\n"
        path = sandbox.exec("echo $PATH", timeout=ENOUGH).output
        assert path.startswith("/opt/miniconda3/envs/testbed/bin:/")


def test_commands_run_in_the_environment_of_the_tests_whatever_the_images_shells_are_set_up_to(
    start,
):
    prefix = "/opt/miniconda3/envs/testbed"
    with start("testbed") as sandbox:
        for command in (
            "python -c 'import sys; print(sys.prefix)'",
            "bash -c \"python -c 'import sys; print(sys.prefix)'\"",
            ". /opt/miniconda3/bin/activate testbed; python -c 'import sys; print(sys.prefix)'",
        ):
            assert sandbox.exec(command, timeout=ENOUGH).output == f"{prefix}\n"
        seen = sandbox.exec('pwd; echo "$CONDA_PREFIX|$GDAL_DATA|$SECOND"', timeout=ENOUGH)
        assert seen.output == f"/testbed\n{prefix}|{prefix}/a b|2\n"


def test_the_editor_works_in_a_container_and_what_it_makes_is_in_the_patch(start):
    with start("testbed") as sandbox:
        editor = Editor(sandbox, "/testbed", keep=10_000)

        def edit(command, path, **more):
            return editor.run({"command": command, "path": path} | more, timeout=ENOUGH)

        assert "lines 1 to 1 of 1]\n     1\tone" in edit("view", "link")
        assert "     1\ttwo" in edit("str_replace", "link", old_str="one", new_str="two")
        assert "is new" in edit("create", "/testbed/new/b.py", file_text="a\n")
        assert "/testbed/new/\n/testbed/new/b.py" in edit("view", ".")
        assert "cannot be written" in edit("create", "a.txt/b", file_text="")
        assert "binary file of 3 bytes" in edit("view", "binary")
        assert sandbox.exec("cat a.txt; ls -l link", timeout=ENOUGH).output.startswith("two\nl")
        assert {b"a.txt", b"new/b.py"} <= set(names(sandbox.changes()))
        assert "undone" in edit("undo_edit", "a.txt")
        assert sandbox.read_file("a.txt") == b"one\n"


@everywhere
def test_a_commands_environment_is_the_images_and_a_mark(sandbox, place, engine):
    image = engine.images.get(place.image).attrs["Config"]["Env"]
    shells_own = {"_", "SHLVL", "PWD", "OLDPWD", "HOME", "HOSTNAME", "SWERUN_COMMAND"}
    seen = sandbox.exec("env", timeout=ENOUGH).output.splitlines()
    assert {line for line in seen if line.split("=")[0] not in shells_own} == set(image)
    assert [line for line in seen if line.startswith("SWERUN")] == [
        f"SWERUN_COMMAND={sandbox._channel.mark}"
    ]


def test_sandboxes_work_beside_each_other(docker_sandboxes, images):
    sandboxes = docker_sandboxes()

    def work(name):
        with sandboxes.start(a_task(images["python3"]), role=Role.AGENT, attempt=1) as sandbox:
            return [
                sandbox.exec(f"echo {name} {i} | tee -a kept", timeout=ENOUGH).output
                for i in range(10)
            ] + [sandbox.read_file("kept").decode()]

    with ThreadPoolExecutor(4) as pool:
        for name, said in zip("abcd", pool.map(work, "abcd"), strict=True):
            assert said[:-1] == [f"{name} {i}\n" for i in range(10)]
            assert said[-1] == "".join(said[:-1])
