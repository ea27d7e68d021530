"""Many attempts at once: real folders, with fakes for whatever an attempt would wait for."""

from __future__ import annotations

import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event

import pytest

from swerun.attempt import Bench
from swerun.engine.local import LocalEngine, Work, left
from swerun.engine.slots import local_slots
from swerun.errors import (
    CancelledError,
    EndpointBusyError,
    GraderError,
    StorageError,
)
from swerun.ports import Kept, Planned
from swerun.records import Attempt, Cause, Grade, Outcome, Solved, Step, Stop
from swerun.runs.store import Started, open_or_create
from tests.fakes import NOW, RESOLVED, FixedGrader, Present, a_reply, an_attempt, an_instance
from tests.report.test_summary import a_run

IDS = tuple(f"org__repo-{number}" for number in range(6))


@dataclass
class Solver:
    """Solves at once, or as `then` says; remembers how many were at it at the same time."""

    then: list[Exception] = field(default_factory=list)
    seconds: float = 0.0
    solved: list[tuple[str, int]] = field(default_factory=list)
    most: int = 0
    now: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def solve(self, planned, image_digest, keep):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.solved.append((planned.instance.id, planned.number))
            trouble = self.then.pop() if self.then else None
        time.sleep(self.seconds)
        with self.lock:
            self.now -= 1
        if trouble:
            raise trouble
        keep(Step(index=0, at=NOW, reply=a_reply("submit")))
        solved = Solved(
            instance_id=planned.instance.id,
            attempt=planned.number,
            stop=Stop.SUBMITTED,
            started_at=NOW,
            seconds=1,
        )
        return Kept(solved, b"diff")


@dataclass
class Beginning(Solver):
    """Remembers with which recorded steps attempts began."""

    began: dict[str, tuple[int, list[int]]] = field(default_factory=dict)

    def solve(self, planned, image_digest, keep):
        if planned.recorded:
            self.began[planned.instance.id] = planned.at, [s.index for s in planned.recorded]
        return super().solve(planned, image_digest, keep)


@pytest.fixture
def engine(tmp_path):
    def made(
        solver, *grades, agents=2, retries=2, listener=lambda _: None, cancel=None, images=None
    ):
        cancel = cancel or Event()
        slots = local_slots(images=2, agents=agents, grading=2, cancel=cancel)
        grader = FixedGrader(grades or [RESOLVED])
        bench = Bench(images or Present(), solver, grader, slots, cancel)
        store = open_or_create(tmp_path, a_run(*IDS))
        work = Work(store, bench, tuple(map(an_instance, IDS)), 1, retries)
        return LocalEngine([work], 8, listener, cancel, pause=0), store

    return made


def outcomes(store):
    return Counter(attempt.outcome for attempt in store.attempts())


def test_every_instance_is_done_once_and_no_more_agents_work_than_there_are_slots(engine):
    solver = Solver(seconds=0.05)
    driven, store = engine(solver)
    driven.run()
    assert outcomes(store) == {Outcome.RESOLVED: len(IDS)}
    assert sorted(solver.solved) == [(instance_id, 1) for instance_id in IDS]
    assert solver.most <= 2


def test_what_may_pass_is_tried_again_as_a_new_attempt_and_the_old_one_stays(engine):
    driven, store = engine(Solver([EndpointBusyError("slow down")]))
    driven.run()
    assert outcomes(store) == {Outcome.RESOLVED: len(IDS), Outcome.ENDPOINT_FAILED: 1}
    (again,) = [attempt for attempt in store.attempts() if attempt.attempt == 2]
    assert (again.cause, again.of, again.outcome) == (Cause.RETRY, 1, Outcome.RESOLVED)


def test_retries_come_to_an_end(engine):
    driven, store = engine(Solver([EndpointBusyError("slow down")] * 100), retries=2)
    driven.run()
    assert outcomes(store) == {Outcome.ENDPOINT_FAILED: 3 * len(IDS)}


def test_a_grading_that_keeps_failing_is_repeated_and_the_solving_never(engine):
    trouble = [GraderError("no log")] * 3
    solver = Solver()
    driven, store = engine(solver, *trouble, RESOLVED, agents=1)
    driven.run()
    assert sorted(solver.solved) == [(instance_id, 1) for instance_id in IDS]
    later = [attempt for attempt in store.attempts() if attempt.attempt > 1]
    assert later
    for attempt in later:
        assert (attempt.outcome, attempt.solved_in) == (Outcome.RESOLVED, 1)
        assert store.patch(attempt.instance_id, attempt.attempt) == b"diff"


