"""What a run asks, what it is called for it, and what is noted of each session's work on it."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from swerun.circumstances import configured
from swerun.config import RunConfig
from swerun.entrants import DEMO, Entrant
from swerun.errors import InputError
from swerun.grading.verdict import GRADER_VERSION
from swerun.instances.selection import Chosen, Subset
from swerun.names import flaw_of
from swerun.records import Instance, Members, Overrides, Question, RunRecord, Session
from swerun.revision import unpinned
from swerun.version import __version__


def question_of(config: RunConfig, who: Entrant, dataset: str, subset: Subset) -> Question:
    """What `config` asks of `who`; `dataset` is the hash of the subset's instances."""
    return Question(
        model=who.name,
        asked_for=who.asked_for,
        dataset_hash=dataset,
        scaffold=who.scaffold,
        predictions=who.predictions,
        sampling=who.sampling,
        limits=who.limits,
        resources=config.resources,
        network="" if "network" in who.unknown else config.network,
        grade_network=config.grade_network or subset.grade_network,
        grading=GRADER_VERSION,
        unknown=who.unknown,
        allow_leaks=config.allow_leaks and who.scaffold is not None,  # else nobody is shown any
    )


def run_wanted(config: RunConfig, question: Question, chosen: Chosen) -> RunRecord:
    """The run that would be begun; with --fresh it has a name that none has."""
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
        members=members_of(chosen.instances),
        created_at=datetime.now(UTC),
    )


def members_of(instances: Iterable[Instance]) -> tuple[Members, ...]:
    """By repository and difficulty, so that a report need not load the subset to say so."""
    found: dict[tuple[str, str], list[str]] = {}
    for instance in instances:
        found.setdefault((instance.task.repo, instance.difficulty), []).append(instance.id)
    return tuple(
        Members(repo=repo, difficulty=difficulty, instances=tuple(sorted(ids)))
        for (repo, difficulty), ids in sorted(found.items())
    )


def session_of(
    config: RunConfig, who: Entrant, chosen: Chosen, changed: Overrides | None = None
) -> Session:
    """The circumstances of this process's work, which asks otherwise in what is `changed`."""
    return Session(
        started_at=datetime.now(UTC),
        swerun=__version__,
        python=platform.python_version(),
        engine="local",
        host=platform.node(),
        jobs=config.jobs,
        grade_jobs=grade_jobs(config),
        base_url=who.base_url,
        price=who.price,
        stop_when_resolved=config.stop_when_resolved,
        continue_attempts=config.continue_attempts,
        note=who.note,
        missing=who.missing,
        selection=config.selection,
        strata=chosen.strata,
        configured=configured(config, who.name, chosen.subset.source),
        changed=changed or {},
    )


def grade_jobs(config: RunConfig) -> int:
    return config.grade_jobs or os.cpu_count() or 1


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
    return _checked(
        folder_name(name), f"--run {config.run}" if config.run else f"the model {model}"
    )


def _unused(runs: Path, name: str) -> str:
    number = 2
    candidate = name
    while (runs / candidate).exists():
        candidate, number = f"{name}-{number}", number + 1
    return candidate


def folder_name(text: str) -> str:
    """`text` with a dash for whatever a folder's name had better not have."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)


def recording_name(model: str) -> str:
    """What a model's recording is called, and its folder. Raises InputError for one that none can
    have."""
    return _checked(folder_name(model.removeprefix(DEMO)), f"--record with the model {model}")


def _checked(name: str, given: str) -> str:
    # a model that is the path of its weights begins with a dash here
    if flaw := flaw_of(name.lstrip("-")):
        raise InputError(f"{given}: no folder can be called {name!r}: {flaw}")
    return name
