"""Where an attempt may be forked, and what the fork is."""

from __future__ import annotations

import pytest

from swerun.agent.prompts import load_prompts
from swerun.errors import InputError
from swerun.fork import branch_of, newest, planning
from swerun.records import Cause, Scaffold, Solved, Started, Step, Stop
from swerun.runs.store import open_or_create
from tests.fakes import NOW, a_reply, an_attempt, an_instance
from tests.report.test_summary import a_run

BASH = load_prompts("tools").scaffold()
WORDS = ["one", "two", "three", "submit"]
STEPS = [Step(index=i, at=NOW, reply=a_reply(word)) for i, word in enumerate(WORDS)]
A = an_instance("a")


def run(scaffold=BASH):
    record = a_run("a")
    question = record.question.model_copy(update={"scaffold": scaffold})
    return record.model_copy(update={"question": question})


@pytest.fixture
def store(tmp_path):
    return open_or_create(tmp_path, run())


def attempt(store, number, *, stop=Stop.SUBMITTED, steps=STEPS, changed=None, **more):
    more |= {"changed": changed or {}}
    with store.attempt("a", number, Started(**more)) as log:
        for step in steps:
            log.step(step)
        if stop:
            log.finished(an_attempt("a", number, "unresolved", stop=stop, **more))


def waiting(store, number, **more):
    """An attempt that was killed while it was being graded."""
    with store.attempt("a", number, Started(**more)) as log:
        log.solved(
            Solved(instance_id="a", attempt=number, stop=Stop.SUBMITTED, started_at=NOW, seconds=1),
            b"a patch",
        )


def planned(store, branch, changed=None):
    said = []
    plan = planning(branch, store.record().question, said.append)
    (made,) = plan(store, {"a": A}, changed or {})
    return made, said


def test_a_fork_is_a_new_attempt_of_the_same_sample_from_after_a_step_of_another(store):
    attempt(store, 1, sample=2)
    attempt(store, 2)
    changed = {"model": ("m", "other")}
    made, (said,) = planned(store, branch_of(store, "a", 1, 3), changed)
    assert (made.number, made.sample, made.cause, made.of, made.at) == (3, 2, Cause.FORKED, 1, 3)
    assert (made.changed, made.anew, made.started.is_own) == (changed, True, False)
    assert said.startswith("From step 3 of attempt 1 of a on with model: m -> other.")
    made, _ = planned(store, branch_of(store, "a", 2, 1))
    assert (made.of, made.changed, made.anew, made.started.is_own) == (2, {}, False, False)


def test_whether_another_model_goes_on_is_by_the_attempt_that_is_forked(store):
    attempt(store, 1, changed={"model": ("m", "other")})
    branch = branch_of(store, "a", 1, 2)
    assert planned(store, branch)[0].anew
    assert not planned(store, branch, {"model": ("m", "other")})[0].anew


def test_what_graded_the_patch_of_another_attempt_is_forked_where_that_was_solved(store):
    attempt(store, 1, stop=None)
    with store.attempt("a", 2, Started()) as log:
        log.finished(an_attempt("a", 2, solved_in=1))
    assert planned(store, branch_of(store, "a", 2, 2))[0].of == 1


def test_an_attempt_that_was_cut_off_can_be_forked(store):
    attempt(store, 1, stop=None, steps=STEPS[:2])
    assert planned(store, branch_of(store, "a", 1, 2))[0].at == 2


def test_a_fork_whose_patch_waits_for_its_grade_is_graded_by_the_same_command(store):
    attempt(store, 1)
    waiting(store, 2, cause=Cause.FORKED, of=1, at=2, changed={"limits.steps": (250, 9)})
    assert newest(store, "a") == 1
    branch = branch_of(store, "a", 1, 2)
    made, _ = planned(store, branch, {"limits.steps": (250, 9)})
    assert (made.number, made.kept.patch, made.started) == (
        2,
        b"a patch",
        store.past_attempt("a", 2).started,
    )
    for at, changed in ((3, {"limits.steps": (250, 9)}), (2, {}), (2, {"limits.steps": (250, 8)})):
        other, _ = planned(store, branch_of(store, "a", 1, at), changed)
        assert (other.number, other.kept) == (3, None)
    with store.attempt("a", 2, made.started) as log:
        log.finished(an_attempt("a", 2, **dict(made.started)))
    assert planned(store, branch, {"limits.steps": (250, 9)})[0].number == 3
    assert newest(store, "a") == 2


@pytest.mark.parametrize(
    ("at", "stop", "said"),
    [
        (0, Stop.SUBMITTED, "swerun rerun"),
        (5, Stop.SUBMITTED, "attempt 1 of a has 4 steps"),
        (4, Stop.SUBMITTED, "that is the submission, and nothing comes after it: --at 3"),
        (3, Stop.SANDBOX_LOST, "that step ended the container: --at 2"),
    ],
)
def test_where_nothing_can_come_after_is_said_with_where_it_can(store, at, stop, said):
    attempt(store, 1, stop=stop, steps=STEPS if stop is Stop.SUBMITTED else STEPS[:3])
    with pytest.raises(InputError, match=said):
        branch_of(store, "a", 1, at)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scaffold.protocol": ("tools", "text")}, "the recorded replies are in tools"),
        ({"limits.steps": (250, 3)}, "--steps 3: step 3 of attempt 1 of a is the last"),
        ({key: (value, None) for key, value in [
            ("scaffold.agent", "bash"), ("scaffold.prompt_hash", "x"), ("scaffold.protocol", "t"),
            ("scaffold.tools", []), ("scaffold.api", "chat"),
        ]}, "the patches were given"),
    ],
)  # fmt: skip
def test_what_cannot_go_on_from_the_recorded_steps_is_refused(store, changed, said):
    attempt(store, 1)
    with pytest.raises(InputError, match=said):
        planned(store, branch_of(store, "a", 1, 3), changed)


def test_an_agent_without_steps_has_no_branches(tmp_path):
    command = Scaffold(agent="command:true", prompt_hash="", protocol="none", tools=())
    store = open_or_create(tmp_path, run(command))
    attempt(store, 1, steps=STEPS[:1])
    with pytest.raises(InputError, match="command in the container"):
        branch_of(store, "a", 1, 1)
