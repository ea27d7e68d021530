"""What is left to make, by table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swerun.engine.plan import after, interleave, plan, rerun, side_by_side
from swerun.ports import Kept, Planned
from swerun.records import Cause, Failure, Fault, Solved, Stop
from swerun.runs.store import Past, Started
from tests.fakes import NOW, an_attempt, an_instance

ONE = an_instance("one")
KEPT = Kept(
    Solved(instance_id="one", attempt=1, stop=Stop.SUBMITTED, started_at=NOW, seconds=1), b"diff"
)


def past(number, outcome=None, kept=None, sample=1, **why):
    done = an_attempt("one", number, outcome, sample=sample, **why) if outcome else None
    return Past(number, Started(sample=sample, **why), done, kept)


STEPS = {"limits.steps": (250, 9)}
FORKED = {"cause": Cause.FORKED, "of": 1}


@pytest.mark.parametrize(
    ("history", "samples", "planned"),
    [
        ([], 1, [(1, 1, Cause.FIRST, None)]),
        ([], 2, [(1, 1, Cause.FIRST, None), (2, 2, Cause.FIRST, None)]),
        ([past(1, "resolved")], 1, []),
        ([past(1, "unresolved")], 1, []),
        ([past(1, "no_patch")], 1, []),
        ([past(1, "sandbox_failed")], 1, [(2, 1, Cause.RETRY, 1)]),
        ([past(1, "cancelled")], 1, [(2, 1, Cause.RETRY, 1)]),
        ([past(1)], 1, [(2, 1, Cause.RETRY, 1)]),
        ([past(1, "endpoint_failed"), past(2)], 1, [(3, 1, Cause.RETRY, 2)]),
        ([past(1, "endpoint_failed"), past(2, "resolved")], 1, []),
        ([past(1, "resolved")], 2, [(2, 2, Cause.FIRST, None)]),
        ([past(1, kept=KEPT)], 1, [(1, 1, Cause.FIRST, None)]),
        ([past(1, "resolved", changed=STEPS)], 1, [(2, 1, Cause.FIRST, None)]),
        ([past(1, "resolved", **FORKED)], 1, [(2, 1, Cause.FIRST, None)]),
        ([past(1, "cancelled"), past(2, changed=STEPS)], 1, [(3, 1, Cause.RETRY, 1)]),
        ([past(1, "cancelled"), past(2, "unresolved", cause=Cause.RERUN, of=1)], 1, []),
    ],
)
def test_each_sample_without_a_verdict_gets_one_attempt(history, samples, planned):
    made = plan([ONE], {"one": history}, samples)
    assert [(p.number, p.sample, p.cause, p.of) for p in made] == planned


def cut_off(number, steps, outcome=None, cause=Cause.FIRST, of=None):
    done = an_attempt("one", number, outcome) if outcome else None
    return Past(number, Started(cause=cause, of=of), done, steps=steps)


CONTINUED = Cause.CONTINUED


@pytest.mark.parametrize(
    ("history", "planned"),
    [
        ([], (1, Cause.FIRST, None, 0)),
        ([cut_off(1, 3)], (2, CONTINUED, 1, 3)),
        ([cut_off(1, 3, "cancelled")], (2, CONTINUED, 1, 3)),
        ([cut_off(1, 0)], (2, Cause.RETRY, 1, 0)),
        ([past(1, "endpoint_failed")], (2, Cause.RETRY, 1, 0)),
        ([cut_off(1, 3), past(2, "sandbox_failed")], (3, Cause.RETRY, 2, 0)),
        ([cut_off(1, 3), cut_off(2, 5, cause=CONTINUED, of=1)], (3, CONTINUED, 2, 5)),
        # killed before all steps of the first were done again
        ([cut_off(1, 3), cut_off(2, 1, cause=CONTINUED, of=1)], (3, CONTINUED, 1, 3)),
        (
            [
                cut_off(1, 3),
                cut_off(2, 2, cause=CONTINUED, of=1),
                cut_off(3, 0, cause=CONTINUED, of=1),
            ],
            (4, CONTINUED, 1, 3),
        ),
        ([cut_off(1, 3), cut_off(2, 0, cause=Cause.RETRY, of=1)], (3, Cause.RETRY, 2, 0)),
    ],
)
def test_what_was_cut_off_goes_on_where_it_came_furthest(history, planned):
    (made,) = plan([ONE], {"one": history}, 1, continues=True)
    assert (made.number, made.cause, made.of, made.at) == planned
    (anew,) = plan([ONE], {"one": history}, 1)
    assert (anew.cause, anew.at) == (Cause.RETRY if history else Cause.FIRST, 0)


def test_a_patch_that_waits_for_its_grade_is_graded_and_not_gone_on_with():
    (made,) = plan([ONE], {"one": [past(1, kept=KEPT)]}, 1, continues=True)
    assert (made.number, made.kept, made.at) == (1, KEPT, 0)


def test_a_patch_that_waits_for_its_grade_is_not_solved_again():
    assert plan([ONE], {"one": [past(1, kept=KEPT)]}, 1)[0].kept is KEPT


def test_a_patch_whose_grading_failed_is_graded_again_in_a_new_attempt():
    (planned,) = plan([ONE], {"one": [past(1, "grader_failed", kept=KEPT)]}, 1)
    assert planned == Planned(ONE, 2, 1, Cause.RETRY, 1, KEPT)


def test_a_rerun_is_a_new_attempt_that_follows_the_newest_of_its_sample():
    history = {"one": [past(1, "unresolved"), past(2, "resolved", sample=2), past(3, "no_patch")]}
    made = rerun([(ONE, 1), (ONE, 2), (ONE, 3)], history, {}, replaces=True)
    assert [(p.number, p.sample, p.cause, p.of) for p in made] == [
        (4, 1, Cause.RERUN, 3),
        (5, 2, Cause.RERUN, 2),
        (6, 3, Cause.FIRST, None),
    ]
    assert all(p.replaces and p.kept is None for p in made)


@pytest.mark.parametrize(
    ("waiting", "number"),
    [
        ({"cause": Cause.RERUN, "of": 1}, 2),
        ({"cause": Cause.RERUN, "of": 1, "replaces": True}, 3),
        ({"cause": Cause.RERUN, "of": 1, "changed": STEPS}, 3),
        ({"cause": Cause.FIRST}, 3),
        (FORKED, 3),
    ],
)
def test_only_a_rerun_for_the_same_purpose_has_its_waiting_patch_graded_instead(waiting, number):
    history = {"one": [past(1, "unresolved"), past(2, kept=KEPT, **waiting)]}
    (made,) = rerun([(ONE, 1)], history, {}, replaces=False)
    assert (made.number, made.kept) == (number, KEPT if number == 2 else None)


@pytest.mark.parametrize(
    ("cause", "followed_by", "of"),
    [(Cause.RERUN, Cause.RETRY, 2), (Cause.FORKED, Cause.FORKED, 1)],
)
def test_what_is_tried_again_by_itself_is_for_the_same_purpose(cause, followed_by, of):
    planned = Planned(ONE, 2, 1, cause, 1, changed=STEPS, replaces=True)
    follower = after(planned, Past(2, planned.started, failed(retry=True)), 3, 1)
    assert (follower.number, follower.cause, follower.of) == (3, followed_by, of)
    assert (follower.changed, follower.replaces) == (STEPS, True)


def failed(*, retry):
    failure = Failure(fault=Fault.SANDBOX, error="SandboxError", message="gone", retry=retry)
    return an_attempt("one", 1, "sandbox_failed", failure=failure)


@pytest.mark.parametrize(
    ("attempt", "retries", "follows"),
    [
        (failed(retry=True), 2, True),
        (failed(retry=True), 0, False),
        (failed(retry=False), 2, False),
        (an_attempt("one", 1, "unresolved"), 2, False),
    ],
)
def test_only_a_failure_that_may_pass_is_followed_and_not_for_ever(attempt, retries, follows):
    for kept in (None, KEPT):
        follower = after(Planned(ONE, 1), Past(1, Started(), attempt, kept), 4, retries)
        assert follower == (Planned(ONE, 4, 1, Cause.RETRY, 1, kept) if follows else None)


@pytest.mark.parametrize(
    ("plans", "queue"),
    [
        (["ab", "a"], "0a 1a 0b"),
        (["abcd", "abcd"], "0a 1a 0b 1b 0c 1c 0d 1d"),
        # one of them has done a part already: the others' images are still made ready once
        (["abcd", "cd"], "0a 0c 1c 0b 0d 1d"),
        (["ab", "cd"], "0a 1c 0b 1d"),
        ([], ""),
        (["", "ab"], "1a 1b"),
    ],
)
def test_runs_take_turns_and_what_they_share_is_side_by_side(plans, queue):
    made = interleave([[Planned(an_instance(name), 1) for name in plan] for plan in plans])
    assert " ".join(f"{who}{planned.instance.id}" for who, planned in made) == queue


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        ([], []),
        (["a1", "b1", "a1", "a2", "b1"], [0, 2, 3, 1, 4]),
        # versions of a repository stay together, in the order in which the first of each came
        (["a2", "a1", "b9", "a2", "c1", "a1"], [0, 3, 1, 5, 2, 4]),
        (["b1", "a1"], [0, 1]),
    ],
)
def test_what_shares_layers_is_side_by_side_and_what_came_first_stays_first(given, ordered):
    instances = []
    for number, (repo, version) in enumerate(given):
        one = an_instance(str(number))
        task = one.task.model_copy(update={"repo": repo})
        instances.append(one.model_copy(update={"task": task, "version": version}))
    assert [each.id for each in side_by_side(instances)] == [str(number) for number in ordered]


def test_a_fork_that_failed_is_forked_again_from_the_same_step_and_a_continued_one_made_anew():
    past_ = Past(3, Started(), failed(retry=True))
    forked = Planned(ONE, 3, 1, Cause.FORKED, 1, at=4, changed={"model": ("a", "b")})
    assert after(forked, past_, 5, 2) == replace(forked, number=5)
    continued = Planned(ONE, 3, 1, CONTINUED, 1, at=4)
    assert after(continued, past_, 5, 2) == Planned(ONE, 5, 1, Cause.RETRY, 3)


def test_what_a_continued_attempt_began_with_is_known_where_only_its_grade_is_left():
    waiting = Past(2, Started(cause=CONTINUED, of=1, at=4), None, KEPT)
    (made,) = plan([ONE], {"one": [cut_off(1, 4), waiting]}, 1, continues=True)
    assert (made.number, made.cause, made.of, made.at) == (2, CONTINUED, 1, 4)
