"""One session: from a configuration to its runs, made ready and driven to their end."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from swerun.attempt import Bench
from swerun.config import RunConfig, cache_folder
from swerun.engine.events import Happened
from swerun.engine.local import LocalEngine, Work, left
from swerun.engine.plan import side_by_side
from swerun.engine.slots import LocalSlots, local_slots
from swerun.entrants import AUTO, DEMO, Entrant, Setting, entrant
from swerun.errors import InputError
from swerun.grading.grader import GRADER_VERSION, Probe, SandboxGrader
from swerun.grading.parsers import parser_named
from swerun.images.build import Settings
from swerun.images.store import EngineImages
from swerun.instances.gradable import check_gradable
from swerun.instances.hub import Hub
from swerun.instances.selection import Chosen, Subset, select
from swerun.instances.subsets import dataset_hash, load_subset
from swerun.models.governor import Governors
from swerun.models.protocols import PROTOCOLS
from swerun.models.recording import RecordingInfo, check_writable, made_now, write_recording
from swerun.records import (
    Attempt,
    Instance,
    Question,
    Resources,
    Role,
    RunRecord,
    Session,
    Soundness,
)
from swerun.report.derived import derive
from swerun.report.summary import Report
from swerun.revision import gone_on_with, pinned, unpinned
from swerun.runs.store import RunStore, begun, open_or_create, refuse_another
from swerun.sandbox.client import connect
from swerun.sandbox.docker import DockerSandboxes, Profile, reap
from swerun.validation import Validations, sound_only
from swerun.version import __version__

if TYPE_CHECKING:
    from docker import DockerClient

SETTLE = 3.0  # seconds: with all else that a stop does, under the 5 that a user is promised


@dataclass(frozen=True, slots=True)
class Prepared:
    """Runs whose input is known to be good, whose lock is held, and nothing of which is running."""

    config: RunConfig
    client: DockerClient
    entries: tuple[tuple[Work, Entrant], ...]
    cancel: Event
    validations: Validations

    def left(self) -> int:
        """How many attempts there are to make."""
        return sum(len(left(work)) for work, _ in self.entries)

    def drive(self, listener: Callable[[Happened], None]) -> None:
        """Make every attempt that is left. When `cancel` is set the runs' containers are removed,
        which ends what is blocked in them, and this returns within SETTLE seconds."""
        threads = self.config.jobs + grade_jobs(self.config) + IMAGE_JOBS
        engine = LocalEngine([work for work, _ in self.entries], threads, listener, self.cancel)
        try:
            engine.run()
        finally:
            if self.cancel.is_set():
                self._reap()
                engine.settle(SETTLE)
                self._reap()  # what was being started meanwhile

    def reports(self) -> list[Report]:
        """Derived files written, reports returned, in the order of the models; with `record` the
        conversations that count are written there too, as demo/NAME can serve them."""
        reports = [derive(work.store) for work, _ in self.entries]
        if self.config.record:
            for (work, who), report in zip(self.entries, reports, strict=True):
                _record(self.config.record, work.store, who, report)
        return reports

    def shut(self) -> list[str]:
        """Why there are endpoints that serve no more, each reason once."""
        governors = [who.governor for _, who in self.entries if who.governor]
        return list(dict.fromkeys(g.shut for g in governors if g.shut))

    def _reap(self) -> None:
        for work, _ in self.entries:
            reap(self.client, work.store.label())


IMAGE_JOBS = 4  # pulls and builds at once: they wait for the network and the engine's disk


def grade_jobs(config: RunConfig) -> int:
    return config.grade_jobs or os.cpu_count() or 1


@contextmanager
def prepared(
    config: RunConfig,
    environment: Mapping[str, str],
    cancel: Event,
    say: Callable[[str], None] = lambda _: None,
    *,
    probing: bool = False,
) -> Iterator[Prepared]:
    """Find out what is wrong with the input before anything starts; then hold the runs' locks.

    What takes a while (an endpoint that is asked, a base image that is made) is told to `say`
    before. With `probing` the instances are measured, by runs that are kept in the cache. Raises
    InputError, InstanceError, EndpointError, ImageError or NoEngineError, with nothing written.
    """
    cache = cache_folder(config.cache, environment)
    with ExitStack() as open_:
        governors = Governors(config.jobs, config.endpoint_patience, config.rpm, config.tpm, say)
        setting = Setting(config, environment, open_, governors, cancel)
        entrants = [entrant(name, setting) for name in config.model]
        subset = _loaded(config, [] if probing else entrants, Hub.of(environment, cache))
        chosen = select(subset, config.selection)
        _check(config, chosen.instances)
        client = open_.enter_context(_connected(environment))
        images = EngineImages(client, cache, say, config.images, environment, cancel)
        dataset = dataset_hash(subset.instances)
        entrants = [_settled(config, who, dataset, chosen, say) for who in entrants]
        questions = [_question(config, who, dataset, subset) for who in entrants]
        validations = Validations(_validations_folder(cache, client), questions[0], images.here)
        if probing:
            config = config.model_copy(update={"runs": validations.folder})
        if config.sound_only:
            chosen = sound_only(config, subset, validations, say)
        wanted = [_wanted(config, question, chosen) for question in questions]
        for record in wanted:
            refuse_another(config.runs, record)
        if pinned(subset.source):
            say(f"{subset.name} is {subset.source}")
        for who in entrants:
            say(who.introduction)
            if said := who.check():
                say(f"{who.name}: {said}")
        images.begin(chosen.instances)
        stores = [_held(config.runs, record, open_) for record in wanted]
        chosen = _housed(config, chosen, images, [store.label() for store in stores])
        slots = local_slots(
            images=IMAGE_JOBS, agents=config.jobs, grading=grade_jobs(config), cancel=cancel
        )
        known = {} if probing else validations.soundness(chosen.instances)
        outdated = validations.outdated(chosen.instances) if probing else None
        shared = Shared(client, images, slots, cancel, questions[0].grade_network, known, outdated)
        entries = tuple(
            (_work(config, who, store, shared, chosen), who)
            for who, store in zip(entrants, stores, strict=True)
        )
        yield Prepared(config, client, entries, cancel, validations)


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
    session = _session(config, who, chosen).model_copy(update={"soundness": shared.known})
    store.begin_session(session, [i.id for i in chosen.instances], config.samples)
    bench = _bench(config, who, shared, store.label())
    work = Work(store, bench, chosen.instances, config.samples, config.retries, who.is_over)
    work = replace(work, outdated=shared.outdated) if shared.outdated else work
    shared.images.expect(planned.instance for planned in left(work))
    return work


def _validations_folder(cache: Path, client: DockerClient) -> Path:
    """Of this engine alone: a home may be shared by machines."""
    return cache / "soundness" / folder_name(client.info()["Name"])


def _loaded(config: RunConfig, entrants: Sequence[Entrant], hub: Hub) -> Subset:
    """The subset, of the hub at the commit that a run to go on with has, else at the newest."""
    if config.revision is None:
        for who in (each for one in entrants for each in _either(one)):
            asked = _question(config, who, "", Subset(config.subset, (), "", ""))
            for past in gone_on_with(config, run_name(config, who.name, ""), asked):
                there = load_subset(unpinned(config.subset), config.split, pinned(past.source), hub)
                if dataset_hash(there.instances) == past.question.dataset_hash:
                    return there
    return load_subset(config.subset, config.split, config.revision, hub)


def _either(who: Entrant) -> list[Entrant]:
    """Who it may turn out to be, as long as it is not known which protocol it speaks."""
    undecided = who.undecided
    return [undecided.by(protocol) for protocol in PROTOCOLS] if undecided else [who]


def _check(config: RunConfig, chosen: Sequence[Instance]) -> None:
    """What would else be found out after hours of solving. Raises InputError, InstanceError."""
    if len(set(config.model)) < len(config.model):
        raise InputError("a --model is given twice: several tries are --attempts N")
    check_gradable(chosen)
    for instance in chosen:
        parser_named(instance.answer.log_parser)
    if config.record:
        for name in config.model:
            check_writable(config.record / recording_name(name))


def _settled(
    config: RunConfig,
    who: Entrant,
    dataset: str,
    chosen: Chosen,
    say: Callable[[str], None],
) -> Entrant:
    """Of --protocol auto: by the protocol that this question's run was begun with, or, where there
    is none, by the one that its endpoint is found to speak. Raises EndpointError."""
    if who.undecided is None:
        return who
    for protocol in () if config.fresh else PROTOCOLS:
        known = who.undecided.by(protocol)
        there = begun(
            config.runs,
            _wanted(config, _question(config, known, dataset, chosen.subset), chosen),
        )
        if there and any(AUTO in session.note for session in there.sessions):
            return known
    say(f"{who.introduction}: which protocol?")
    return who.undecided.by(who.undecided.ask())


@contextmanager
def _connected(environment: Mapping[str, str]) -> Iterator[DockerClient]:
    client = connect(environment)
    try:
        yield client
    finally:
        client.close()


@contextmanager
def grading(
    environment: Mapping[str, str], eval_seconds: float, network: str
) -> Iterator[tuple[EngineImages, SandboxGrader]]:
    """Images and a grader without a run: for one patch at a time. `network` is the grading's.

    Raises NoEngineError.
    """
    config = RunConfig(model=("given",))
    with _connected(environment) as client:
        run = f"grading-{uuid.uuid4().hex[:12]}"
        images = EngineImages(client, cache_folder(config.cache, environment))
        sandboxes = _sandboxes(config, client, run, network, images.settings)
        try:
            yield images, SandboxGrader(sandboxes, eval_seconds=eval_seconds)
        finally:
            reap(client, sandboxes.run)


def folder_name(text: str) -> str:
    """`text` with a dash for whatever a folder's name had better not have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)


