"""A run as mini-swe-agent's trajectories, and what comes back of it when it is read."""

from __future__ import annotations

import json

import pytest

from swerun.exchange.folders import write_folder
from swerun.exchange.peers import find
from swerun.exchange.trajectories import mini_files
from swerun.ports import Message
from swerun.records import (
    Call,
    Grade,
    GradeReason,
    Limits,
    Observation,
    Reply,
    Sampling,
    Scaffold,
    Step,
    Stop,
    Usage,
)
from tests.exchange.stored import NO_PATCH, Done, stored
from tests.fakes import NOW, files_below
from tests.report.test_summary import a_run

EDIT = {"command": "view", "path": "/a"}
STEPS = (
    Step(
        index=0,
        at=NOW,
        reply=Reply(
            text="I look.",
            reasoning="Hm.",
            calls=(
                Call(id="1", tool="bash", arguments={"command": "ls"}),
                Call(id="2", tool="edit", arguments=EDIT),
                Call(id="3", tool="bash", arguments={"cmd": 1}, problem="no command in it"),
            ),
            finish_reason="tool_calls",
            usage=Usage(input_tokens=9, cached_tokens=4, output_tokens=3, reasoning_tokens=1),
            model="served",
        ),
        observations=(
            Observation(call_id="1", text="[exit code 2]\na", exit_code=2),
            Observation(call_id="2", text="1\tx"),
            Observation(call_id="3", text="no command in it"),
        ),
    ),
    Step(
        index=1,
        at=NOW.replace(second=3),
        reply=Reply(
            text="Done?", problem="There is no call in your reply.", usage=Usage(unreported=1)
        ),
        observations=(Observation(call_id="", text="There is no call in your reply."),),
    ),
    Step(
        index=2,
        at=None,
        reply=Reply(text="", calls=(Call(id="4", tool="submit"),), usage=Usage(unreported=1)),
    ),
)
GRADE = Grade(resolved=True, reason=GradeReason.RESOLVED)


def a_store(root, protocol, *more, **changes):
    scaffold = Scaffold(prompt_hash="h", protocol=protocol, tools=("bash", "edit", "submit"))
    changed = {
        "scaffold": scaffold,
        "limits": Limits(steps=7),
        "sampling": Sampling(temperature=0.5),
    }
    question = a_run().question.model_copy(update=changed)
    done = Done("org__repo-1", GRADE, b"log", steps=STEPS, **changes)
    return stored(root / "runs", done, *more, question=question)


@pytest.mark.parametrize("protocol", ["tools", "hermes"])
@pytest.mark.parametrize("stop", [Stop.SUBMITTED, Stop.STEPS, Stop.SANDBOX_LOST])
def test_what_is_written_is_read_as_it_was(tmp_path, protocol, stop):
    store = a_store(tmp_path, protocol, stop=stop)
    write_folder(tmp_path / "out", mini_files(store))
    found = find(tmp_path / "out")
    (told,) = found.told(frozenset({"org__repo-1"}))
    assert (told.stop, found.predictions.model, told.seconds) == (stop, "m", 3)
    assert len(told.steps) == len(STEPS)
    for was, now in zip(STEPS, told.steps, strict=True):
        assert now.observations == was.observations
        assert [(c.id, c.tool, c.arguments) for c in now.reply.calls] == [
            (c.id, c.tool, c.arguments)
            for c in was.reply.calls
            if protocol == "tools" or c.problem is None
        ]
        same = ("text", "reasoning", "finish_reason", "usage", "model")
        assert [getattr(now.reply, k) for k in same] == [getattr(was.reply, k) for k in same]
        assert now.at == was.at
    question, peer = store.record().question, found.predictions.peer
    assert (peer.scaffold, peer.sampling) == (question.scaffold, question.sampling)
    assert peer.limits(Limits()) == question.limits
    assert peer.unknown == ("network",)


