"""The Python face of swerun: a few functions, documented; all else may change."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

from swerun.config import RunConfig, cache_folder
from swerun.grading.verdict import grade_log
from swerun.instances.hub import Hub
from swerun.instances.subsets import load_subset
from swerun.records import Grade, Instance
from swerun.report.summary import Report
from swerun.runs.store import RunStore
from swerun.runs.store import open_run as _open_run

__all__ = ["grade_log", "grade_patch", "load_instances", "open_run", "run"]


def load_instances(
    subset: str | Path, split: str | None = None, revision: str | None = None
) -> list[Instance]:
    """The instances of a subset, by id: a name, a hub id (at `revision`, or its newest commit), a
    .parquet, .jsonl or .json, or the folder of a task repo.

    Raises InputError for what cannot be found, InstanceError for rows that are malformed.
    """
    hub = Hub.of(os.environ, cache_folder(None, os.environ))
    return list(load_subset(str(subset), split, revision, hub).instances)


def grade_patch(instance: Instance, patch: bytes | str, *, eval_seconds: float = 1800) -> Grade:
    """Grade one patch in a fresh container; nothing is written to disk.

    Raises NoEngineError, ImageError, or what keeps the tests from running: GraderError.
    """
    from swerun.workbench import grading

    given = patch.encode() if isinstance(patch, str) else patch
    with grading(os.environ, eval_seconds, instance.grade_network) as (images, grader):
        images.ensure(instance)
        return grader.grade(instance, given, attempt=1).grade


def run(config: RunConfig, cancel: Event | None = None) -> list[Report]:
    """What `swerun run` does, without its display: one report a model, in their order.

    Setting `cancel` ends it in order. Raises InputError, InstanceError, EndpointError or
    NoEngineError before anything has started.
    """
    from swerun.session import prepared

    with prepared(config, os.environ, cancel or Event()) as session:
        session.drive(lambda _: None)
        return session.reports()


def open_run(name: str, folder: str | Path = "runs") -> RunStore:
    """A run that is on disk: `.record()`, `.attempts()`, `.steps(id, k)`, `.patch(id, k)`.

    Raises InputError, with the runs there are, where there is none of that name.
    """
    return _open_run(name, Path(folder))
