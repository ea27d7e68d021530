"""What peers write of an attempt is read as swerun would have written it, as far as they say."""

from __future__ import annotations

import pytest

from swerun.errors import InputError
from swerun.exchange.mini import is_mini, told_by_mini
from swerun.exchange.openhands import is_openhands, told_by_openhands
from swerun.exchange.swe_agent import is_swe_agent, told_by_swe_agent
from swerun.records import Limits, Sampling, Stop, Usage
from swerun.written import Written
from tests.exchange.samples import (
    DIFF,
    ID,
    mini,
    mini_1,
    mini_responses,
    openhands,
    openhands_0,
    swe_agent,
)


def by_mini(value):
    return told_by_mini(value, "x", "x")


def by_openhands(row):
    return told_by_openhands(Written("output.jsonl, line 1", row))


def gist(told):
    """Of each step what was said, the calls, and what they came to."""
    return [
        (
            step.reply.text,
            [(call.tool, dict(call.arguments), call.problem) for call in step.reply.calls],
            [(seen.text, seen.exit_code) for seen in step.observations],
        )
        for step in told.steps
    ]


def test_a_trajectory_of_mini_swe_agent_2():
    told = told_by_mini(mini(), "x.traj.json", "x")
    assert gist(told) == [
        (
            "I look.",
            [("bash", {"command": "ls"}, None), ("bash", {"command": "cat a"}, None)],
            [
                ("<returncode>0</returncode>\n<output>\na\n</output>", 0),
                ("<exception>it timed out after 60 seconds</exception>", None),
            ],
        ),
        ("Done?", [], [("No tool calls found.", None)]),
        (
            "I am done.",
            [
                (
                    "bash",
                    {"command": "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt"},
                    None,
                )
            ],
            [],
        ),
    ]
    first, refused, _ = told.steps
    assert [seen.timed_out for seen in first.observations] == [False, True]
    assert (first.reply.reasoning, first.reply.finish_reason) == ("Hm.", "tool_calls")
    assert first.reply.usage == Usage(input_tokens=100, cached_tokens=60, output_tokens=10)
    assert refused.reply.usage == Usage(input_tokens=100, output_tokens=10)
    assert (told.prediction.instance_id, told.prediction.model) == (ID, "org/m")
    assert told.prediction.patch == DIFF.encode()
    assert (told.stop, told.ended, told.cost, told.seconds) == (
        *(Stop.SUBMITTED, "Submitted", 0.03, 9),
    )


def test_what_mini_swe_agent_2_says_of_its_question():
    peer = told_by_mini(mini(), "x", "x").peer
    assert (peer.scaffold.agent, peer.scaffold.protocol) == ("mini-swe-agent 2.4.6", "tools")
    assert (peer.scaffold.tools, peer.scaffold.api) == (("bash",), "chat")
    assert len(peer.scaffold.prompt_hash) == 16
    assert peer.sampling == Sampling(temperature=0.5)
    limits = peer.limits(Limits())
    assert (limits.steps, limits.cost, limits.command_seconds, limits.malformed) == (250, 3, 60, 3)
    assert {"limits.seconds", "limits.context", "sampling.extra_body"} <= set(peer.unknown)
    assert "sampling.top_p" not in peer.unknown, "it is left to the endpoint, and that is known"


def test_a_trajectory_of_mini_swe_agent_1():
    told = told_by_mini(mini_1(), "x.traj.json", "x")
    assert gist(told) == [
        ("```bash\nls\n```\n```bash\nls\n```", [], [("One command, please.", None)]),
        (
            "I look.\n\n```bash\nls\n```",
            [("bash", {"command": "ls"}, None)],
            [("<returncode>2</returncode>\n<output>\n</output>", 2)],
        ),
        ("```mswea_bash_command\nsubmit it\n```", [("bash", {"command": "submit it"}, None)], []),
    ]
    assert told.steps[0].reply.problem == "there is no command in it"
    assert (told.usage, told.steps[0].reply.usage) == (None, Usage(unreported=1))
    assert (told.cost, told.seconds) == (None, 5), "0 is what it writes where it does not know"
    assert told.peer.scaffold.agent == "mini-swe-agent 1.17.0"


