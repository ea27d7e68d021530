"""Runs of the tests, made once: the cache in front of the evaluator."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from swerun.grading.apply import TRIES
from swerun.grading.cache import RunCache, key_of
from swerun.grading.evaluate import Evaluator, Ran
from swerun.grading.script import running, telling
from swerun.grading.verdict import GRADER_VERSION
from swerun.records import Conditions, Grade, Instance

DIGEST = "sha256:"
OFFICIAL = "official"  # the mode in which the eval script is run as it is


@dataclass(frozen=True, slots=True)
class KeptRuns:
    """`conditions` are those of the evaluator's sandboxes; without `cache` each run is new."""

    evaluator: Evaluator
    conditions: Conditions | None = None
    cache: RunCache | None = None

    def run(self, instance: Instance, patch: bytes, attempt: int) -> Ran:
        """The run of an earlier grade, or else a new one, in the official mode."""
        found = self.find(instance, patch)
        return found or self.evaluator.evaluate(instance, patch, attempt)

    def find(self, instance: Instance, patch: bytes, mode: str = OFFICIAL) -> Ran | None:
        cache = self._cache(instance)
        return cache.find(self.key(instance, patch, mode)) if cache else None

    def remember(
        self, instance: Instance, patch: bytes, ran: Ran, grade: Grade, mode: str = OFFICIAL
    ) -> None:
        """Keep a run whose tests had results, and had the same each time.

        What timed out depends on how busy the machine was, and where no test started it may be the
        environment: neither is kept. One of which tests turn out to be flaky is forgotten: who
        grades the patch next shall not inherit its luck.
        """
        cache = self._cache(instance)
        if cache and grade.flaky:
            cache.forget(self.key(instance, patch, mode))
        elif cache and grade.reason.has_results and not ran.cached:
            cache.keep(self.key(instance, patch, mode), ran)

    def _cache(self, instance: Instance) -> RunCache | None:
        """An image's name may mean another image tomorrow: only its digest is a key."""
        return self.cache if instance.task.image.startswith(DIGEST) else None

    def key(self, instance: Instance, patch: bytes, mode: str = OFFICIAL) -> str:
        """All that a run of the tests can depend on, but for what a network serves them. `mode`
        says how the eval script is run, and changes when that does."""
        parts: Mapping[str, JsonValue] = {
            "grader": GRADER_VERSION,
            "mode": mode,
            "image": instance.task.image,
            "workdir": instance.task.workdir,
            "patch": hashlib.sha256(patch).hexdigest(),
            "applying": list(TRIES),
            "script": telling(instance.answer.eval_script),
            "running": running("folder", self.evaluator.keeping),
            "seconds": self.evaluator.eval_seconds,
            "conditions": self.conditions.model_dump(mode="json") if self.conditions else None,
        }
        return key_of(parts)
