"""Which states of an attempt there are, and by which way: read from what runs have on disk."""

from __future__ import annotations

import pytest

from swerun.agent.loop import BashAgent
from swerun.agent.prompts import load_prompts
from swerun.errors import InputError
from swerun.moments import Moment, way_to
from swerun.ports import Graded
from swerun.records import Scaffold, Solved, Started, Step, Stop
from swerun.runs.store import open_or_create
from tests.fakes import NOW, RESOLVED, a_reply, an_attempt
from tests.report.test_summary import a_run

STEPS = [
    Step(index=i, at=NOW, reply=a_reply(word)) for i, word in enumerate(["one", "two", "submit"])
]
PATCH = b"diff\n"
BASH = load_prompts("tools").scaffold()
COMMAND = Scaffold(agent="command:true", prompt_hash="", protocol="none", tools=())
NOWHERE = BASH.model_copy(update={"agent": "nowhere:Agent@00000000"})


@pytest.fixture
def store(tmp_path):
    return open_or_create(tmp_path, a_run("a"))


@pytest.fixture
def recorded(store):
    """Writes an attempt with its steps, and perhaps how it ended."""

    def write(steps=STEPS, stop=Stop.SUBMITTED, number=1, *, started=None, **solved):
        with store.attempt("a", number, started or Started()) as log:
            for step in steps:
                log.step(step)
            if stop:
                whole = Solved(
                    instance_id="a", attempt=number, stop=stop, started_at=NOW, seconds=1, **solved
                )
                log.solved(whole, PATCH)

    return write


@pytest.fixture
def way(store):
    def found(scaffold=BASH, number=1, **moment):
        question = store.record().question.model_copy(update={"scaffold": scaffold})
        return way_to(Moment("a", number, **moment), store, question)

    return found


def done(way):
    """By which of its parts the state is come to."""
    return [step.index for step in way.steps], way.patch


@pytest.mark.parametrize(
    ("at", "steps", "said"),
    [
        (None, [0, 1, 2], "a, attempt 1, after step 3 of 3"),
        (3, [0, 1, 2], "a, attempt 1, after step 3 of 3"),
        (1, [0], "a, attempt 1, after step 1 of 3"),
        (0, [], "a, attempt 1, before the first step"),
    ],
)
def test_an_agents_steps_are_done_again_as_far_as_was_asked(recorded, way, at, steps, said):
    recorded(image_digest="sha256:1")
    found = way(at=at)
    assert (done(found), found.said) == ((steps, b""), said)
    assert isinstance(found.agent, BashAgent | None)
    assert found.image_digest == "sha256:1"


def test_a_step_that_there_is_not_is_refused_with_how_many_there_are(recorded, way):
    recorded()
    with pytest.raises(InputError, match="--at 4: there are 3 steps"):
        way(at=4)


def test_an_attempt_that_was_cut_off_has_the_steps_until_then_and_no_patch(recorded, way):
    recorded(STEPS[:2], None)
    assert done(way()) == ([0, 1], b"")
    with pytest.raises(InputError, match="attempt 1 of a ended without a patch"):
        way(graded=True)


def test_the_step_that_ended_the_container_is_not_done_again_unasked(recorded, way):
    recorded(stop=Stop.SANDBOX_LOST)
    assert done(way()) == ([0, 1], b"")
    assert "after step 2 of 3: the last one ended the container" in way().said
    assert done(way(at=3)) == ([0, 1, 2], b"")


@pytest.mark.parametrize(
    ("scaffold", "why"),
    [(None, "the patches were given"), (COMMAND, "is a command"), (NOWHERE, "cannot be imported")],
)
def test_where_no_steps_can_be_done_again_the_patch_is_applied_and_it_is_said(
    recorded, way, scaffold, why
):
    recorded(STEPS[:1])
    found = way(scaffold)
    assert done(found) == ([], PATCH)
    assert "with its patch applied" in found.said
    assert why in found.said
    with pytest.raises(InputError, match=f"--at 1: .*{why}.*--at 0 the one before"):
        way(scaffold, at=1)
    assert done(way(scaffold, at=0)) == ([], b"")


def test_steps_of_an_agent_elsewhere_are_not_done_again(store, recorded):
    recorded()
    elsewhere = BASH.model_copy(update={"agent": "other", "protocol": "", "tools": ()})
    own = {"scaffold": elsewhere, "predictions": "0" * 16}
    found = way_to(Moment("a", 1), store, store.record().question.model_copy(update=own))
    assert done(found) == ([], PATCH)
    assert "made elsewhere" in found.said


def test_an_attempt_without_steps_has_its_patch(recorded, way):
    recorded([])
    assert done(way()) == ([], PATCH)
    assert "no steps of it are recorded" in way().said


def test_the_steps_of_a_patch_that_was_taken_over_are_those_of_who_made_it(store, recorded, way):
    recorded(STEPS[:1])
    recorded([], number=2, solved_in=1)
    assert done(way(number=2)) == ([0], b"")
    with store.attempt("a", 2, Started()) as log:
        log.graded(Graded(RESOLVED.on_image("sha256:2")))
        log.finished(an_attempt("a", 2, grade=RESOLVED.on_image("sha256:2"), solved_in=1))
    assert done(way(number=2)) == ([0], b"")
    assert way(number=2).image_digest == "sha256:2"


def test_the_grader_has_the_whole_patch_and_no_step(recorded, way):
    recorded()
    assert done(way(graded=True)) == ([], PATCH)
    with pytest.raises(InputError, match="two states"):
        way(graded=True, at=1)


def test_what_was_changed_for_an_attempt_holds_for_it(recorded, way):
    changed = {"limits.steps": (250, 9), "network": ("none", "bridge")}
    recorded(started=Started(changed=changed))
    asked = way().question
    assert (asked.limits.steps, asked.network, asked.grade_network) == (9, "bridge", "none")
    assert way().agent.limits.steps == 9


@pytest.mark.parametrize("runs_own", [None, BASH])
def test_an_attempt_may_have_an_agent_where_the_run_has_none_and_the_other_way(
    recorded, way, runs_own
):
    keys = BASH.model_dump(mode="json")
    old, new = (dict.fromkeys(keys), keys) if runs_own is None else (keys, dict.fromkeys(keys))
    recorded(started=Started(changed={f"scaffold.{key}": (old[key], new[key]) for key in keys}))
    assert done(way(runs_own)) == (([0, 1, 2], b"") if runs_own is None else ([], PATCH))
