"""What a session stands on before it holds a run: who is measured on what, and an engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from swerun.config import RunConfig, cache_folder
from swerun.entrants import Entrant, Setting
from swerun.images.store import EngineImages
from swerun.instances.hub import Hub
from swerun.instances.selection import Chosen
from swerun.instances.subsets import dataset_hash
from swerun.models.governor import Governors
from swerun.ports import Planned
from swerun.question import folder_name, question_of
from swerun.records import Overrides, Question, Resources
from swerun.validation import Validations
from swerun.workbench import connected, fitting

if TYPE_CHECKING:
    from docker import DockerClient

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Further:
    """Attempts that are asked for by themselves, whatever was made before; `changed` is what they
    ask otherwise than their run."""

    planned: tuple[Planned, ...]
    changed: Overrides


@dataclass(frozen=True, slots=True)
class Ground:
    """What a session has before it holds a run: who is measured on what, and the engine for it."""

    config: RunConfig
    client: DockerClient
    images: EngineImages
    cache: Path
    cancel: Event
    entrants: Sequence[Entrant]
    questions: Sequence[Question]
    chosen: Chosen
    validations: Validations
    resources: Resources
    probing: bool = False
    further: Further | None = None


def setting_of(
    config: RunConfig,
    environment: Mapping[str, str],
    cancel: Event,
    say: Say,
    open_: ExitStack,
) -> tuple[Setting, Hub]:
    governors = Governors(config.jobs, config.endpoint_patience, config.rpm, config.tpm, say)
    setting = Setting(config, environment, open_, governors, cancel)
    return setting, Hub.of(environment, cache_folder(config.cache, environment))


def ground_of(
    setting: Setting,
    entrants: Sequence[Entrant],
    chosen: Chosen,
    settle: Callable[[Entrant], Entrant],
    say: Say,
) -> Ground:
    """On the engine that the environment names, with entrants that are settled."""
    config, environment, cancel = setting.config, setting.environment, setting.cancel
    cache = cache_folder(config.cache, environment)
    client = setting.open_.enter_context(connected(environment))
    images = EngineImages(client, cache, say, config.images, environment, cancel)
    subset, dataset = chosen.subset, dataset_hash(chosen.subset.instances)
    entrants = [settle(who) for who in entrants]
    questions = [question_of(config, who, dataset, subset) for who in entrants]
    machine = client.info()
    # of this engine alone: a home may be shared by machines
    folder = cache / "soundness" / folder_name(machine["Name"])
    validations = Validations(folder, questions[0], images.here)
    resources = fitting(config.resources, machine["NCPU"])
    return Ground(
        config,
        client,
        images,
        cache,
        cancel,
        entrants,
        questions,
        chosen,
        validations,
        resources,
    )