def test_a_trajectory_of_mini_swe_agent_by_the_responses_api():
    told = told_by_mini(mini_responses(), "x", "from-the-name")
    assert gist(told) == [("I look.", [("bash", {"command": "ls"}, None)], [("a", 0)])]
    assert told.steps[0].reply.usage == Usage(input_tokens=7, output_tokens=3)
    assert told.prediction.instance_id == "from-the-name"
    assert told.stop is None, "which of its limits it was is not known"


@pytest.mark.parametrize(
    ("ended", "limit", "stop"),
    [
        ("LimitsExceeded", 3, Stop.STEPS),
        ("LimitsExceeded", 250, Stop.COST),
        ("LimitsExceeded", 0, Stop.COST),
        ("TimeExceeded", 0, Stop.CLOCK),
        ("RepeatedFormatError", 0, Stop.MALFORMED),
        ("ContextWindowExceededError", 0, Stop.CONTEXT),
        ("AuthenticationError", 0, None),
        (None, 0, None),
    ],
)
def test_how_mini_swe_agent_ended(ended, limit, stop):
    value = mini(exit_status=ended)
    value["info"]["config"]["agent"]["step_limit"] = limit
    told = told_by_mini(value, "x", "x")
    assert (told.stop, told.ended) == (stop, ended or "")


def test_a_trajectory_of_swe_agent():
    told = told_by_swe_agent(swe_agent(), "x.traj", ID)
    assert gist(told) == [
        ("I look.", [("bash", {"command": "ls -F"}, None)], [("a\n", None)]),
        ("Hm.", [], [("", None)]),
    ]
    assert told.steps[1].reply.problem == "there is no action in it"
    assert told.usage == Usage(input_tokens=1000, output_tokens=50)
    assert (told.stop, told.ended) == (Stop.COST, "submitted (exit_cost)")
    assert (told.cost, told.seconds, told.steps[0].at) == (2.5, 0.25, None)
    assert told.prediction.model == "org/m"
    assert told.peer.scaffold.agent == "SWE-agent 1.1.0"
    assert told.peer.sampling == Sampling(temperature=0, top_p=1)
    assert told.peer.limits(Limits()).cost == 2
    assert {"limits.steps", "scaffold.prompt_hash"} <= set(told.peer.unknown)


@pytest.mark.parametrize(
    ("ended", "stop"),
    [
        ("submitted", Stop.SUBMITTED),
        ("exit_cost", Stop.COST),
        ("submitted (exit_context)", Stop.CONTEXT),
        ("exit_format", Stop.MALFORMED),
        ("exit_total_execution_time", Stop.CLOCK),
        ("exit_api", None),
        ("exit_environment_error", None),
        (None, None),
    ],
)
def test_how_swe_agent_ended(ended, stop):
    assert told_by_swe_agent(swe_agent(exit_status=ended), "x", ID).stop is stop


def test_a_line_of_openhands():
    told = by_openhands(openhands())
    assert gist(told) == [
        (
            "I look.",
            [
                ("terminal", {"command": "ls"}, None),
                ("file_editor", {"command": "view", "path": "/a"}, None),
            ],
            [("a", 0), ("1 x", None)],
        ),
        ("Done?", [], [("Please go on.", None)]),
        ("", [("terminal", {}, "its arguments are not JSON")], [("no such arguments", None)]),
        ("", [("finish", {"message": "Fixed."}, None)], [("Fixed.", None)]),
    ]
    assert told.steps[0].reply.reasoning == "Hm."
    assert told.steps[0].reply.usage == Usage(input_tokens=100, output_tokens=10)
    assert told.steps[2].reply.usage == Usage(unreported=1)
    assert told.usage == Usage(
        input_tokens=300, cached_tokens=100, output_tokens=30, reasoning_tokens=5
    )
    assert (told.stop, told.ended, told.cost, told.seconds) == (Stop.SUBMITTED, "finish", 0.5, 90)
    assert told.prediction.model == "OpenHands/m"
    assert told.peer.scaffold.agent == "OpenHands 1.11.0"
    assert told.peer.scaffold.protocol == "tools"
    assert told.peer.sampling == Sampling(temperature=0, max_tokens=4096)
    assert told.peer.limits(Limits()).steps == 100


