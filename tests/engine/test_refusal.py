"""Attempts that are not begun: the budget is used up, or nobody needs them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swerun.engine.local import LocalEngine, left
from swerun.engine.refusal import Budget, refusal_of
from swerun.ports import Planned
from swerun.records import Cause, Grade, GradeReason, Outcome, Price, Step
from tests.engine.test_local import IDS, RESOLVED, Solver, engine, outcomes
from tests.fakes import NOW, a_reply, an_instance

__all__ = ["engine"]  # a fixture
A_DOLLAR = Price(input=1e5, output=0)  # a step, of ten tokens
UNRESOLVED = Grade(resolved=False, reason=GradeReason.TESTS_FAILED)


def bounded(driven, *, samples=1, budget=None, stop_when_resolved=False):
    """The engine, with an end to its one work's attempts; each step costs a dollar."""
    (work,) = driven.work
    refusal = refusal_of(work.store, budget, stop_when_resolved=stop_when_resolved)
    bench = replace(work.bench, refusal=refusal)
    work = replace(work, bench=bench, samples=samples, by_sample=stop_when_resolved)

    def pay(event):
        if budget and isinstance(event.what, Step):
            budget.pay(event.what, A_DOLLAR)

    return LocalEngine([work], driven.threads, pay, driven.cancel, pause=0), work


def test_a_reply_that_is_given_again_takes_nothing_of_the_budget():
    budget, reply = Budget(3.0), a_reply("ls")
    budget.pay(Step(index=0, at=NOW, reply=reply), A_DOLLAR)
    again = reply.model_copy(update={"replayed": 1})
    budget.pay(Step(index=0, at=NOW, reply=again), A_DOLLAR)
    assert budget.spent == 1.0


def test_past_the_budget_no_attempt_is_begun_and_what_runs_finishes(engine):
    solver = Solver(seconds=0.05)
    driven, store = engine(solver, agents=2)
    budget = Budget(3.0)
    driven, work = bounded(driven, budget=budget)
    driven.run()
    solved = len(solver.solved)
    assert 3 <= solved <= 4  # two at once: the fourth was under way
    assert outcomes(store)[Outcome.RESOLVED] == solved
    assert budget.refusal == f"The budget of $3.00 is used up (${solved}.00)."
    assert len(left(work)) == len(IDS) - solved


def test_of_an_attempt_that_is_refused_while_nobody_works_on_it_nothing_is_left(engine):
    driven, store = engine(Solver(), agents=1)
    driven, _ = bounded(replace(driven, threads=1), budget=Budget(2.0))
    driven.run()
    assert store.instance_ids() == [*IDS[:2]]
    assert outcomes(store) == {Outcome.RESOLVED: 2}


def test_the_same_run_with_a_larger_budget_goes_on(engine):
    driven, store = engine(Solver(), agents=1)
    driven, _ = bounded(driven, budget=Budget(2.0))
    driven.run()
    driven, work = bounded(driven, budget=Budget(100.0))
    driven.run()
    assert outcomes(store)[Outcome.RESOLVED] == len(IDS)
    assert left(work) == []
    # an attempt that waited for its turn when the money was gone is a cancelled one, and followed
    causes = {a.cause for a in store.attempts() if a.outcome is Outcome.RESOLVED}
    assert causes <= {Cause.FIRST, Cause.RETRY}


@pytest.mark.parametrize(("stops", "number"), [(True, len(IDS)), (False, 3 * len(IDS))])
def test_a_sample_of_an_instance_that_is_resolved_is_begun_only_if_it_is_asked_for(
    engine, stops, number
):
    solver = Solver()
    driven, _ = engine(solver, RESOLVED, agents=1)
    driven, _ = bounded(replace(driven, threads=1), samples=3, stop_when_resolved=stops)
    driven.run()
    assert len(solver.solved) == number


def test_further_samples_come_after_the_first_of_all_and_only_where_none_has_resolved_it(engine):
    solver = Solver()
    driven, store = engine(solver, UNRESOLVED, *[RESOLVED] * 20, agents=1)
    driven, _ = bounded(replace(driven, threads=1), samples=3, stop_when_resolved=True)
    driven.run()
    assert [name for name, _ in solver.solved] == [*IDS, IDS[0]]
    assert outcomes(store)[Outcome.RESOLVED] == len(IDS)


def test_a_patch_that_waits_for_its_grade_is_graded_whatever_it_costs(engine):
    _, store = engine(Solver())
    refusal = refusal_of(store, Budget(1.0, spent=5.0), stop_when_resolved=True)
    planned = Planned(an_instance(IDS[0]), 1)
    assert refusal(planned).startswith("The budget of $1.00")
    assert refusal(replace(planned, kept=object())) == ""


def test_what_resolved_another_question_spares_the_run_no_sample(engine):
    driven, store = engine(Solver())
    (work,) = driven.work
    asked = Planned(work.instances[0], 1, changed={"limits.steps": (250, 9)})
    driven.work = [replace(work, asked=(asked,))]
    driven.run()
    assert [a.outcome for a in store.attempts()] == [Outcome.RESOLVED]
    refusal = refusal_of(store, None, stop_when_resolved=True)
    assert refusal(Planned(work.instances[0], 2)) == ""
