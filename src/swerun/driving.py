"""Runs that are made ready, driven to their end, and reported on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from swerun.config import RunConfig
from swerun.engine.events import Happened
from swerun.engine.local import LocalEngine, Work, left
from swerun.engine.refusal import Budget
from swerun.entrants import Entrant
from swerun.models.recording import RecordingInfo, made_now, write_recording
from swerun.question import grade_jobs, recording_name
from swerun.records import Step
from swerun.report.compare import Comparison, common, compared
from swerun.report.derived import derive, side
from swerun.report.summary import Report
from swerun.runs.store import RunStore
from swerun.sandbox.docker import reap
from swerun.validation import Validations

if TYPE_CHECKING:
    from docker import DockerClient

SETTLE = 3.0  # seconds: with all else that a stop does, under the 5 that a user is promised
IMAGE_JOBS = 4  # pulls and builds at once: they wait for the network and the engine's disk


@dataclass(frozen=True, slots=True)
class Prepared:
    """Runs whose input is known to be good, whose lock is held, and nothing of which is running."""

    config: RunConfig
    client: DockerClient
    entries: tuple[tuple[Work, Entrant], ...]
    cancel: Event
    validations: Validations
    budget: Budget | None = None

    def left(self) -> int:
        """How many attempts there are to make."""
        return sum(len(left(work)) for work, _ in self.entries)

    def drive(self, listener: Callable[[Happened], None]) -> None:
        """Make every attempt that is left. When `cancel` is set the runs' containers are removed,
        which ends what is blocked in them, and this returns within SETTLE seconds."""
        threads = self.config.jobs + grade_jobs(self.config) + IMAGE_JOBS
        works = [work for work, _ in self.entries]
        engine = LocalEngine(works, threads, self._paying(listener), self.cancel)
        try:
            engine.run()
        finally:
            if self.cancel.is_set():
                self._reap()
                engine.settle(SETTLE)
                self._reap()  # what was being started meanwhile

    def _paying(self, listener: Callable[[Happened], None]) -> Callable[[Happened], None]:
        """`listener`, with each step's cost taken from the budget before."""
        budget = self.budget
        if budget is None:
            return listener
        prices = {work.store.name: who.price for work, who in self.entries}

        def pay(event: Happened) -> None:
            if isinstance(event.what, Step) and (price := prices[event.run]):
                budget.pay(event.what, price)
            listener(event)

        return pay

    def reports(self) -> list[Report]:
        """Derived files written, reports returned, in the order of the models; with `record` the
        conversations that count are written there too, as demo/NAME can serve them."""
        reports = [derive(work.store) for work, _ in self.entries]
        if self.config.record:
            for (work, who), report in zip(self.entries, reports, strict=True):
                _record(self.config.record, work.store, who, report)
        return reports

    def compared(self) -> Comparison | None:
        """The runs side by side and in pairs, as `swerun compare` has them; None of one run, or
        where there is no instance that all of them have done."""
        sides = [side(work.store) for work, _ in self.entries]
        return compared(sides) if len(sides) > 1 and common(sides) else None

    def shut(self) -> list[str]:
        """Why some attempts were not begun, each reason once: endpoints that serve no more, and the
        budget, where it has left something undone."""
        governors = [who.governor for _, who in self.entries if who.governor]
        spent = self.budget.refusal if self.budget and self.left() else ""
        return list(dict.fromkeys(filter(None, [*(g.shut for g in governors), spent])))

    def _reap(self) -> None:
        for work, _ in self.entries:
            reap(self.client, work.store.label())


def _record(root: Path, store: RunStore, who: Entrant, report: Report) -> None:
    if who.scaffold is None:
        return
    name = recording_name(who.name)
    fresh = RecordingInfo(
        name=name,
        recorded_from=name,
        date=datetime.now(UTC).date().isoformat(),
        protocol=who.scaffold.protocol,
        prompt_hash=who.scaffold.prompt_hash,
        limits=who.limits,
        sampling=who.sampling,
    )
    conversations = {
        row.instance_id: list(store.steps(row.instance_id, row.attempt))
        for row in report.rows
        if row.attempt and row.sample == 1 and row.outcome and row.outcome.is_verdict
    }
    write_recording(root / name, made_now(root / name, fresh), conversations)