def recording_name(model: str) -> str:
    """What a model's recording is called, and its folder."""
    return folder_name(model.removeprefix(DEMO))


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


@dataclass(frozen=True, slots=True)
class Shared:
    """What all runs of a session use together."""

    client: DockerClient
    images: EngineImages
    slots: LocalSlots
    cancel: Event
    grade_network: str
    known: Mapping[str, Soundness]  # of the instances, as far as it is
    outdated: Callable[[Attempt], bool] | None  # set where it is the instances that are measured


def _bench(config: RunConfig, who: Entrant, shared: Shared, run: str) -> Bench:
    outside = shared.images.settings
    sandboxes = _sandboxes(config, shared.client, run, shared.grade_network, outside)
    grader = SandboxGrader(sandboxes, eval_seconds=who.limits.eval_seconds)
    measured = Probe(grader) if shared.outdated else grader
    return Bench(shared.images, who.solver(sandboxes), measured, shared.slots, shared.cancel)


def fitting(resources: Resources, cpus: int) -> Resources:
    """`resources` on an engine with so many cores, which takes no container that asks for more.

    Raises InputError for a number that somebody chose; the default becomes what there is.
    """
    if resources.cpus <= cpus:
        return resources
    if resources.cpus != Resources().cpus:
        raise InputError(f"--cpus {resources.cpus:g}: the engine has {cpus} cores")
    return resources.model_copy(update={"cpus": float(cpus)})


