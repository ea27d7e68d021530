"""A run out of what a peer wrote: its attempts as far as they were recorded, their grades open."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Event

from swerun.conduct.audit import conduct_of
from swerun.config import RunConfig
from swerun.exchange.peers import Found
from swerun.exchange.told import Told
from swerun.ground import setting_of
from swerun.instances.subsets import dataset_hash
from swerun.lineup import lined_up
from swerun.question import members_of, question_of, run_wanted, session_of
from swerun.records import Cause, Imported, Solved, Started, Stop, Task, Usage
from swerun.runs.store import RunStore, open_or_create


def import_run(
    config: RunConfig,
    found: Found,
    environment: Mapping[str, str],
    say: Callable[[str], None] = lambda _: None,
) -> RunStore:
    """The run of what was found, new or gone on with: what is in it already is left as it is.

    Raises InputError where nothing of it can be graded, where a run of that name asks another
    question, and where another process works on it.
    """
    with ExitStack() as open_:
        setting, hub = setting_of(config, environment, Event(), say, open_)
        (who,), chosen = lined_up(setting, hub, say, found.predictions)
        dataset = dataset_hash(chosen.subset.instances)
        question = question_of(config, who, dataset, chosen.subset)
        store = open_or_create(config.runs, run_wanted(config, question, chosen))
        open_.enter_context(store.locked())
        ids = [instance.id for instance in chosen.instances]
        session = session_of(config, who, chosen)
        store.begin_session(session, ids, config.samples, members_of(chosen.instances))
        tasks = {each.id: each.task for each in chosen.instances if not _is_there(store, each.id)}
        _bring_in(store, found, tasks)
    return store


def _is_there(store: RunStore, instance_id: str) -> bool:
    return any(past.kept or past.done for past in store.past(instance_id))


def _bring_in(store: RunStore, found: Found, tasks: Mapping[str, Task]) -> None:
    """Attempts at these, the trajectories in the order in which they are read."""
    left = dict(tasks)
    for told in found.told(frozenset(tasks)):
        left.pop(told.prediction.instance_id, None)
        _write(store, found, tasks[told.prediction.instance_id], told)
    for _, task in sorted(left.items()):
        _write(store, found, task, None)


def _write(store: RunStore, found: Found, task: Task, told: Told | None) -> None:
    instance_id = task.id
    number, patch = store.newest(instance_id) + 1, found.predictions.patches[instance_id]
    solved = Solved(
        instance_id=instance_id,
        attempt=number,
        stop=None if found.predictions.peer else Stop.GIVEN,
        imported=Imported() if found.predictions.peer else None,
        conduct=conduct_of(told.steps, task, patch) if told else None,
        patch_bytes=len(patch),
        patch_sha256=hashlib.sha256(patch).hexdigest(),
        started_at=datetime.now(UTC),
        seconds=0,
    )
    with store.attempt(instance_id, number, Started(cause=Cause.IMPORTED)) as log:
        for step in told.steps if told else ():
            log.step(step)
        log.solved(_as_told(solved, told) if told else solved, patch)


def _as_told(solved: Solved, told: Told) -> Solved:
    summed = sum((step.reply.usage for step in told.steps), Usage())
    return solved.model_copy(
        update={
            "stop": told.stop,
            "steps": len(told.steps),
            "usage": told.usage or summed,
            "model_served": told.steps[-1].reply.model if told.steps else "",
            "seconds": told.seconds or 0,
            "imported": Imported(ended=told.ended, cost=told.cost, seconds=told.seconds),
        }
    )
