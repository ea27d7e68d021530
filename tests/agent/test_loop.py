"""The loop with a scripted model: what ends it, and what the model is shown."""

from __future__ import annotations

import hashlib
from threading import Event

import pytest

from swerun.agent.loop import BashAgent, Spent, exceeded
from swerun.agent.prompts import load_prompts
from swerun.errors import (
    ContextLengthError,
    EndpointBusyError,
    EndpointError,
    InputError,
    SandboxError,
    SandboxLostError,
)
from swerun.ports import ExecResult
from swerun.records import Call, Limits, Price, Reply, Stop, Usage
from tests.fakes import MALFORMED, EchoSandbox, ScriptedModel, a_reply, an_instance

TASK = an_instance().task


def used(input_tokens, output_tokens):
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens)


def solve(*replies, limits=None, sandbox=None, clock=lambda: 0.0, price=None):
    agent = BashAgent(load_prompts("tools"), limits or Limits(), clock, price)
    model, steps = ScriptedModel(replies), []
    running = agent.solve(TASK, sandbox or EchoSandbox(), model, Event())
    while True:
        try:
            steps.append(next(running))
        except StopIteration as done:
            return done.value, steps, model


@pytest.mark.parametrize(
    ("spent", "limits", "stop"),
    [
        (Spent(), Limits(), None),
        (Spent(steps=249), Limits(), None),
        (Spent(steps=250), Limits(), Stop.STEPS),
        (Spent(usage=used(10**9, 10**9), cost=1e9), Limits(), None),
        (Spent(usage=used(300, 200)), Limits(tokens=500), Stop.TOKENS),
        (Spent(usage=used(300, 200)), Limits(tokens=501), None),
        (Spent(usage=used(300, 200)), Limits(input_tokens=300), Stop.TOKENS),
        (Spent(usage=used(300, 200)), Limits(input_tokens=301, output_tokens=201), None),
        (Spent(usage=used(300, 200)), Limits(output_tokens=200), Stop.TOKENS),
        (Spent(cost=1.99), Limits(cost=2), None),
        (Spent(cost=2.0), Limits(cost=2), Stop.COST),
        (Spent(seconds=7200), Limits(), Stop.CLOCK),
        (Spent(malformed=5), Limits(), Stop.MALFORMED),
        (Spent(malformed=5, steps=250), Limits(), Stop.MALFORMED),
    ],
)
def test_the_first_limit_used_up_is_the_stop(spent, limits, stop):
    assert exceeded(spent, limits) is stop


def test_a_submission_ends_the_loop_and_is_a_step():
    stop, steps, _ = solve(a_reply("ls"), a_reply("submit"))
    assert (stop, len(steps)) == (Stop.SUBMITTED, 2)


def test_several_calls_of_a_reply_are_run_in_order_up_to_the_submission():
    sandbox = EchoSandbox()
    stop, steps, _ = solve(a_reply("one", "two", "submit", "never"), sandbox=sandbox)
    assert [command for command, _ in sandbox.ran] == ["one", "two"]
    assert (stop, len(steps[0].observations)) == (Stop.SUBMITTED, 2)


def test_what_was_said_and_seen_goes_into_the_next_request_and_history_only_grows():
    _, _, model = solve(a_reply("ls"), a_reply("pwd"), a_reply("submit"))
    first, second, third = model.heard
    assert [m.role for m in third] == ["system", "user", "assistant", "tool", "assistant", "tool"]
    assert second[: len(first)] == first
    assert third[: len(second)] == second
    assert third[3].content == "[exit code 0]\nls"
    assert third[3].call_id == "c0"


def test_the_model_is_told_the_issue_and_its_limits():
    _, _, model = solve(a_reply("submit"), limits=Limits(steps=7, command_seconds=9))
    told = model.heard[0][1].content
    assert "It is broken." in told
    assert "7 replies" in told
    assert "9 seconds" in told


def test_a_reply_without_a_call_is_answered_with_what_was_wrong():
    _, steps, model = solve(MALFORMED, a_reply("submit"))
    assert steps[0].observations[0].text == "There is no call in your reply."
    assert model.heard[1][-1].role == "tool"


def test_a_malformed_call_is_answered_and_the_others_are_run():
    wrong = Call(id="x", tool="bash", problem="`command` is missing.")
    good = Call(id="y", tool="bash", arguments={"command": "ls"})
    sandbox = EchoSandbox()
    _, steps, _ = solve(Reply(text="", calls=(wrong, good)), a_reply("submit"), sandbox=sandbox)
    assert [o.text for o in steps[0].observations] == ["`command` is missing.", "[exit code 0]\nls"]
    assert len(sandbox.ran) == 1


def test_malformed_replies_in_a_row_end_it_but_a_good_one_between_starts_anew():
    limits = Limits(malformed=2)
    stop, steps, _ = solve(MALFORMED, a_reply("ls"), MALFORMED, MALFORMED, limits=limits)
    assert (stop, len(steps)) == (Stop.MALFORMED, 4)


def test_a_conversation_too_long_for_the_model_is_a_stop():
    stop, steps, _ = solve(a_reply("ls"), ContextLengthError("8193 > 8192"))
    assert (stop, len(steps)) == (Stop.CONTEXT, 1)


def test_a_sandbox_that_dies_under_a_command_is_a_stop_and_the_command_is_kept():
    def dies():
        raise SandboxLostError("the container died")

    sandbox = EchoSandbox({"kill -9 -1": dies})
    stop, steps, _ = solve(a_reply("kill -9 -1", "ls"), sandbox=sandbox)
    assert stop is Stop.SANDBOX_LOST
    assert len(steps[0].observations) == 1
    assert "died" in steps[0].observations[0].text