def test_a_retry_takes_no_number_that_another_sample_has(engine, tmp_path):
    first, store = engine(Solver(), GraderError("no log"), retries=0)
    first.run()
    for instance_id in IDS:
        with store.attempt(instance_id, 2, Started(sample=2)) as log:
            log.finished(an_attempt(instance_id, 2, "unresolved", sample=2))
    driven, store = engine(Solver(), *[GraderError("no log")] * 2, RESOLVED)
    driven.run()
    assert {past.done.outcome for i in IDS for past in store.past(i) if past.number == 2} == {
        Outcome.UNRESOLVED
    }
    assert outcomes(store)[Outcome.RESOLVED] == len(IDS)


def test_what_was_cut_off_is_gone_on_with_from_its_last_whole_step(engine):
    driven, store = engine(solver := Beginning())
    with store.attempt(IDS[0], 1, Started()) as log:
        for index in (0, 1):
            log.step(Step(index=index, at=NOW, reply=a_reply("ls")))
        log.steps.write(b'{"index": 2, "at"')
    driven.work = [replace(driven.work[0], continues=True)]
    driven.run()
    assert solver.began == {IDS[0]: (2, [0, 1])}
    past = store.past(IDS[0])[-1]
    assert (past.started.cause, past.started.of, past.started.at) == (Cause.CONTINUED, 1, 2)
    assert (past.done.cause, past.done.outcome) == (Cause.CONTINUED, Outcome.RESOLVED)


def test_a_grading_that_failed_to_the_end_is_all_that_the_next_session_does(engine):
    first, store = engine(Solver(), GraderError("no log"), retries=0)
    first.run()
    assert outcomes(store) == {Outcome.GRADER_FAILED: len(IDS)}
    solver = Solver()
    second, store = engine(solver)
    second.run()
    assert solver.solved == []
    assert outcomes(store) == {Outcome.GRADER_FAILED: len(IDS), Outcome.RESOLVED: len(IDS)}


def test_a_bug_in_one_attempt_is_recorded_and_does_not_stop_the_others(engine):
    driven, store = engine(Solver([RuntimeError("a bug, not an excuse")]))
    driven.run()
    assert outcomes(store) == {Outcome.RESOLVED: len(IDS) - 1, Outcome.INTERNAL_ERROR: 1}


def test_a_listener_hears_of_nothing_that_is_not_on_disk(engine):
    heard = []

    def listen(event):
        if isinstance(event.what, Attempt):
            heard.append(store.past_attempt(event.instance_id, event.attempt).done == event.what)
        elif isinstance(event.what, Step):
            heard.append(list(store.steps(event.instance_id, event.attempt)) == [event.what])
        elif isinstance(event.what, Grade):
            heard.append(len(store.grades(event.instance_id, event.attempt)) == 1)

    driven, store = engine(Solver(), listener=listen)
    driven.run()
    assert heard == [True] * 3 * len(IDS)


def test_a_record_that_cannot_be_written_ends_the_run_with_its_reason(engine):
    def full(event):
        raise StorageError("no space left on device")

    driven, _ = engine(Solver(), listener=full)
    with pytest.raises(StorageError, match="no space"):
        driven.run()


def test_a_stopped_run_begins_nothing_more_and_the_rest_is_left_for_the_next(engine):
    cancel = Event()

    class Stops(Solver):
        def solve(self, planned, image_digest, keep):
            cancel.set()
            raise CancelledError("stopped")

    stopped, store = engine(Stops(), cancel=cancel)
    stopped.run()
    stopped.settle(5)
    assert set(outcomes(store)) <= {Outcome.CANCELLED}
    driven, store = engine(Solver())
    driven.run()
    assert outcomes(store)[Outcome.RESOLVED] == len(IDS)


def test_a_patch_that_waits_for_its_grade_when_the_run_is_stopped_is_graded_by_the_next(engine):
    cancel = Event()

    class Grades(FixedGrader):
        def grade(self, instance, patch, *, attempt):
            cancel.set()
            raise CancelledError("stopped")

    stopped, store = engine(Solver(), cancel=cancel)
    work = stopped.work[0]
    bench = Bench(Present(), work.bench.solver, Grades([RESOLVED]), work.bench.slots, cancel)
    stopped.work = [Work(store, bench, work.instances, 1, 0)]
    stopped.run()
    stopped.settle(5)
    waiting = [i for i in store.instance_ids() if store.past_attempt(i, 1).kept]
    assert waiting
    solver = Solver()
    driven, store = engine(solver)
    driven.run()
    assert not {instance_id for instance_id, _ in solver.solved} & set(waiting)
    assert outcomes(store)[Outcome.RESOLVED] == len(IDS)