def test_what_a_conversation_began_with_is_said_before_it_and_is_no_step(tmp_path):
    store = a_store(tmp_path, "tools")
    opening = [Message("system", "You are helpful."), Message("user", "Fix it.")]
    write_folder(tmp_path / "out", mini_files(store, lambda _: opening))
    (path,) = tmp_path.glob("out/*/*.traj.json")
    messages = json.loads(path.read_text())["messages"]
    assert messages[:2] == [
        {"role": "system", "content": "You are helpful."},
        {"role": "user", "content": "Fix it."},
    ]
    (told,) = find(tmp_path / "out").told(frozenset({"org__repo-1"}))
    assert len(told.steps) == len(STEPS)


def test_a_patch_that_is_no_utf_8_is_handed_on_as_predictions_have_it(tmp_path):
    write_folder(tmp_path / "out", mini_files(a_store(tmp_path, "tools")))
    patch = find(tmp_path / "out").predictions.patches["org__repo-1"]
    assert patch.decode().endswith("+\ufffd\n")


def test_it_is_a_folder_of_mini_swe_agent_and_not_more(tmp_path):
    failed, empty = Done("org__repo-2"), Done("org__repo-3", NO_PATCH, patch=b"")
    given = Done("org__repo-4", GRADE, steps=(), stop=Stop.GIVEN)
    store = a_store(tmp_path, "tools", failed, empty, given)
    write_folder(tmp_path / "out", mini_files(store))
    assert set(files_below(tmp_path / "out")) == {
        "org__repo-1/org__repo-1.traj.json",
        "org__repo-3/org__repo-3.traj.json",
        "preds.json",
    }
    preds = json.loads((tmp_path / "out" / "preds.json").read_text())
    assert set(preds) == {"org__repo-1", "org__repo-3", "org__repo-4"}
    assert preds["org__repo-3"] == {
        "model_name_or_path": "m",
        "instance_id": "org__repo-3",
        "model_patch": "",
    }


def test_the_words_are_mini_swe_agents(tmp_path):
    write_folder(tmp_path / "out", mini_files(a_store(tmp_path, "tools", stop=Stop.STEPS)))
    path = tmp_path / "out/org__repo-1/org__repo-1.traj.json"
    whole = json.loads(path.read_text())
    assert set(whole) == {"info", "messages", "trajectory_format", "instance_id"}
    assert whole["trajectory_format"] == "mini-swe-agent-1.1"
    info = whole["info"]
    assert info["model_stats"] == {"api_calls": 3}, "nobody knows the cost, so there is none"
    assert info["exit_status"] == "LimitsExceeded"
    assert info["config"]["agent"]["step_limit"] == 7
    assert info["config"]["model"] == {"model_name": "m", "model_kwargs": {"temperature": 0.5}}
    assert "mini_version" not in info, "it was not made by it"
    roles = [message["role"] for message in whole["messages"]]
    assert roles == [
        *("assistant", "tool", "tool", "tool"),
        *("assistant", "user", "assistant", "exit"),
    ]
    first, complaint = whole["messages"][0], whole["messages"][5]
    assert first["extra"]["actions"][0] == {"command": "ls", "tool_call_id": "1"}
    assert [a["command"] for a in first["extra"]["actions"][1:]] == [f"edit {json.dumps(EDIT)}"]
    assert first["tool_calls"][0]["function"] == {"name": "bash", "arguments": '{"command": "ls"}'}
    assert first["extra"]["response"]["usage"]["prompt_tokens"] == 9
    assert "usage" not in whole["messages"][4]["extra"]["response"]
    assert complaint["extra"]["interrupt_type"] == "FormatError"


def test_what_nobody_knows_of_a_run_that_was_made_elsewhere_is_not_written_as_if_it_were(tmp_path):
    store = a_store(tmp_path, "tools")
    path = store.folder / "run.json"
    question = store.record().question.model_copy(update={"unknown": ("limits.steps", "network")})
    changed = store.record().model_copy(update={"question": question})
    path.write_text(changed.model_dump_json())
    write_folder(tmp_path / "out", mini_files(store))
    whole = json.loads((tmp_path / "out/org__repo-1/org__repo-1.traj.json").read_text())
    assert "step_limit" not in whole["info"]["config"]["agent"]
    found = find(tmp_path / "out").predictions.peer
    assert {"limits.steps", "network"} <= set(found.unknown)
