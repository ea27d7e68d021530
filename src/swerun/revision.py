"""Which commit of a dataset a run is of: the one that it began with, for as long as it goes on."""

from __future__ import annotations

import re

from swerun.config import RunConfig
from swerun.records import Question, RunRecord
from swerun.runs.store import list_runs


def pinned(source: str) -> str:
    """The commit of `org/name@<commit>`; "" of what is on this machine."""
    found = re.search(r"@([^/]*)$", source)
    return found[1] if found else ""


def unpinned(subset: str) -> str:
    """`org/name@revision` without the revision; whatever else as it is."""
    return re.sub(r"@[^/]*$", "", subset)


def gone_on_with(config: RunConfig, name: str, asked: Question) -> list[RunRecord]:
    """The runs of a dataset of the hub that a command may go on with, the newest first: the one
    that is named with --run, or those that ask `asked`, of which the data are not known yet.

    `name` is what the run is called, without the fingerprint that it may end with.
    """
    if config.fresh:
        return []
    there = (
        store.record()
        for store in list_runs(config.runs)
        if store.name == name or (not config.run and store.name.startswith(name))
    )
    found = [
        record
        for record in there
        if record.subset == config.subset
        and pinned(record.source)
        and (record.name == config.run or _but_for_data(record.question, config, asked) == asked)
    ]
    return sorted(found, key=lambda record: record.created_at, reverse=True)


def _but_for_data(question: Question, config: RunConfig, asked: Question) -> Question:
    network = {} if config.grade_network else {"grade_network": asked.grade_network}
    return question.model_copy(update={"dataset_hash": asked.dataset_hash} | network)
