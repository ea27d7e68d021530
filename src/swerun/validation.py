"""Whether instances are sound on this machine: how that is found out, kept, and made use of.

It is found out by two runs, of the gold patch and of none, in the cache: whatever stops, goes on
and is kept of a run does so here too. What they found holds for gradings that would be the same.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import attrgetter
from pathlib import Path

from swerun.config import RunConfig
from swerun.errors import InputError
from swerun.instances.selection import Chosen, Subset, select
from swerun.records import Attempt, Instance, Limits, Question, Sampling, Selection, Soundness
from swerun.report.soundness import EMPTY, GOLD, Validated, validated
from swerun.runs.store import RunStore, list_runs

NAMED = 5  # instances that a line names before it counts the others
# what a validation has to have in common with the run that makes use of it
FLAGS = {
    "--subset": "subset",
    "--split": "split",
    "--revision": "revision",
    "--instance": "selection.instances",
    "--filter": "selection.filter",
    "--repo": "selection.repo",
    "--difficulty": "selection.difficulty",
    "--grade-network": "grade_network",
    "--eval-timeout": "limits.eval_seconds",
    "--memory": "resources.memory",
    "--cpus": "resources.cpus",
    "--pids": "resources.pids",
    "--container-disk": "resources.disk",
    "--runtime": "resources.runtime",
}


def validation_of(config: RunConfig) -> RunConfig:
    """The runs that find out what a run as `config` says would need to know, of both patches.

    Only what gradings depend on is taken over, and where images come from."""
    kept = {"subset", "split", "revision", "selection", "resources", "grade_network"}
    kept |= {"images", "samples", "grade_jobs", "retries", "cache"}
    limits = Limits(eval_seconds=config.limits.eval_seconds)
    taken = {name: getattr(config, name) for name in kept}
    return RunConfig(model=(GOLD, EMPTY), limits=limits, **taken)


def question_of(asked: Question, patch: str) -> Question:
    """What is asked of `patch`, so that its answer holds for the gradings of a run that asks so."""
    return Question(
        model=patch,
        dataset_hash=asked.dataset_hash,
        scaffold=None,
        sampling=Sampling(),
        limits=Limits(eval_seconds=asked.limits.eval_seconds),
        resources=asked.resources,
        network=RunConfig.model_fields["network"].default,
        grade_network=asked.grade_network,
        grading=asked.grading,
    )


@dataclass(frozen=True, slots=True)
class Validations:
    """What the runs in `folder` found that holds for gradings of runs that ask `asked`.

    `here` gives the digest of an instance's image. A trial in another image than the one that is
    here says nothing; where none is here, it is taken to be the same.
    """

    folder: Path
    asked: Question
    here: Callable[[Instance], str | None]

    def of(self, instances: Sequence[Instance]) -> list[Validated]:
        """What is known of each of them now."""
        stores = {patch: self._stores(patch) for patch in (GOLD, EMPTY)}
        is_old = self.outdated(instances)
        return [_known(instance, stores, is_old) for instance in instances]

    def soundness(self, instances: Sequence[Instance]) -> Mapping[str, Soundness]:
        """By id, of those of which it is known."""
        return {v.instance_id: v.soundness for v in self.of(instances) if v.soundness}

    def outdated(self, instances: Sequence[Instance]) -> Callable[[Attempt], bool]:
        """Whether an attempt at one of them was graded in another image than the one here now."""
        by_id = {instance.id: instance for instance in instances}
        here = cache(lambda instance_id: self.here(by_id[instance_id]))
        return lambda a: bool(a.grade) and here(a.instance_id) not in (None, _digest(a))

    def _stores(self, patch: str) -> list[RunStore]:
        wanted = question_of(self.asked, patch)
        return [store for store in list_runs(self.folder) if _question(store) == wanted]


def sound_only(
    config: RunConfig, subset: Subset, validations: Validations, say: Callable[[str], None]
) -> Chosen:
    """What `config` selects, drawn from the sound ones of those that it names.

    Says how many are left out, and why. Raises InputError where nothing is left.
    """
    named = config.selection.model_copy(
        update={name: Selection.model_fields[name].default for name in _DRAWING}
    )
    drawn = Selection(**{name: getattr(config.selection, name) for name in _DRAWING})
    found = validations.of(select(subset, named).instances)
    for line in left_out(found, command(config)):
        say(line)
    sound = {each.instance_id for each in found if each.soundness is Soundness.SOUND}
    those = tuple(each for each in subset.instances if each.id in sound)
    return replace(select(replace(subset, instances=those), drawn), subset=subset)


_DRAWING = ("sample", "shuffle", "slice", "limit", "seed")


def left_out(found: Sequence[Validated], todo: str) -> list[str]:
    """What is to be said of those that are left out. Raises InputError where nothing is left."""
    unknown = [each for each in found if each.soundness is None]
    sound = [each for each in found if each.soundness is Soundness.SOUND]
    if found and len(unknown) == len(found):
        raise InputError(
            f"--sound-only: none of {len(found)} instances was validated on this machine, with "
            f"this data and these limits. Validate them first: {todo}"
        )
    if not sound:
        raise InputError("\n".join([f"--sound-only: none of {len(found)} is sound:", *_why(found)]))
    if len(sound) == len(found):
        return []
    return [
        f"--sound-only: {len(found) - len(sound)} of {len(found)} instances are left out",
        *_why(found),
        *([f"  to validate what was not: {todo}"] if unknown else []),
    ]


def command(config: RunConfig) -> str:
    """The command that validates what `config` names."""
    usual = RunConfig(model=config.model)
    words = ["swerun", "instances", "validate"]
    for flag, key in FLAGS.items():
        value = attrgetter(key)(config)
        if flag == "--subset" or value != attrgetter(key)(usual):
            for each in value if isinstance(value, tuple) else (value,):
                words += [flag, f"{each:g}" if isinstance(each, float) else str(each)]
    return shlex.join(words)


def _why(found: Sequence[Validated]) -> list[str]:
    kinds = {Soundness.BROKEN: "broken", Soundness.FLAKY: "flaky", None: "not validated here"}
    lines = []
    for soundness, kind in kinds.items():
        those = [each for each in found if each.soundness is soundness]
        named = [f"{each.instance_id} ({each.reason})" for each in those[:NAMED]]
        if soundness is None:
            named = [each.instance_id for each in those[:NAMED]]
        more = [f"and {len(those) - NAMED} more"] if len(those) > NAMED else []
        if those:
            lines.append(f"  {len(those)} {kind}: {', '.join(named + more)}")
    return lines


def _question(store: RunStore) -> Question | None:
    """None for a run that cannot be read: a cache may be of another swerun."""
    try:
        return store.record().question
    except InputError:
        return None


def _known(
    instance: Instance,
    stores: Mapping[str, Sequence[RunStore]],
    is_old: Callable[[Attempt], bool],
) -> Validated:
    gold, empty = (
        [
            p.done
            for s in stores[patch]
            for p in s.past(instance.id)
            if p.done and not is_old(p.done)
        ]
        for patch in (GOLD, EMPTY)
    )
    return validated(instance.id, gold, empty)


def _digest(attempt: Attempt) -> str:
    return attempt.grade.image_digest if attempt.grade else ""
