"""An agent that is a command: what it is given, what is recorded, how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from swerun.agent.command import CommandAgent
from swerun.errors import SandboxError, SandboxLostError
from swerun.ports import ExecResult
from swerun.records import Limits, Role, Stop
from swerun.sandbox.local import LocalSandboxes
from tests.agent.test_loop import TASK
from tests.fakes import drained


@dataclass
class Container:
    """Takes files, and does what `then` says of a command, or raises it."""

    then: ExecResult | SandboxError | None = None
    files: dict[str, bytes] = field(default_factory=dict)
    ran: list[tuple[str, float]] = field(default_factory=list)

    def write_file(self, path, data):
        self.files[path] = data

    def exec(self, command, *, timeout):
        self.ran.append((command, timeout))
        if self.then is None:
            raise SandboxLostError("out of memory")
        if isinstance(self.then, SandboxError):
            raise self.then
        return self.then


def solve(sandbox, command="fix", hushed=lambda text: text, **variables):
    agent = CommandAgent(command, Limits(seconds=9), variables, hushed)
    return drained(agent.solve(TASK, sandbox, None, None))


@pytest.mark.parametrize(
    ("result", "stop", "said"),
    [
        (ExecResult(0, "fixed it"), Stop.SUBMITTED, "[exit code 0]\nfixed it"),
        (ExecResult(3, "no key"), Stop.AGENT_FAILED, "[exit code 3]\nno key"),
        (ExecResult(124, "", timed_out=True), Stop.CLOCK, "was not done after 9 seconds"),
        (None, Stop.SANDBOX_LOST, "The sandbox died"),
    ],
)
def test_what_it_printed_is_one_step_and_its_end_is_the_stop(result, stop, said):
    sandbox = Container(result)
    ended, (step,) = solve(sandbox)
    assert ended is stop
    assert said in step.observations[0].text
    assert step.reply.calls[0].arguments == {"command": "fix"}
    assert step.reply.usage.unreported == 1
    assert sandbox.ran[0][1] == 9


def test_it_finds_the_issue_in_a_file_and_the_endpoint_in_its_environment(tmp_path):
    (tmp_path / "a").write_text("")
    command = 'cat "$SWERUN_PROBLEM"; echo " $OPENAI_BASE_URL $SWERUN_MODEL"'
    given = {"OPENAI_BASE_URL": "http://host:8000/v1?a=b c", "SWERUN_MODEL": "it's"}
    with LocalSandboxes(tmp_path).start(TASK, role=Role.AGENT, attempt=1) as sandbox:
        _, (step,) = solve(sandbox, command, **given)
    text = step.observations[0].text
    assert text.endswith("It is broken. http://host:8000/v1?a=b c it's")


def test_a_key_that_it_prints_is_not_recorded():
    sandbox = Container(ExecResult(1, "401: sk-secret is wrong"))
    _, (step,) = solve(sandbox, hushed=lambda text: text.replace("sk-secret", "[the key]"))
    assert "sk-secret" not in step.model_dump_json()
    assert "401: [the key] is wrong" in step.observations[0].text


def test_a_key_is_not_in_what_is_said_of_a_container_that_is_gone():
    gone = Container(SandboxError("the container is gone after 'export KEY=sk-secret'"))
    with pytest.raises(SandboxError, match=r"export KEY=\[the key\]") as caught:
        solve(gone, hushed=lambda text: text.replace("sk-secret", "[the key]"))
    assert caught.value.__suppress_context__