@pytest.mark.parametrize("paired", [False, True])
def test_a_line_of_openhands_before_its_sdk(paired):
    told = by_openhands(openhands_0(paired=paired))
    assert gist(told) == [
        ("I look.", [("execute_bash", {"command": "ls"}, None)], [("a", 1)]),
        ("Hm.", [("read", {"path": "/a"}, None)], [("x", None)]),
        ("Fixed.", [("finish", {}, None)], []),
    ]
    assert told.steps[0].reply.usage == Usage(input_tokens=9, output_tokens=2)
    assert told.steps[0].reply.model == "m-served"
    assert (told.usage, told.cost) == (None, None)
    assert told.peer.scaffold.agent == "OpenHands CodeActAgent"


@pytest.mark.parametrize(
    ("error", "stop"),
    [
        ("RuntimeError: Agent reached maximum iteration in headless mode.", Stop.STEPS),
        ("the budget of the task is used up", Stop.COST),
        ("Runtime pending/404", None),
    ],
)
def test_how_openhands_ended(error, stop):
    told = by_openhands(openhands(error=error))
    assert (told.stop, told.ended) == (stop, error)


def test_a_line_of_an_attempt_that_came_to_nothing_is_one_without_steps():
    told = by_openhands({"instance_id": ID, "test_result": {}, "error": "no runtime"})
    assert (told.steps, told.prediction.patch, told.prediction.is_null) == ((), b"", True)


@pytest.mark.parametrize(
    ("read", "value", "said"),
    [
        (told_by_mini, mini() | {"messages": [1]}, "x: message 1 is no object"),
        (told_by_mini, mini(submission=3), "x: info.submission is no text"),
        (told_by_swe_agent, swe_agent() | {"trajectory": [1]}, "x: turn 1 of its trajectory is no"),
        (told_by_swe_agent, swe_agent(submission=[]), "x: info.submission is no text"),
    ],
)
def test_what_is_no_trajectory_is_told_with_its_place(read, value, said):
    with pytest.raises(InputError, match=said):
        read(value, "x", "x")


JUNK = [None, 1, -1, "", "x", [], {}, [1], {"a": 1}, True, float("nan"), float("inf"), 10**400]


def everywhere(value, junk):
    """The value, each time with one part of it replaced."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield {**value, key: junk}
            for changed in everywhere(each, junk):
                yield {**value, key: changed}
    if isinstance(value, list):
        for at, each in enumerate(value):
            yield [*value[:at], junk, *value[at + 1 :]]
            for changed in everywhere(each, junk):
                yield [*value[:at], changed, *value[at + 1 :]]


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: str(junk)[:8])
def test_whatever_a_file_has_in_any_place_is_read_or_refused_in_words(junk):
    steps = 0
    for sample, is_one, read in (
        (mini(), is_mini, by_mini),
        (mini_1(), is_mini, by_mini),
        (mini_responses(), is_mini, by_mini),
        (swe_agent(), is_swe_agent, lambda value: told_by_swe_agent(value, "x", "x")),
        (openhands(), is_openhands, by_openhands),
        (openhands_0(), is_openhands, by_openhands),
    ):
        for value in filter(is_one, everywhere(sample, junk)):
            try:
                told = read(value)
            except InputError:
                continue
            told.peer.limits(Limits())
            steps += sum(len(step.model_dump_json()) > 0 for step in told.steps)
    assert steps > 1_000


def test_halves_of_surrogate_pairs_and_deep_nesting_can_be_written_again():
    value = mini(submission="\ud800")
    call = value["messages"][2]["tool_calls"][0]["function"]
    call["arguments"] = '{"command": ' + "[" * 5_000 + "]" * 5_000 + "}"
    value["messages"][2]["content"] = "a\udfffb"
    value["messages"][2]["tool_calls"][1]["function"]["arguments"] = {"command": "\ud800"}
    told = told_by_mini(value, "x", "x")
    first = told.steps[0]
    assert first.reply.text == "a?b"
    assert first.reply.calls[0].problem == "its arguments are not JSON"
    assert first.reply.calls[1].arguments == {"command": "?"}
    assert "a?b" in first.model_dump_json()
    assert told.prediction.patch == b"?"
