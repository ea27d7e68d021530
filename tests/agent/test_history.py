"""A conversation that comes near the context, in the loop: with a model that has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event

import pytest

from swerun.agent.history import History
from swerun.agent.loop import BashAgent
from swerun.agent.prompts import load_prompts
from swerun.errors import ContextLengthError
from swerun.ports import ExecResult, Message
from swerun.records import Call, Limits, Reply, Step, Stop, Usage
from tests.fakes import NOW, EchoSandbox, an_instance, drained

TASK = an_instance().task
TAKEN_OUT = "of this older result were taken out"


def size(messages: Sequence[Message]) -> int:
    """Tokens as this model has them: four characters each."""
    return sum(len(m.content) for m in messages) // 4


@dataclass
class SmallModel:
    """Asks for one thing after another, as long as the conversation fits; then says that it does
    not. It submits once it has done `steps`."""

    context: int
    steps: int = 20
    reports: bool = True
    heard: list[tuple[Message, ...]] = field(default_factory=list)
    refused: int = 0

    def reply(self, messages, *, deadline, cancel):
        used = size(messages)
        if used > self.context:
            self.refused += 1
            raise ContextLengthError(f"{used} > {self.context}")
        self.heard.append(tuple(messages))
        usage = Usage(input_tokens=used, output_tokens=5) if self.reports else Usage(unreported=1)
        call = Call(id="c", tool="bash", arguments={"command": f"print {len(self.heard)}"})
        if len(self.heard) > self.steps:
            call = Call(id="c", tool="submit")
        return Reply(text="I print.", calls=(call,), usage=usage)


@dataclass
class Printing(EchoSandbox):
    """Prints so many characters, whatever it is asked."""

    chars: int = 2000

    def exec(self, command, *, timeout):
        return ExecResult(0, f"{command}\n" + "x" * self.chars)


def solve(model, chars=2000, **limits):
    agent = BashAgent(load_prompts("tools"), Limits(**limits), clock=lambda: 0.0)
    return drained(agent.solve(TASK, Printing(chars=chars), model, Event()))


def rewritten(model: SmallModel) -> list[int]:
    """The requests (from 0) that do not begin with the one before."""
    pairs = enumerate(zip(model.heard, model.heard[1:], strict=False), 1)
    return [number for number, (before, after) in pairs if after[: len(before)] != before]


@pytest.mark.parametrize("reports", [True, False])
def test_a_known_context_is_never_run_into_and_the_oldest_results_are_shortened_in_batches(reports):
    model = SmallModel(context=6000, reports=reports)
    stop, steps = solve(model, context=6000)
    assert (stop, len(steps), model.refused) == (Stop.SUBMITTED, 21, 0)
    batches = [step.shortened for step in steps if step.shortened]
    assert rewritten(model) == [step.index for step in steps if step.shortened]
    assert 1 <= len(batches) <= 4
    assert all(len(batch) > 2 for batch in batches)
    # one after another from the first on, and none of them twice
    flat = [number for batch in batches for number in batch]
    assert flat == list(range(len(flat)))


def test_what_was_shortened_is_said_to_the_model_and_in_the_trajectory():
    model = SmallModel(context=6000)
    _, steps = solve(model, context=6000)
    first = next(step for step in steps if step.shortened)
    results = [m for m in model.heard[first.index] if m.role == "tool"]
    told = [number for number, m in enumerate(results) if TAKEN_OUT in m.content]
    assert tuple(told) == first.shortened
    assert results[-1].content.endswith("xxx")  # the newest is whole
    assert TAKEN_OUT not in "".join(m.content for m in model.heard[first.index - 1])


def test_a_context_that_nobody_knew_is_learnt_from_the_first_refusal():
    model = SmallModel(context=6000)
    stop, steps = solve(model)
    assert stop is Stop.SUBMITTED
    assert len(steps) == 21
    assert model.refused == 1
    assert any(step.shortened for step in steps)


def test_a_context_that_is_smaller_than_was_said_is_learnt_too():
    model = SmallModel(context=3000)
    stop, _ = solve(model, context=6000)
    assert stop is Stop.SUBMITTED
    assert 1 <= model.refused <= 3


def test_a_result_that_does_not_fit_even_alone_is_shortened_as_the_last_resort():
    model = SmallModel(context=1500, steps=3)
    stop, steps = solve(model, chars=6000, context=1500)
    assert stop is Stop.SUBMITTED
    assert steps[1].shortened == (0,)


@pytest.mark.parametrize("known", [True, False])
def test_where_shortening_is_not_enough_the_attempt_stops_with_its_steps_kept(known):
    model = SmallModel(context=1200, steps=100)
    stop, steps = solve(model, **({"context": 1200} if known else {}))
    assert stop is Stop.CONTEXT
    assert len(steps) > 5


def test_an_endpoint_that_forgets_the_beginning_in_silence_is_not_asked_past_the_context():
    model = SmallModel(context=10**9, steps=100)
    stop, _ = solve(model, context=1200)
    assert stop is Stop.CONTEXT
    assert max(map(size, model.heard)) < 1200


def test_short_results_alone_are_never_touched():
    model = SmallModel(context=1200, steps=100)
    stop, steps = solve(model, chars=50, context=1200)
    assert stop is Stop.CONTEXT
    assert not any(step.shortened for step in steps)


def test_the_size_is_what_the_endpoint_counted_and_what_came_since():
    history = History([Message("user", "a" * 3000)])
    call = Call(id="c", tool="bash", arguments={"command": "ls"})
    reply = Reply(text="b" * 30, calls=(call,), usage=Usage(input_tokens=1500, output_tokens=40))
    step = Step.model_validate(
        {
            "index": 0,
            "at": NOW,
            "reply": reply,
            "observations": [{"call_id": "c", "text": "c" * 80}],
        }
    )
    history.add(step)
    assert history.tokens == 1500 + 40 + 80 / 2
