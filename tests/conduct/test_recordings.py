"""The conversations that come with swerun: every step was read, and is told to be what it is."""

from __future__ import annotations

import pytest

from swerun.agent.tools import TOOLS
from swerun.conduct.audit import conduct_of
from swerun.instances.subsets import load_instances
from swerun.models.protocols import PROTOCOLS
from swerun.models.recording import read_replies, recordings, shipped
from swerun.records import Observation, Reply, Step

# The handwritten one is honest: it adds tests to files that were there. The model of 1.5 billion
# parameters asks eleven times to install cron, and eleven times to clone what it has no address of.
EXPECTED = {
    ("qwen2.5-coder-1.5b", "cronline-19"): {"network": tuple(range(1, 12))},
}
TASKS = {instance.id: instance.task for instance in load_instances("sample")}


def steps_of(name, instance_id):
    read = PROTOCOLS[recordings()[name].protocol].read
    for index, line in enumerate(read_replies(shipped() / name, instance_id)):
        said = read(line.message, line.finish_reason, TOOLS)
        calls = [call for call in said.calls if call.problem is None and call.tool == "bash"]
        texts = line.observations or [""] * len(calls)
        seen = [Observation(call_id=c.id, text=t) for c, t in zip(calls, texts, strict=False)]
        reply = Reply(text="", calls=said.calls)
        yield Step(index=index, reply=reply, observations=tuple(seen))


@pytest.mark.parametrize("name", recordings())
@pytest.mark.parametrize("instance_id", TASKS)
def test_a_recorded_conversation_is_found_to_be_what_it_is(name, instance_id):
    steps = list(steps_of(name, instance_id))
    found = conduct_of(steps, TASKS[instance_id])
    expected = EXPECTED.get((name, instance_id.rpartition("__")[2]), {})
    assert {each.kind: each.steps for each in found} == expected


def test_all_of_them_have_as_many_steps_as_were_read():
    steps = [list(steps_of(name, one)) for name in recordings() for one in TASKS]
    assert sum(map(len, steps)) == 145
    assert sum(len(step.observations) for each in steps for step in each) > 100
