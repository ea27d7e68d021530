"""Programs that are let into a container beside its channel: what they have, and how they end."""

from __future__ import annotations

import pytest

from swerun.errors import SandboxLostError
from swerun.records import Role
from swerun.sandbox.entrance import LATE, Ended, Entrance
from tests.sandbox.conftest import CONTAINERS, a_task

pytestmark = pytest.mark.docker
ENOUGH = 60.0
shared = pytest.mark.parametrize("place", CONTAINERS[:1], indirect=True)
OWN = {"SWERUN_COMMAND", "_", "SHLVL", "OLDPWD"}  # the channel's mark, and each shell's own matter
ASKED = "pwd; id; echo $0; tr '\\0' '\\n' </proc/self/environ"


@pytest.fixture
def start(docker_sandboxes, images):
    def started(image="python3", **profile):
        task = a_task(images[image])
        return docker_sandboxes(**profile).start(task, role=Role.AGENT, attempt=1)

    return started


def ran(sandbox, command, timeout=ENOUGH):
    """How it ended, and what it printed."""
    output = bytearray()
    ended = Entrance.of(sandbox).run(command, output.extend, timeout=timeout)
    return ended, bytes(output)


def told(output):
    lines = output.splitlines()
    return lines[:3], {line for line in lines[3:] if line.partition("=")[0] not in OWN}


@pytest.mark.parametrize(
    ("image", "profile"),
    [
        ("python3", {"user": "0:4"}),
        ("bare", {}),
        ("testbed", {"environment": {"NAME": "a b\nc", "PYTHONPATH": "x"}}),
    ],
)
def test_a_program_has_the_folder_user_shell_and_environment_that_commands_have(
    start, image, profile
):
    with start(image, **profile) as sandbox:
        as_command = sandbox.exec(ASKED, timeout=ENOUGH).output
        ended, output = ran(sandbox, ASKED)
    assert ended == Ended(0)
    assert told(output.decode()) == told(as_command)
    assert "/testbed" in as_command


@shared
def test_output_is_bytes_of_both_streams_and_the_input_is_empty(sandbox):
    ended, output = ran(sandbox, r"cat; printf '\377\000'; echo bad >&2; exit 3")
    assert (ended, output) == (Ended(3), b"\xff\x00bad\n")


@shared
def test_more_than_commands_may_print_arrives_in_whole_and_as_it_comes(sandbox):
    pieces = []
    ended = Entrance.of(sandbox).run("head -c 9000000 /dev/zero", pieces.append)
    assert (ended, sum(map(len, pieces))) == (Ended(0), 9_000_000)
    assert len(pieces) > 1


def test_what_a_program_leaves_running_does_not_keep_it_from_ending(start):
    with start() as sandbox:
        assert ran(sandbox, "sleep 600 & echo up") == (Ended(0), b"up\n")


@shared
def test_at_its_limit_a_program_is_left_with_what_it_printed_until_then(sandbox):
    assert ran(sandbox, "echo up; sleep 600", 4) == (Ended(LATE, timed_out=True), b"up\n")


def test_a_program_that_ends_its_container_has_no_exit_code(start):
    with start() as sandbox, pytest.raises(SandboxLostError, match="ended during 'kill -9 -1"):
        ran(sandbox, "kill -9 -1; sleep 600")


@shared
def test_a_program_that_is_killed_in_a_container_that_lives_has_one(sandbox):
    assert ran(sandbox, "kill -9 $$") == (Ended(137), b"")


def test_where_the_work_directory_is_gone_it_is_said(start):
    with start() as sandbox:
        sandbox.exec("rm -rf /testbed", timeout=ENOUGH)
        ended, output = ran(sandbox, "echo there")
    assert ended == Ended(0)
    assert b"/testbed" in output
    assert output.endswith(b"there\n")