def test_an_engine_that_fails_is_no_stop():
    def fails():
        raise SandboxError("the engine is gone")

    with pytest.raises(SandboxError):
        solve(a_reply("ls"), sandbox=EchoSandbox({"ls": fails}))


def test_an_endpoint_that_refuses_is_no_stop():
    with pytest.raises(EndpointError):
        solve(a_reply("ls"), EndpointError("401"))


def test_an_endpoint_that_is_busy_past_the_deadline_is_the_time_limit():
    now = iter([0.0, 3.0])
    stop, _, _ = solve(EndpointBusyError("503"), limits=Limits(seconds=2), clock=lambda: next(now))
    assert stop is Stop.CLOCK


def test_a_command_gets_no_more_time_than_the_attempt_has_left():
    sandbox = EchoSandbox()
    solve(a_reply("ls"), a_reply("submit"), limits=Limits(seconds=20), sandbox=sandbox)
    assert sandbox.ran == [("ls", 20.0)]


def test_a_long_observation_is_cut_in_the_middle_and_says_so():
    sandbox = EchoSandbox({"seq": lambda: ExecResult(0, "a" * 600 + "b" * 600)})
    limits = Limits(observation_chars=200)
    _, steps, _ = solve(a_reply("seq"), a_reply("submit"), limits=limits, sandbox=sandbox)
    text = steps[0].observations[0].text
    assert "1000 characters left out" in text
    assert text.startswith("[exit code 0]\n" + "a" * 100 + "\n")
    assert text.endswith("b" * 100)


def test_a_command_that_was_stopped_says_after_how_long():
    sandbox = EchoSandbox({"sleep 99": lambda: ExecResult(137, "", timed_out=True)})
    _, steps, _ = solve(a_reply("sleep 99"), a_reply("submit"), sandbox=sandbox)
    assert "after 60 seconds" in steps[0].observations[0].text


def test_the_two_protocols_are_told_apart_and_so_are_their_fingerprints():
    tools, text = load_prompts("tools"), load_prompts("text")
    assert "```bash" in text.opening(TASK, Limits())[0].content
    assert "```" not in tools.opening(TASK, Limits())[0].content
    assert tools.scaffold().prompt_hash != text.scaffold().prompt_hash


def test_an_attempt_stops_when_its_cost_limit_is_used_up():
    price = Price(input=100_000, output=500_000)  # a reply here reads 10 tokens and writes 2
    stop, steps, _ = solve(*[a_reply("ls")] * 9, limits=Limits(cost=5), price=price)
    assert (stop, len(steps)) == (Stop.COST, 3)


@pytest.mark.parametrize(
    ("price", "dollars"),
    [
        (Price(input=2, output=10), 2 * 1.0 + 10 * 0.5),
        (Price(input=2, output=10, cached=0.5), 2 * 0.2 + 0.5 * 0.8 + 10 * 0.5),
        (Price(input=0, output=0), 0),
    ],
)
def test_cached_tokens_are_part_of_the_input_and_have_a_price_of_their_own(price, dollars):
    usage = Usage(input_tokens=10**6, cached_tokens=8 * 10**5, output_tokens=5 * 10**5)
    assert price.of(usage) == pytest.approx(dollars)


HASHES = {"tools": "e7c96aea3fe424da", "text": "fb76348e0088d552"}
TOLD = {"tools": "58dbf380", "text": "05241d26"}  # what TASK's conversation begins with


@pytest.mark.parametrize(("protocol", "prompt_hash"), HASHES.items())
def test_the_default_scaffold_is_the_one_that_the_recordings_were_made_with(protocol, prompt_hash):
    prompts = load_prompts(protocol, limits=Limits(steps=9, context=9999))
    assert prompts.scaffold().prompt_hash == prompt_hash
    told = prompts.opening(TASK, Limits())
    text = "".join(message.content for message in told)
    assert hashlib.sha256(text.encode()).hexdigest()[:8] == TOLD[protocol]


def test_a_model_that_is_told_of_no_limits_has_another_fingerprint():
    untold = load_prompts("tools", tell_limits=False)
    said = untold.opening(TASK, Limits())[1].content
    assert "250" not in said
    assert said.endswith("Submit when the issue is solved.")
    assert untold.scaffold().prompt_hash != HASHES["tools"]


def test_limits_that_not_all_have_are_told_where_there_are_some():
    limits = Limits(output_tokens=9000, cost=1.5)
    said = load_prompts("tools", limits=limits).opening(TASK, limits)[1].content
    assert "may use at the most 9000 tokens of output, 1.5 dollars, and then the work ends" in said
    assert "after 60 seconds. All your replies" in said


@pytest.mark.parametrize("protocol", ["tools", "hermes", "qwen-xml"])
def test_the_editor_is_on_offer_only_in_its_toolset(protocol):
    with_edit, without = load_prompts(protocol, tools="bash,edit"), load_prompts(protocol)
    assert with_edit.scaffold().tools == ("bash", "edit", "submit")
    assert "str_replace" in with_edit.opening(TASK, Limits())[0].content
    assert "str_replace" not in without.opening(TASK, Limits())[0].content
    assert with_edit.scaffold().prompt_hash != without.scaffold().prompt_hash


def test_fenced_text_has_no_room_for_the_editor_and_says_what_has():
    with pytest.raises(InputError, match="--protocol hermes"):
        load_prompts("text", tools="bash,edit")


def test_a_prompt_of_the_users_and_not_telling_of_limits_exclude_each_other(tmp_path):
    file = tmp_path / "prompt.md"
    file.write_text("Solve it.")
    with pytest.raises(InputError, match="--no-tell-limits"):
        load_prompts("tools", file, tell_limits=False)