def test_of_a_run_that_is_over_no_further_attempt_is_started(engine):
    solver = Solver()
    driven, store = engine(solver, agents=1)
    (work,) = driven.work
    driven.work = [replace(work, is_over=lambda: len(solver.solved) >= 2)]
    driven.threads = 1
    driven.run()
    assert outcomes(store) == {Outcome.RESOLVED: 2}
    assert store.instance_ids() == sorted(IDS[:2])


def test_a_verdict_that_is_outdated_is_made_again_and_the_old_one_stays(engine):
    driven, store = engine(Solver())
    driven.run()
    old = list(store.attempts())
    (work,) = driven.work
    again = replace(work, outdated=lambda a: a.instance_id == IDS[0] and a.attempt == 1)
    for _ in range(2):  # what was made anew is not made a third time
        LocalEngine([again], 8, lambda _: None, Event(), pause=0).run()
    new = [attempt for attempt in store.attempts() if attempt not in old]
    assert [(a.instance_id, a.attempt, a.cause) for a in new] == [(IDS[0], 2, Cause.RETRY)]
    assert len(list(store.attempts())) == len(IDS) + 1


class Fetched(Present):
    """Images that remember which were asked for, and whose attempts are under way."""

    def __init__(self):
        self.asked, self.held = [], []

    @contextmanager
    def hold(self, instance):
        self.held.append(instance.id)
        yield
        self.held.remove(instance.id)

    def ensure(self, instance):
        assert instance.id in self.held
        self.asked.append(instance.id)
        return super().ensure(instance)


def test_images_are_fetched_ahead_of_need_and_no_further_than_there_are_threads(engine):
    """One agent is at work on the first; the images of those after it come meanwhile."""
    ahead, images = Event(), Fetched()

    class Slow(Solver):
        def solve(self, planned, image_digest, keep):
            assert ahead.wait(30)
            return super().solve(planned, image_digest, keep)

    driven, store = engine(Slow(), agents=1, images=images)
    driven.threads = 4
    running = threading.Thread(target=driven.run)
    running.start()
    while len(images.asked) < 4:
        time.sleep(0.01)
    time.sleep(0.2)  # in which a fifth would be asked for
    assert sorted(images.asked) == sorted(images.held)
    assert len(images.asked) == 4
    ahead.set()
    running.join()
    assert sorted(images.asked) == sorted(IDS)
    assert images.held == []
    assert outcomes(store) == {Outcome.RESOLVED: len(IDS)}


def test_runs_side_by_side_take_turns_on_one_instance_after_the_other(tmp_path):
    """So that its image is made ready once for all of them, and none has the slots for itself."""
    cancel, turns = Event(), []

    class Told(Solver):
        def solve(self, planned, image, keep):
            turns.append((self.name, planned.instance.id))
            return super().solve(planned, image, keep)

    works = []
    for name in ("one", "two"):
        solver = Told()
        solver.name = name
        slots = local_slots(images=1, agents=1, grading=1, cancel=cancel)
        bench = Bench(Present(), solver, FixedGrader([RESOLVED]), slots, cancel)
        store = open_or_create(tmp_path, a_run(*IDS).model_copy(update={"name": name}))
        works.append(Work(store, bench, tuple(map(an_instance, IDS)), 1, 0))
    LocalEngine(works, 1, lambda _: None, cancel, pause=0).run()
    assert turns == [(name, each) for each in IDS for name in ("one", "two")]


def test_attempts_that_are_asked_for_are_made_whatever_was_made_before_and_no_others(engine):
    """One that fails and may pass is tried again, for the same purpose."""
    first, store = engine(Solver())
    first.run()
    changed = {"limits.steps": (250, 9)}
    asked = Planned(first.work[0].instances[0], 2, 1, Cause.RERUN, 1, changed=changed)
    driven, store = engine(Solver([EndpointBusyError("slow down")]))
    driven.work = [replace(driven.work[0], asked=(asked,))]
    driven.run()
    made = [attempt for attempt in store.attempts() if attempt.attempt > 1]
    assert [(a.instance_id, a.attempt, a.cause, a.of) for a in made] == [
        (IDS[0], 2, Cause.RERUN, 1),
        (IDS[0], 3, Cause.RETRY, 2),
    ]
    assert all(attempt.changed == changed for attempt in made)
    assert all(store.past_attempt(IDS[0], n).started.changed == changed for n in (2, 3))
    assert left(driven.work[0]) == []
