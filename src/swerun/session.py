"""One session: from a configuration to its runs, made ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from threading import Event

from swerun.again import Again, changed_by, instances_of
from swerun.config import RunConfig
from swerun.driving import IMAGE_JOBS, Prepared
from swerun.engine.local import Work, left
from swerun.engine.plan import side_by_side
from swerun.engine.refusal import Budget, refusal_of
from swerun.engine.slots import local_slots
from swerun.entrants import Entrant, entrant
from swerun.ground import Further, Ground, Say, ground_of, setting_of
from swerun.instances.selection import Chosen
from swerun.instances.subsets import dataset_hash
from swerun.lineup import found_out, introduce, lined_up, settled
from swerun.ports import Planned
from swerun.predictions import Predictions
from swerun.question import grade_jobs, members_of, run_wanted, session_of
from swerun.records import Instance, Overrides
from swerun.report.derived import reported
from swerun.runs.store import RunStore, open_or_create, refuse_another
from swerun.sandbox.containers import reap_orphans
from swerun.sandbox.docker import Profile, reap
from swerun.validation import sound_only
from swerun.workbench import Shared, bench_of, grading_profile

# from a run that is held, its instances by id, and what is asked of them otherwise than it asks
Planning = Callable[[RunStore, Mapping[str, Instance], Overrides], Sequence[Planned]]


@contextmanager
def prepared(
    config: RunConfig,
    environment: Mapping[str, str],
    cancel: Event,
    say: Say = lambda _: None,
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
    with ExitStack() as open_:
        setting, hub = setting_of(config, environment, cancel, say, open_)
        entrants, chosen = lined_up(setting, hub, say, predictions, goes_on=not probing)
        dataset = dataset_hash(chosen.subset.instances)

        def settle(who: Entrant) -> Entrant:
            return settled(config, who, dataset, chosen, say)

        ground = ground_of(setting, entrants, chosen, settle, say)
        if probing:
            config = config.model_copy(update={"runs": ground.validations.folder})
        if config.sound_only:
            chosen = sound_only(config, chosen.subset, ground.validations, say)
        ground = replace(ground, config=config, chosen=chosen, probing=probing)
        wanted = [run_wanted(config, question, chosen) for question in ground.questions]
        for record in wanted:
            refuse_another(config.runs, record)
        introduce(chosen.subset, ground.entrants, ground.resources.cpus, say)
        ground.images.begin(chosen.instances)
        stores = [_held(open_or_create(config.runs, record), open_) for record in wanted]
        yield _prepared(ground, stores)


@contextmanager
def prepared_again(
    run: Again, environment: Mapping[str, str], cancel: Event, say: Say, plan: Planning
) -> Iterator[Prepared]:
    """Further attempts of a run that is there, those that `plan` says once it is held.

    Raises as `prepared`, and InputError where the run's question cannot be asked any more.
    """
    config = run.config
    with ExitStack() as open_:
        setting, hub = setting_of(config, environment, cancel, say, open_)
        subset = instances_of(run, hub)
        who = entrant(config.model[0], setting)

        def settle(who: Entrant) -> Entrant:
            return _settled_again(run, who, say)

        ground = ground_of(setting, [who], Chosen(subset, ()), settle, say)
        changed = changed_by(run, ground.questions[0])
        introduce(subset, ground.entrants, ground.resources.cpus, say)
        store = _held(run.store, open_)
        instances = {instance.id: instance for instance in subset.instances}
        planned = tuple(plan(store, instances, changed))
        chosen = Chosen(subset, tuple({p.instance.id: p.instance for p in planned}.values()))
        ground.images.begin(chosen.instances)
        ground = replace(ground, chosen=chosen, further=Further(planned, changed))
        yield _prepared(ground, [store])


def _settled_again(run: Again, who: Entrant, say: Say) -> Entrant:
    """Of --protocol auto by the protocol that the run was begun with, where it is still asked."""
    asked = run.record.question
    is_asked = who.name == asked.model and run.flags.isdisjoint({"base_url", "models", "protocol"})
    if who.undecided and asked.scaffold and is_asked:
        return who.undecided.by(asked.scaffold.protocol)
    return found_out(who, say)


def _held(store: RunStore, open_: ExitStack) -> RunStore:
    """The run, and its lock until `open_` is closed."""
    open_.enter_context(store.locked())
    return store


def _prepared(ground: Ground, stores: Sequence[RunStore]) -> Prepared:
    """Runs whose locks are ours, with this session noted in each."""
    ground = replace(ground, chosen=_housed(ground, [store.label() for store in stores]))
    shared, budget = _shared(ground), _budget(ground, stores)
    entries = tuple(
        (_bounded(ground, _work(ground, who, store, shared), budget), who)
        for who, store in zip(ground.entrants, stores, strict=True)
    )
    return Prepared(
        ground.config, ground.client, entries, ground.cancel, ground.validations, budget
    )


def _housed(ground: Ground, runs: Sequence[str]) -> Chosen:
    """What the runs' images are noted to be for, and with --disk where they have to fit: then those
    that share layers are side by side."""
    config, images, chosen = ground.config, ground.images, ground.chosen
    images.run = runs[0]
    if config.images.disk is None:
        return chosen
    images.keep_below(config.images.disk, runs)
    return replace(chosen, instances=side_by_side(chosen.instances))


def _shared(ground: Ground) -> Shared:
    config, instances = ground.config, ground.chosen.instances
    grading = grade_jobs(config)
    slots = local_slots(
        images=IMAGE_JOBS, agents=config.jobs, grading=grading, cancel=ground.cancel
    )
    known, outdated = ground.validations.soundness(instances), None
    if ground.probing:
        known, outdated = {}, ground.validations.outdated(instances)
    network, outside = ground.questions[0].grade_network, ground.images.settings
    return Shared(
        ground.client,
        ground.images,
        slots,
        ground.cancel,
        Profile(resources=ground.resources, network=config.network),
        grading_profile(ground.resources, network, outside),
        ground.cache,
        known,
        outdated,
    )


def _work(ground: Ground, who: Entrant, store: RunStore, shared: Shared) -> Work:
    """A run whose lock is ours, with this session noted in it."""
    reap(shared.client, store.label())  # what a killed process left of it
    reap_orphans(shared.client, store.shell_label())
    config, chosen, further = ground.config, ground.chosen, ground.further
    session = session_of(config, who, chosen, further.changed if further else None)
    session = session.model_copy(update={"soundness": shared.known})
    ids, members = [i.id for i in chosen.instances], members_of(chosen.instances)
    store.begin_session(session, ids, config.samples, members)
    bench = bench_of(config, who, shared, store.label())
    work = Work(store, bench, chosen.instances, config.samples, config.retries, who.is_over)
    work = replace(work, continues=config.continue_attempts)
    work = replace(work, asked=further.planned) if further else work
    work = replace(work, outdated=shared.outdated) if shared.outdated else work
    shared.images.expect(planned.instance for planned in left(work))
    return work


def _budget(ground: Ground, stores: Sequence[RunStore]) -> Budget | None:
    """What all runs may cost together, less what they have cost so far; what is asked for by itself
    has all of it."""
    if ground.config.budget is None:
        return None
    if ground.further:
        return Budget(ground.config.budget)
    pairs = zip(ground.entrants, stores, strict=True)
    spent = sum(who.price.of(reported(store).usage_all) for who, store in pairs if who.price)
    return Budget(ground.config.budget, spent)


def _bounded(ground: Ground, work: Work, budget: Budget | None) -> Work:
    """The same, with an end where money, or the need of it, has one."""
    stops = ground.config.stop_when_resolved and ground.further is None
    refusal = refusal_of(work.store, budget, stop_when_resolved=stops)
    return replace(work, bench=replace(work.bench, refusal=refusal), by_sample=stops)
