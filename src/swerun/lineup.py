"""Who is measured on which instances: found out, and checked, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from swerun.config import RunConfig
from swerun.entrants import AUTO, Entrant, Setting, entrant, predicted
from swerun.errors import InputError
from swerun.grading.parsers import parser_of
from swerun.instances.gradable import check_gradable
from swerun.instances.hub import Hub
from swerun.instances.selection import Chosen, Subset, select
from swerun.instances.subsets import dataset_hash, load_subset
from swerun.models.recording import check_writable
from swerun.predictions import Predictions, match
from swerun.question import question_of, recording_name, run_name, run_wanted
from swerun.records import Instance
from swerun.revision import gone_on_with, pinned, unpinned
from swerun.runs.store import begun
from swerun.workbench import said_of_cores

Say = Callable[[str], None]


def lined_up(
    setting: Setting,
    hub: Hub,
    say: Say,
    predictions: Predictions | None = None,
    *,
    goes_on: bool = True,
) -> tuple[list[Entrant], Chosen]:
    """Who is measured, and on what; with `predictions` those are the patches of the one who is.

    With `goes_on` a dataset of the hub is of the commit that an earlier session was of. Raises
    InputError, InstanceError.
    """
    config = setting.config
    if predictions:
        entrants = [predicted(predictions, config)]
    else:
        entrants = [entrant(name, setting) for name in config.model]
    chosen = select(_loaded(config, entrants if goes_on else [], hub), config.selection)
    if predictions:
        entrants, chosen = _with_patches(entrants, chosen, predictions, say)
    _check(config, chosen.instances)
    return entrants, chosen


def settled(config: RunConfig, who: Entrant, dataset: str, chosen: Chosen, say: Say) -> Entrant:
    """Of --protocol auto: by the protocol that this question's run was begun with, or, where there
    is none, by the one that its endpoint is found to speak. `dataset` is the hash of the subset's
    instances. Raises EndpointError."""
    if who.undecided is None:
        return who
    for protocol in () if config.fresh else who.undecided.protocols:
        known = who.undecided.by(protocol)
        asked = question_of(config, known, dataset, chosen.subset)
        there = begun(config.runs, run_wanted(config, asked, chosen))
        if there and any(AUTO in session.note for session in there.sessions):
            return known
    return found_out(who, say)


def found_out(who: Entrant, say: Say) -> Entrant:
    """Who it is by the protocol that its endpoint is found to speak. Raises EndpointError."""
    if who.undecided is None:
        return who
    say(f"{who.introduction}: which protocol?")
    return who.undecided.by(who.undecided.ask())


def introduce(subset: Subset, entrants: Sequence[Entrant], cpus: float, say: Say) -> None:
    """Say of what the runs are and who is measured, and find out whether their endpoints work. A
    container has `cpus` cores. Raises EndpointError."""
    if pinned(subset.source):
        say(f"{subset.name} is {subset.source}")
    for who in entrants:
        say(who.introduction)
        if said := who.check():
            say(f"{who.name}: {said}")
    if few := said_of_cores(cpus):
        say(few)


def _loaded(config: RunConfig, entrants: Sequence[Entrant], hub: Hub) -> Subset:
    """The subset, of the hub at the commit that a run to go on with has, else at the newest."""
    if config.revision is None:
        for who in (each for one in entrants for each in _either(one)):
            asked = question_of(config, who, "", Subset(config.subset, (), "", ""))
            for past in gone_on_with(config, run_name(config, who.name, ""), asked):
                there = load_subset(unpinned(config.subset), config.split, pinned(past.source), hub)
                if dataset_hash(there.instances) == past.question.dataset_hash:
                    return there
    return load_subset(config.subset, config.split, config.revision, hub)


def _either(who: Entrant) -> list[Entrant]:
    """Who it may turn out to be, as long as it is not known which protocol it speaks."""
    undecided = who.undecided
    return [undecided.by(protocol) for protocol in undecided.protocols] if undecided else [who]


def _with_patches(
    entrants: Sequence[Entrant], chosen: Chosen, predictions: Predictions, say: Say
) -> tuple[list[Entrant], Chosen]:
    """Who knows which instances have no prediction, and those that have one."""
    found = match(predictions, chosen.subset.instances, chosen.instances)
    for note in (*predictions.notes, *found.notes):
        say(note)
    knowing = [replace(who, missing=found.missing) for who in entrants]
    return knowing, replace(chosen, instances=found.instances)


def _check(config: RunConfig, chosen: Sequence[Instance]) -> None:
    """What would else be found out after hours of solving. Raises InputError, InstanceError."""
    if len(set(config.model)) < len(config.model):
        raise InputError("a --model is given twice: several tries are --attempts N")
    check_gradable(chosen)
    for instance in chosen:
        parser_of(instance)
    if config.record:
        for name in config.model:
            check_writable(config.record / recording_name(name))
