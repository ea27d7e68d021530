"""That nothing of an answer, of a key or of this machine is in what an agent works in."""

from __future__ import annotations

import json
import uuid

import pytest

from swerun.instances.subsets import load_instances
from tests.cli.swerun_process import Swerun
from tests.cli.test_agents import calling
from tests.models.endpoint import answering

pytestmark = pytest.mark.docker
INSTANCE = load_instances("sample")[0]
KEY = f"sk-{uuid.uuid4().hex}"
MARK = f"of-this-machine-{uuid.uuid4().hex}"
LONG = 20  # characters of a line that has to be somebody's own
# An agent that takes away all that it can lay hands on, and keeps it beside the runs.
AGENT = r"""
import pathlib
from swerun.records import Stop

COMMANDS = {
    "look": "env; set; cat /proc/*/environ /proc/*/cmdline /proc/*/mountinfo /etc/resolv.conf",
    "objects": "cd /testbed; git cat-file --batch-all-objects --batch",
    "net": "tail -n +3 /proc/net/dev | cut -d: -f1; ls /sys/class/net",
    "sockets": "find / -type s; tail -n +2 /proc/net/unix | cut -d / -f 2-",
    "usr": "find /usr -newer /testbed/.git/HEAD -type f",
}


class Thief:
    def __init__(self, prompts, limits):
        pass

    def solve(self, task, sandbox, model, cancel):
        taken = pathlib.Path("taken")
        taken.mkdir()
        for name, command in COMMANDS.items():
            sandbox.exec(f"{{ {command}\n}} >/tmp/it 2>/dev/null", timeout=60)
            (taken / name).write_bytes(sandbox.read_file("/tmp/it"))
        for top in sandbox.exec("rm /tmp/it; ls -A /", timeout=60).output.split():
            if top not in {"proc", "sys", "dev", "usr"}:
                chunks, _ = sandbox.container.get_archive(f"/{top}")
                (taken / f"{top}.tar").write_bytes(b"".join(chunks))
        return Stop.SUBMITTED
        yield
"""


@pytest.fixture(scope="module")
def swerun(tmp_path_factory, base_image):
    """One that has made an attempt with this agent."""
    swerun = Swerun(tmp_path_factory.mktemp("swerun"))
    (swerun.folder / "thief.py").write_text(AGENT)
    secrets = {"OPENAI_API_KEY": KEY, "HTTPS_PROXY": f"http://{MARK}:1", "MARK": MARK}
    with answering(calling("submit")) as server:
        by = ("--model", "m", "--base-url", server.url, "--agent", "thief:Thief")
        done = swerun(*by, "-i", INSTANCE.id, "--proxy", "--json", **secrets)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["stops"] == {"submitted": 1}
    return swerun


@pytest.fixture(scope="module")
def taken(swerun):
    return {path.name: path.read_bytes() for path in (swerun.folder / "taken").iterdir()}


def stripped(lines):
    return {line.strip() for line in lines if len(line.strip()) >= LONG}


def test_nothing_of_the_answer_is_in_the_agents_container(taken):
    answer = INSTANCE.answer
    patches = (answer.gold_patch + answer.test_patch).splitlines()
    own = stripped(line[1:] for line in patches if line[:1] == "+")
    there = stripped(line[1:] for line in patches if line[:1] in {" ", "-"})
    script = stripped(line.removeprefix("+") for line in answer.eval_script.splitlines())
    secret = (own | script) - there
    secret = {line for line in secret if line not in INSTANCE.task.problem_statement}
    assert len(secret) > 10
    assert [line for line in secret if any(line.encode() in d for d in taken.values())] == []


def test_neither_the_key_nor_anything_of_this_machine_is_there(taken, swerun):
    assert b"PATH=" in taken["look"]
    for secret in (KEY, MARK, str(swerun.folder)):
        assert [name for name, data in taken.items() if secret.encode() in data] == []


def test_the_agent_has_no_network_and_no_socket(taken):
    assert taken["net"].split() == [b"lo", b"lo"]
    assert taken["sockets"].strip() == b""


def test_nothing_was_put_beside_what_the_image_has(taken):
    assert taken["usr"].strip() == b""
    assert {name for name in taken if name.startswith((".", "tmp"))} <= {
        "tmp.tar",
        ".dockerenv.tar",
    }
