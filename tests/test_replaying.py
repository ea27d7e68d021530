"""Recorded steps done again by agents that know nothing of it, and what comes after them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from threading import Event

import pytest

from swerun.agent.loop import BashAgent
from swerun.agent.own import own_agent
from swerun.agent.prompts import load_prompts
from swerun.errors import ContextLengthError, InputError, RecordingOverError
from swerun.ports import ExecResult, Planned
from swerun.records import Limits, Observation, Question, Resources, Sampling, Scaffold, Stop
from swerun.replaying import Difference, Nobody, ReplayingAgent, difference
from swerun.sandbox.local import LocalSandboxes
from swerun.scaffolding import rebuilt
from swerun.solve import AgentSolver
from tests.fakes import EchoSandbox, ScriptedModel, a_reply, an_instance, drained

INSTANCE = an_instance()
TASK = INSTANCE.task
PROMPTS = load_prompts("tools")
REPLIES = (a_reply("one"), a_reply("two", "three"), a_reply("four"), a_reply("submit"))


@dataclass
class Watch:
    """A clock that goes on by a second with each look at it, and by what one adds."""

    seconds: float = 0.0

    def __call__(self):
        self.seconds += 1.0
        return self.seconds


@dataclass
class Slow(EchoSandbox):
    """Each command takes so long, by a watch."""

    watch: Watch = field(default_factory=Watch)
    takes: float = 0.0

    def exec(self, command, *, timeout):
        self.watch.seconds += self.takes
        return super().exec(command, timeout=timeout)


def bash(clock=lambda: 0.0, **limits):
    return BashAgent(PROMPTS, Limits(**limits), clock)


def solved(agent, model, sandbox=None):
    return drained(agent.solve(TASK, sandbox or EchoSandbox(), model, Event()))


@pytest.fixture
def recorded():
    _, steps = solved(bash(), ScriptedModel(REPLIES))
    return steps


def test_recorded_calls_are_carried_out_again_and_then_the_live_model_is_asked(recorded):
    sandbox, live = EchoSandbox(), ScriptedModel([a_reply("five"), a_reply("submit")])
    stop, steps = solved(ReplayingAgent(bash(), recorded[:2], 4), live, sandbox)
    assert [command for command, _ in sandbox.ran] == ["one", "two", "three", "five"]
    assert stop is Stop.SUBMITTED
    assert [step.reply.replayed for step in steps] == [4, 4, None, None]
    assert [step.differs for step in steps] == [False] * 4


def test_the_live_model_is_shown_what_it_would_have_been_without_an_end(recorded):
    whole, rest = ScriptedModel(REPLIES), ScriptedModel(REPLIES[2:])
    solved(bash(), whole)
    solved(ReplayingAgent(bash(), recorded[:2], 1), rest)

    def told(messages):
        return [(m.role, m.content, m.call_id) for m in messages]

    assert told(rest.heard[0]) == told(whole.heard[2])


def test_another_model_is_shown_what_was_said_and_called_and_nothing_only_the_first_understands(
    recorded,
):
    call = {"id": "c0", "type": "function", "function": {"name": "bash"}, "extra_content": "sealed"}
    raw = {"role": "assistant", "content": "Hm.", "tool_calls": [call], "reasoning": "Thought."}
    reply = recorded[0].reply.model_copy(update={"raw": raw})
    step = recorded[0].model_copy(update={"reply": reply})
    for anew in (False, True):
        live = ScriptedModel([a_reply("submit")])
        solved(ReplayingAgent(bash(), [step], 1, anew), live)
        shown = live.heard[0][2].reply.raw
        assert shown.get("reasoning") == (None if anew else "Thought.")
        assert shown["tool_calls"][0].get("extra_content") == (None if anew else "sealed")
        assert (shown["content"], shown["tool_calls"][0]["id"]) == ("Hm.", "c0")


def test_a_reply_that_was_replayed_before_is_still_that_of_the_attempt_that_paid_for_it(recorded):
    first = ReplayingAgent(bash(), recorded[:1], 1)
    _, steps = solved(first, ScriptedModel(REPLIES[1:]))
    _, steps = solved(ReplayingAgent(bash(), steps[:3], 2), ScriptedModel(REPLIES[3:]))
    assert [step.reply.replayed for step in steps] == [1, 2, 2, None]


def test_without_a_live_model_the_end_of_the_recording_is_told(recorded):
    running = ReplayingAgent(bash(), recorded[:2], 1).solve(TASK, EchoSandbox(), Nobody(), Event())
    assert len(list(islice(running, 2))) == 2
    with pytest.raises(RecordingOverError):
        next(running)


def test_what_came_out_otherwise_is_marked_and_can_be_told(recorded):
    sandbox = EchoSandbox(on={"three": lambda: ExecResult(1, "no such file")})
    _, steps = solved(ReplayingAgent(bash(), recorded, 1), Nobody(), sandbox)
    assert [step.differs for step in steps] == [False, True, False, False]
    found = difference(recorded[1], steps[1])
    assert isinstance(found, Difference)
    assert found.step == 1
    assert found.recorded[0] == found.came[0]
    assert "no such file" in found.came[1]
    assert "three" in found.recorded[1]


def test_an_agent_of_ones_own_is_replayed_as_well(tmp_path, recorded):
    (tmp_path / "again_agent.py").write_text(
        "from datetime import UTC, datetime\n"
        "from swerun.records import Observation, Step, Stop\n"
        "class Own:\n"
        "    def __init__(self, prompts, limits): self.prompts, self.limits = prompts, limits\n"
        "    def solve(self, task, sandbox, model, cancel):\n"
        "        for index in range(9):\n"
        "            reply = model.reply([], deadline=None, cancel=cancel)\n"
        "            seen = []\n"
        "            for call in reply.calls:\n"
        "                if call.tool == 'submit':\n"
        "                    yield Step(index=index, at=datetime.now(UTC), reply=reply)\n"
        "                    return Stop.SUBMITTED\n"
        "                done = sandbox.exec(call.arguments['command'], timeout=5)\n"
        "                seen.append(Observation(call_id=call.id, text=done.output))\n"
        "            now = datetime.now(UTC)\n"
        "            yield Step(index=index, at=now, reply=reply, observations=seen)\n"
    )
    own = own_agent("again_agent:Own", tmp_path).made(PROMPTS, Limits())
    _, steps = solved(own, ScriptedModel(REPLIES))
    sandbox = EchoSandbox()
    stop, again = solved(ReplayingAgent(own, steps, 1), Nobody(), sandbox)
    assert [command for command, _ in sandbox.ran] == ["one", "two", "three", "four"]
    assert (stop, [s.differs for s in again]) == (Stop.SUBMITTED, [False] * 4)


def timed(step, reply, command):
    """A step whose reply took so many seconds, and each of its commands."""
    seen = [o.model_copy(update={"seconds": command}) for o in step.observations]
    said = step.reply.model_copy(update={"seconds": reply})
    return step.model_copy(update={"reply": said, "observations": tuple(seen)})


def test_doing_steps_again_slowly_does_not_end_an_attempt_by_its_time(recorded):
    watch = Watch()
    steps = [timed(step, 1.0, 1.0) for step in recorded[:3]]
    agent = ReplayingAgent(bash(watch, seconds=100), steps, 1)
    stop, _ = solved(agent, ScriptedModel([a_reply("submit")]), Slow(watch=watch, takes=500.0))
    assert stop is Stop.SUBMITTED


def test_time_that_recorded_steps_took_is_used_up(recorded):
    steps = [timed(step, 90.0, 10.0) for step in recorded[:2]]
    agent = ReplayingAgent(bash(Watch(), seconds=150), steps, 1)
    stop, done = solved(agent, ScriptedModel([]))
    assert (stop, len(done)) == (Stop.CLOCK, 2)


def test_the_deadline_of_live_requests_is_by_the_clock_that_they_are_asked_by(recorded):
    watch, heard = Watch(), []

    class Asked:
        def reply(self, messages, *, deadline, cancel):
            heard.append(deadline - watch.seconds)
            return a_reply("submit")

    steps = [timed(step, 10.0, 10.0) for step in recorded[:1]]
    sandbox = Slow(watch=watch, takes=500.0)
    solved(ReplayingAgent(bash(watch, seconds=100), steps, 1), Asked(), sandbox)
    assert heard == [pytest.approx(80, abs=5)]


def test_tokens_of_recorded_steps_count_for_the_limits(recorded):
    agent = ReplayingAgent(bash(tokens=24), recorded[:2], 1)
    assert solved(agent, ScriptedModel([]))[0] is Stop.TOKENS


def test_results_are_shortened_where_the_recorded_endpoint_asked_for_it():
    long = {"one": lambda: ExecResult(0, "x" * 5000), "two": lambda: ExecResult(0, "y" * 5000)}
    said = [a_reply("one"), a_reply("two"), ContextLengthError("full"), a_reply("three")]
    whole = ScriptedModel([*said, a_reply("four"), a_reply("submit")])
    _, steps = solved(bash(), whole, EchoSandbox(on=long))
    assert steps[2].shortened
    rest = ScriptedModel([a_reply("submit")])
    _, again = solved(ReplayingAgent(bash(), steps[:4], 1), rest, EchoSandbox(on=long))
    assert [step.shortened for step in again] == [step.shortened for step in steps]
    assert [m.content for m in rest.heard[0]] == [m.content for m in whole.heard[-1]]
    larger = ScriptedModel([a_reply("submit")])
    solved(ReplayingAgent(bash(), steps[:4], 1, refuses=False), larger, EchoSandbox(on=long))
    assert "x" * 5000 in larger.heard[0][3].content  # a fork's model may have more room


def solved_in(repo, replies, planned):
    """What is kept of a solving, and its steps."""
    steps, model = [], ScriptedModel(replies)
    solver = AgentSolver(LocalSandboxes(repo), bash(), lambda _: model, Event())
    return solver.solve(planned, "", steps.append), steps


def test_what_was_replayed_is_kept_apart_in_what_is_solved(repo):
    said = [a_reply("echo 'x = 2' > a.py"), a_reply("cat a.py"), a_reply("submit")]
    first, (one, two, _) = solved_in(repo, said, Planned(INSTANCE, 1))
    two = two.model_copy(update={"observations": (Observation(call_id="c0", text="?"),)})
    planned = Planned(INSTANCE, 2, of=1, at=2, recorded=(one, two))
    again, _ = solved_in(repo, said[2:], planned)
    assert again.patch == first.patch
    assert again.solved.usage == first.solved.usage
    assert again.solved.replayed.steps == 2
    assert again.solved.replayed.usage.total == 24
    assert again.solved.replayed.differs == (1,)
    assert again.solved.replay_differs == 1
    assert first.solved.replayed is None


def question(scaffold):
    return Question(
        model="m", dataset_hash="", scaffold=scaffold, sampling=Sampling(), limits=Limits(),
        resources=Resources(), network="none", grade_network="none", grading="1",
    )  # fmt: skip


def test_the_agent_of_a_run_is_made_again_from_what_it_asks(recorded):
    agent = rebuilt(question(PROMPTS.scaffold()))
    stop, again = solved(ReplayingAgent(agent, recorded, 1), Nobody())
    assert (stop, len(again)) == (Stop.SUBMITTED, len(recorded))


@pytest.mark.parametrize(
    ("scaffold", "said"),
    [
        (None, "the patches were given"),
        (
            Scaffold(agent="command:true", prompt_hash="", protocol="none", tools=()),
            "command in the container",
        ),
    ],
)
def test_what_has_no_steps_of_its_own_is_refused_in_words(scaffold, said):
    with pytest.raises(InputError, match=said):
        rebuilt(question(scaffold))