def _sandboxes(
    config: RunConfig, client: DockerClient, run: str, grade_network: str, outside: Settings
) -> DockerSandboxes:
    resources = fitting(config.resources, client.info()["NCPU"])
    return DockerSandboxes(
        client=client,
        run=run,
        owner=f"{platform.node()}:{os.getpid()}",
        profiles={
            Role.AGENT: Profile(resources=resources, network=config.network),
            Role.GRADING: grading_profile(resources, grade_network, outside),
        },
    )


def grading_profile(resources: Resources, network: str, outside: Settings) -> Profile:
    """A grading's container knows of the way out what builds do; an agent's knows nothing."""
    return Profile(
        resources=resources,
        network=network,
        environment={**outside.proxies, **outside.variables},
        ca_bundle=outside.ca_bundle,
    )


def _question(config: RunConfig, who: Entrant, dataset: str, subset: Subset) -> Question:
    return Question(
        model=who.name,
        dataset_hash=dataset,
        scaffold=who.scaffold,
        sampling=who.sampling,
        limits=who.limits,
        resources=config.resources,
        network=config.network,
        grade_network=config.grade_network or subset.grade_network,
        grading=GRADER_VERSION,
    )


def _wanted(config: RunConfig, question: Question, chosen: Chosen) -> RunRecord:
    fingerprint = fingerprint_of(question)
    name = run_name(config, question.model, fingerprint)
    if config.fresh:
        name = _unused(config.runs, name)
    return RunRecord(
        name=name,
        model=question.model,
        subset=config.subset,
        source=chosen.subset.source,
        fingerprint=fingerprint,
        question=question,
        selection=tuple(instance.id for instance in chosen.instances),
        samples=config.samples,
        created_at=datetime.now(UTC),
    )


def fingerprint_of(question: Question) -> str:
    """64 hex digits, the same for the same question whatever the order of its keys.

    Of what is not the default only, so that a later swerun, which may ask for more, finds its runs
    again. Whether two questions are the same is not decided by it.
    """
    asked = json.dumps(question.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
    return hashlib.sha256(asked.encode()).hexdigest()


def run_name(config: RunConfig, model: str, fingerprint: str) -> str:
    """--run NAME, with the model where there are several; else model, subset and 8 hex digits.

    Raises InputError for a name that is no folder's.
    """
    if config.run:
        name = config.run if len(config.model) == 1 else f"{config.run}--{model}"
    else:
        # which revision it is of is the fingerprint's matter
        name = f"{model}--{Path(unpinned(config.subset)).name}--{fingerprint[:8]}"
    name = folder_name(name)
    if name.startswith("."):
        raise InputError(f"--run {config.run}: a run's name cannot begin with a dot")
    return name


def _unused(runs: Path, name: str) -> str:
    number = 2
    candidate = name
    while (runs / candidate).exists():
        candidate, number = f"{name}-{number}", number + 1
    return candidate


def _session(config: RunConfig, who: Entrant, chosen: Chosen) -> Session:
    return Session(
        started_at=datetime.now(UTC),
        swerun=__version__,
        python=platform.python_version(),
        engine="local",
        host=platform.node(),
        jobs=config.jobs,
        grade_jobs=grade_jobs(config),
        base_url=who.base_url,
        note=who.note,
        selection=config.selection,
        strata=chosen.strata,
    )
