"""What is known of runs that were made elsewhere, and that the rest is not made up."""

from __future__ import annotations

from swerun.peer import Peer
from swerun.question import fingerprint_of
from swerun.records import Limits, Question, RunRecord, Sampling
from swerun.report.compare import flat, unlike
from swerun.report.sides import Side
from tests.report.test_summary import a_run

KNOWN = Peer(
    {
        "scaffold.agent": "mini-swe-agent 2.0",
        "scaffold.tools": ["bash"],
        "limits.steps": 100,
        "sampling.temperature": 0.0,
    }
)


def question(peer):
    return a_run().question.model_copy(
        update={
            "scaffold": peer.scaffold,
            "sampling": peer.sampling,
            "limits": peer.limits(Limits(eval_seconds=60)),
            "network": "",
            "unknown": peer.unknown,
        }
    )


def test_what_is_known_is_in_the_question_and_the_rest_is_named():
    asked = question(KNOWN)
    assert (asked.scaffold.agent, asked.scaffold.tools) == ("mini-swe-agent 2.0", ("bash",))
    assert (asked.limits.steps, asked.limits.eval_seconds) == (100, 60)
    assert asked.sampling == Sampling(temperature=0)
    assert {"limits.seconds", "sampling.top_p", "scaffold.prompt_hash", "network"} <= set(
        asked.unknown
    )
    assert not set(KNOWN.known) & set(asked.unknown)
    assert "limits.eval_seconds" not in asked.unknown


def test_no_value_that_nobody_knows_is_written_and_what_is_written_is_read_as_it_was():
    asked = question(KNOWN)
    text = asked.model_dump_json()
    assert "command_seconds" not in text.partition('"unknown"')[0]
    assert '"limits":{"steps":100,"eval_seconds":60.0}' in text
    assert '"sampling":{"temperature":0.0}' in text
    assert '"network":""' not in text
    assert Question.model_validate_json(text) == asked
    assert fingerprint_of(Question.model_validate_json(text)) == fingerprint_of(asked)


def test_a_question_of_which_all_is_known_is_written_as_ever():
    text = a_run().question.model_dump_json()
    assert '"unknown":[]' in text
    assert '"network":"none"' in text
    older = text.replace(',"unknown":[]', "")
    assert fingerprint_of(Question.model_validate_json(older)) == fingerprint_of(a_run().question)


def test_of_several_what_all_of_them_agree_on_is_known():
    other = Peer({**KNOWN.known, "limits.steps": 50, "scaffold.protocol": "text"})
    assert set(Peer.of([KNOWN, other]).known) == set(KNOWN.known) - {"limits.steps"}
    assert Peer.of([]).known == {}


def test_a_value_that_no_question_has_is_not_known():
    found = Peer({"limits.steps": 0, "limits.cost": "3$", "sampling.temperature": 0.5})
    assert found.limits(Limits()) == Limits()
    assert {"limits.steps", "limits.cost"} <= set(found.unknown)
    assert found.scaffold.agent == "unknown"


def a_side(asked, name="r"):
    run = a_run().model_copy(update={"question": asked, "name": name})
    assert RunRecord.model_validate_json(run.model_dump_json()) == run
    return Side(name, "m", {}, run)


def test_a_comparison_names_what_differs_of_what_is_known_and_what_nobody_knows():
    ours, theirs = a_side(a_run().question, "a"), a_side(question(KNOWN), "b")
    said = unlike(ours, theirs)
    assert "limits.steps: 250 -> 100" in said
    assert "limits.eval_seconds: 1800.0 -> 60.0" in said
    assert said[-1].startswith("b was made elsewhere, and nobody knows scaffold.prompt_hash, ")
    assert not any(line.startswith(("limits.seconds", "network")) for line in said)
    alike = unlike(theirs, a_side(question(KNOWN), "c"))
    assert [line.partition(" was")[0] for line in alike] == ["b", "c"], "strict refuses them too"


def test_what_nobody_knows_is_not_shown_as_a_value():
    assert "limits.seconds" not in flat(question(KNOWN))
    assert "scaffold.prompt_hash" not in flat(question(KNOWN))
