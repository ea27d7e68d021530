"""What conversations began with, made again from a run's record, or not at all."""

from __future__ import annotations

import os

import pytest

from swerun.agent.prompts import load_prompts
from swerun.errors import InputError
from swerun.instances.hub import Hub
from swerun.instances.subsets import dataset_hash, load_instances
from swerun.openings import openings
from swerun.records import Limits
from tests.report.test_summary import a_run

INSTANCES = load_instances("sample")
ONE = INSTANCES[0]
LIMITS = Limits(steps=7)


def opened(tmp_path, prompts, **changes):
    changed = {"scaffold": prompts.scaffold(), "dataset_hash": dataset_hash(INSTANCES)}
    question = a_run().question.model_copy(update=changed | {"limits": LIMITS} | changes)
    run = a_run().model_copy(update={"question": question})
    return openings(run, Hub.of(os.environ, tmp_path))(ONE.id)


@pytest.mark.parametrize(
    ("protocol", "tools", "tell_limits"),
    [("tools", "bash", True), ("text", "bash", False), ("hermes", "bash,edit", True)],
)
def test_they_are_what_the_agent_was_told(tmp_path, protocol, tools, tell_limits):
    prompts = load_prompts(protocol, None, LIMITS, tools=tools, tell_limits=tell_limits)
    assert opened(tmp_path, prompts) == prompts.opening(ONE.task, LIMITS)


def test_none_is_made_up_of_another_prompt_agent_or_subset(tmp_path):
    prompts = load_prompts("tools", None, LIMITS)
    other = prompts.scaffold().model_copy(update={"prompt_hash": "0"})
    for changes, said in (
        ({"scaffold": other}, "the agent's prompt is none that this swerun has"),
        ({"scaffold": None}, "there was no agent"),
        ({"dataset_hash": "0"}, "has other instances now"),
        ({"unknown": ("limits.steps",)}, "nobody knows which limits"),
    ):
        with pytest.raises(InputError, match=said):
            opened(tmp_path, prompts, **changes)
