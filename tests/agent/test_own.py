"""Agents of the user's own: the one that the documentation shows, and those that are none."""

from __future__ import annotations

import re
from pathlib import Path
from threading import Event

import pytest

from swerun.agent.own import own_agent
from swerun.agent.prompts import load_prompts
from swerun.errors import InputError
from swerun.records import Limits, Stop
from tests.agent.test_loop import TASK
from tests.fakes import EchoSandbox, ScriptedModel, a_reply, drained

DOCS = Path(__file__).parents[2] / "docs" / "agents.md"


@pytest.fixture
def module(tmp_path):
    """module(name, text) -> the folder that it lies in."""

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        return tmp_path

    return write


def test_the_agent_of_the_documentation_works(module):
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert example.count("\n") <= 25
    folder = module("documented_agent", example)
    agent = own_agent("documented_agent:Hasty", folder).made(load_prompts("tools"), Limits())
    sandbox, model = EchoSandbox(), ScriptedModel([a_reply("ls", "submit")])
    stop, steps = drained(agent.solve(TASK, sandbox, model, Event()))
    assert stop is Stop.SUBMITTED
    assert [command for command, _ in sandbox.ran] == ["ls"]
    assert steps[0].observations[0].text == "ls"


def test_a_changed_agent_has_another_name_in_the_fingerprint(module):
    first = own_agent("first_agent:make", module("first_agent", "make = print\n")).name
    other = own_agent("other_agent:make", module("other_agent", "make = print  # new\n")).name
    assert first.startswith("first_agent:make@")
    assert first.partition("@")[2] != other.partition("@")[2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("from nowhere_at_all import agent\n", "cannot be imported"),
        ("def made(prompts, limits): ...\n", "has made"),
        ("make = 7\n", "has make"),
        ("def make(): ...\n", "takes prompts and limits"),
        ("def make(prompts, limits): return 7\n", "it returned int"),
    ],
)
def test_what_is_no_agent_is_refused_in_words(module, text, said):
    name = f"wrong_agent_{abs(hash(text))}"
    with pytest.raises(InputError, match=re.escape(said)):
        own_agent(f"{name}:make", module(name, text)).made(load_prompts("tools"), Limits())
