"""Many attempts at once on one machine: daemon threads, a queue, and a stop that nothing blocks."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from threading import Event, Lock, Thread

from swerun.attempt import Bench, run_attempt
from swerun.engine.events import Happened
from swerun.engine.plan import after, interleave, plan
from swerun.ports import Graded, Planned, Stage
from swerun.records import Attempt, Grade, Instance, Solved, Step
from swerun.runs.store import AttemptLog, Past, RunStore

Listener = Callable[[Happened], None]


@dataclass(frozen=True, slots=True)
class Work:
    """One run: where it is written, with what its attempts are made, and of which instances.

    A sample whose verdict is `outdated` is tried again; the old attempt stays. With `asked` those
    attempts are made, whatever was made before, and no others.
    """

    store: RunStore
    bench: Bench
    instances: tuple[Instance, ...]
    samples: int
    retries: int
    is_over: Callable[[], bool] = lambda: False  # no attempt of it can be made any more
    by_sample: bool = False  # all first samples before any second one, which may not be needed
    outdated: Callable[[Attempt], bool] = lambda _: False
    continues: bool = False  # attempts that were cut off are gone on with
    asked: tuple[Planned, ...] | None = None


@dataclass(frozen=True, slots=True)
class LiveJournal:
    """Writes first, then tells: what a listener hears of is on disk."""

    run: str
    planned: Planned
    log: AttemptLog
    listener: Listener

    def stage(self, stage: Stage) -> None:
        self._tell(stage)

    def step(self, step: Step) -> None:
        self.log.step(step)
        self._tell(step)

    def solved(self, solved: Solved, patch: bytes) -> None:
        self.log.solved(solved, patch)
        self._tell(solved)

    def graded(self, graded: Graded) -> None:
        self.log.graded(graded)
        self._tell(graded.grade)

    def finished(self, attempt: Attempt) -> None:
        self.log.finished(attempt)
        self._tell(attempt)

    def _tell(self, what: Stage | Step | Solved | Grade | Attempt) -> None:
        self.listener(Happened(self.run, self.planned.instance.id, self.planned.number, what))


@dataclass(slots=True)
class LocalEngine:
    """Makes all attempts that `work` leaves to make. `threads` bounds those under way at once,
    at whatever stage; the benches' slots bound each stage."""

    work: Sequence[Work]
    threads: int
    listener: Listener
    cancel: Event
    pause: float = 5.0  # seconds before a first retry; before each further one four times as long
    _broken: list[BaseException] = field(default_factory=list)
    _queue: deque[tuple[Work, Planned, int]] = field(default_factory=deque)
    _numbers: dict[tuple[str, str], int] = field(default_factory=dict)  # the last one given out
    _workers: list[Thread] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def run(self) -> None:
        """Returns when all is done, or at once when `cancel` is set.

        Raises what kept an attempt from being recorded (a full disk, a bug): the run is over then.
        """
        self._fill()
        for _ in range(min(self.threads, len(self._queue))):
            self._workers.append(Thread(target=self._worker, daemon=True))
        for worker in self._workers:
            worker.start()
        for worker in self._workers:
            while worker.is_alive() and not self.cancel.is_set():
                worker.join(timeout=0.2)
        if self._broken:
            raise self._broken[0]

    def settle(self, seconds: float) -> None:
        """After a cancel: leave the attempts under way a moment to record that they ended."""
        until = time.monotonic() + seconds
        for worker in self._workers:
            worker.join(timeout=max(0.0, until - time.monotonic()))

    def _fill(self) -> None:
        plans = [left(work) for work in self.work]
        for who, planned in interleave(plans):
            work = self.work[who]
            self._queue.append((work, planned, work.retries))
            key = (work.store.name, planned.instance.id)
            there = work.store.newest(planned.instance.id)
            self._numbers[key] = max(planned.number, there, self._numbers.get(key, 0))

    def _worker(self) -> None:
        while not self.cancel.is_set():
            with self._lock:
                if not self._queue:
                    return
                work, planned, retries = self._queue.popleft()
            if work.is_over() or work.bench.refusal(planned):
                continue
            try:
                self._attempt(work, planned, retries)
            except BaseException as error:  # noqa: BLE001 -- a thread's error is the engine's
                self._broken.append(error)
                self.cancel.set()

    def _attempt(self, work: Work, planned: Planned, retries: int) -> None:
        with work.store.attempt(planned.instance.id, planned.number, planned.started) as log:
            journal = LiveJournal(work.store.name, planned, log, self.listener)
            run_attempt(_with_steps(planned, work.store), work.bench, journal)
        past = work.store.past_attempt(planned.instance.id, planned.number)
        key = (work.store.name, planned.instance.id)
        with self._lock:
            follower = after(planned, past, self._numbers[key] + 1, retries)
            if follower:
                self._numbers[key] = follower.number
        # what failed may need a moment: an engine that restarts would use up all retries at once
        if follower and not self.cancel.wait(self.pause * 4 ** (work.retries - retries)):
            with self._lock:
                self._queue.append((work, follower, retries - 1))


def left(work: Work) -> list[Planned]:
    if work.asked is not None:
        made = (work.store.past_attempt(p.instance.id, p.number).done for p in work.asked)
        return [each for each, done in zip(work.asked, made, strict=True) if done is None]
    past = {i.id: [_seen(p, i.id, work) for p in work.store.past(i.id)] for i in work.instances}
    planned = plan(work.instances, past, work.samples, continues=work.continues)
    return sorted(planned, key=lambda each: each.sample) if work.by_sample else planned


def _seen(past: Past, instance_id: str, work: Work) -> Past:
    """An attempt as the plan is to see it: one that is outdated as if it had been cut off."""
    if past.done is not None and work.outdated(past.done):
        return replace(past, done=None, kept=None)
    if not (work.continues and past.is_cut_off):
        return past
    return replace(past, steps=sum(1 for _ in work.store.steps(instance_id, past.number)))


def _with_steps(planned: Planned, store: RunStore) -> Planned:
    """The same, with the steps that it begins with: long as they are, they are read only now."""
    if planned.of is None or not planned.at:
        return planned
    steps = store.steps(planned.instance.id, planned.of)
    return replace(planned, recorded=tuple(islice(steps, planned.at)))
