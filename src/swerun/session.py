"""One session: from a configuration to its runs, made ready and driven to their end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from swerun.config import RunConfig, cache_folder
from swerun.engine.events import Happened
from swerun.engine.local import LocalEngine, Work, left
from swerun.engine.plan import side_by_side
from swerun.engine.refusal import Budget, refusal_of
from swerun.engine.slots import local_slots
from swerun.entrants import Entrant, Setting
from swerun.images.clean import CleanImages
from swerun.images.store import EngineImages
from swerun.instances.hub import Hub
from swerun.instances.selection import Chosen
from swerun.instances.subsets import dataset_hash
from swerun.lineup import introduce, lined_up, settled
from swerun.models.governor import Governors
from swerun.models.recording import RecordingInfo, made_now, write_recording
from swerun.predictions import Predictions
from swerun.question import (
    folder_name,
    grade_jobs,
    members_of,
    question_of,
    recording_name,
    run_wanted,
    session_of,
)
from swerun.records import RunRecord, Step
from swerun.report.derived import derive, reported
from swerun.report.summary import Report
from swerun.repos.plain import require_git
from swerun.runs.store import RunStore, open_or_create
from swerun.sandbox.docker import Profile, reap
from swerun.validation import Validations, sound_only
from swerun.workbench import Shared, bench_of, connected, fitting, grading_profile

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
                budget.add(price.of(event.what.reply.usage))
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

    def shut(self) -> list[str]:
        """Why some attempts were not begun, each reason once: endpoints that serve no more, and the
        budget, where it has left something undone."""
        governors = [who.governor for _, who in self.entries if who.governor]
        spent = self.budget.refusal if self.budget and self.left() else ""
        return list(dict.fromkeys(filter(None, [*(g.shut for g in governors), spent])))

    def _reap(self) -> None:
        for work, _ in self.entries:
            reap(self.client, work.store.label())


@contextmanager
def prepared(
    config: RunConfig,
    environment: Mapping[str, str],
    cancel: Event,
    say: Callable[[str], None] = lambda _: None,
    *,
    predictions: Predictions | None = None,
    probing: bool = False,
) -> Iterator[Prepared]:
    """Find out what is wrong with the input before anything starts; then hold the runs' locks.

    What takes a while (an endpoint that is asked, a base image that is made) is told to `say`
    before. With `predictions` nobody solves: those are the patches of the one model. With `probing`
    the instances are measured, by runs that are kept in the cache. Raises InputError,
    InstanceError, EndpointError, ImageError or NoEngineError, with nothing written.
    """
    cache = cache_folder(config.cache, environment)
    with ExitStack() as open_:
        governors = Governors(config.jobs, config.endpoint_patience, config.rpm, config.tpm, say)
        setting = Setting(config, environment, open_, governors, cancel)
        hub = Hub.of(environment, cache)
        entrants, chosen = lined_up(setting, hub, say, predictions, goes_on=not probing)
        client = open_.enter_context(connected(environment))
        images = EngineImages(client, cache, say, config.images, environment, cancel)
        subset, dataset = chosen.subset, dataset_hash(chosen.subset.instances)
        entrants = [settled(config, who, dataset, chosen, say) for who in entrants]
        if any(who.scaffold for who in entrants):
            require_git()  # which images are looked at with
        questions = [question_of(config, who, dataset, subset) for who in entrants]
        validations = Validations(_validations_folder(cache, client), questions[0], images.here)
        if probing:
            config = config.model_copy(update={"runs": validations.folder})
        if config.sound_only:
            chosen = sound_only(config, subset, validations, say)
        wanted = [run_wanted(config, question, chosen) for question in questions]
        resources = fitting(config.resources, client.info()["NCPU"])
        introduce(config, wanted, entrants, resources.cpus, say)
        images.begin(chosen.instances)
        stores = [_held(config.runs, record, open_) for record in wanted]
        chosen = _housed(config, chosen, images, [store.label() for store in stores])
        slots = local_slots(
            images=IMAGE_JOBS, agents=config.jobs, grading=grade_jobs(config), cancel=cancel
        )
        known = {} if probing else validations.soundness(chosen.instances)
        outdated = validations.outdated(chosen.instances) if probing else None
        agent = Profile(resources=resources, network=config.network)
        grading = grading_profile(resources, questions[0].grade_network, images.settings)
        clean = CleanImages(images, config.allow_leaks)
        shared = Shared(
            client, images, clean, slots, cancel, agent, grading, cache, known, outdated
        )
        budget = _budget(config, entrants, stores)
        entries = tuple(
            (_bounded(config, _work(config, who, store, shared, chosen), budget), who)
            for who, store in zip(entrants, stores, strict=True)
        )
        yield Prepared(config, client, entries, cancel, validations, budget)


def _housed(config: RunConfig, chosen: Chosen, images: EngineImages, runs: Sequence[str]) -> Chosen:
    """What the runs' images are noted to be for, and with --disk where they have to fit: then those
    that share layers are side by side."""
    images.run = runs[0]
    if config.images.disk is None:
        return chosen
    images.keep_below(config.images.disk, runs)
    return replace(chosen, instances=side_by_side(chosen.instances))


def _held(runs: Path, wanted: RunRecord, open_: ExitStack) -> RunStore:
    """The run, new or gone on with, and its lock until `open_`."""
    store = open_or_create(runs, wanted)
    open_.enter_context(store.locked())
    return store


def _work(config: RunConfig, who: Entrant, store: RunStore, shared: Shared, chosen: Chosen) -> Work:
    """A run whose lock is ours, with this session noted in it."""
    reap(shared.client, store.label())  # what a killed process left of it
    session = session_of(config, who, chosen).model_copy(update={"soundness": shared.known})
    ids, members = [i.id for i in chosen.instances], members_of(chosen.instances)
    store.begin_session(session, ids, config.samples, members)
    bench = bench_of(config, who, shared, store.label())
    work = Work(store, bench, chosen.instances, config.samples, config.retries, who.is_over)
    work = replace(work, outdated=shared.outdated) if shared.outdated else work
    shared.images.expect(planned.instance for planned in left(work))
    return work


def _budget(
    config: RunConfig, entrants: Sequence[Entrant], stores: Sequence[RunStore]
) -> Budget | None:
    """What all runs may cost together, less what they have cost so far."""
    if config.budget is None:
        return None
    pairs = zip(entrants, stores, strict=True)
    spent = sum(who.price.of(reported(store).usage_all) for who, store in pairs if who.price)
    return Budget(config.budget, spent)


def _bounded(config: RunConfig, work: Work, budget: Budget | None) -> Work:
    """The same, with an end where money, or the need of it, has one."""
    stops = config.stop_when_resolved
    refusal = refusal_of(work.store, budget, stop_when_resolved=stops)
    return replace(work, bench=replace(work.bench, refusal=refusal), by_sample=stops)


def _validations_folder(cache: Path, client: DockerClient) -> Path:
    """Of this engine alone: a home may be shared by machines."""
    return cache / "soundness" / folder_name(client.info()["Name"])


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
