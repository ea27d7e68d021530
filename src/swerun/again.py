"""A run that is worked on again: its own configuration under what flags override, its instances,
and what of its question is another by that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from swerun.circumstances import remembered
from swerun.config import RunConfig, laid_over
from swerun.errors import InputError
from swerun.instances.hub import Hub
from swerun.instances.selection import Subset
from swerun.instances.subsets import dataset_hash, load_subset
from swerun.models.presets import preset_of
from swerun.records import Configured, Question, RunRecord
from swerun.runs.questions import flat
from swerun.runs.store import RunStore

MODEL = ("model", "models")
# flags that have a say in a part of a question, beside the one that its key is
SAY: Mapping[str, Sequence[str]] = {
    "model": MODEL,
    "asked_for": MODEL,
    "sampling": MODEL,
    "limits": MODEL,
    "scaffold": (
        *MODEL,
        *("prompt", "agent", "tools", "protocol", "api", "no_tell_limits"),
        *("limits.tokens", "limits.input_tokens", "limits.output_tokens", "limits.cost"),
    ),
}
GRADING = "grading"  # the version of the rules: swerun's own, so that no flag can keep it


@dataclass(frozen=True, slots=True)
class Again:
    """A run, and the configuration with which it is worked on again; `flags` are the keys that are
    not its own. `warnings` is what there is to be said of it."""

    store: RunStore
    record: RunRecord
    config: RunConfig
    flags: frozenset[str]
    warnings: tuple[str, ...] = ()


def again(store: RunStore, flags: Mapping[str, Any], environment: Mapping[str, str]) -> Again:
    """The run with its own configuration, and `flags` (by dotted key) over it.

    Raises InputError where its record does not say enough: then it says which flag does.
    """
    record = store.record()
    if record.question.predictions:
        command = "import PATH" if record.question.unknown else "grade PREDICTIONS"
        raise InputError(
            f"the patches of {store.name} are those of a file, which is not kept: grade it again "
            f"with `swerun {command} --run {store.name}`"
        )
    there = remembered(record, environment)
    moved = _moved(flags)
    if "base_url" in there.withheld and not moved:
        raise InputError(
            f"the URL that {store.name} asked had a user, a password or a query, which is not kept "
            f"({there.keys['base_url']}): give all of it with --base-url"
        )
    keys = dict(there.keys) | (dict.fromkeys(("base_url", "api_key_env")) if moved else {})
    return _with(store, there.model_copy(update={"keys": keys}), flags)


def as_it_was(store: RunStore, flags: Mapping[str, Any], environment: Mapping[str, str]) -> Again:
    """As `again`, for who asks no model: whatever patches the run has, wherever its endpoint is."""
    return _with(store, remembered(store.record(), environment), flags)


def _with(store: RunStore, there: Configured, flags: Mapping[str, Any]) -> Again:
    record = store.record()
    own = {"samples": record.samples, "runs": store.folder.parent, "run": store.name}
    if "subset" in flags:  # a commit and a split are those of where the instances were
        own |= {"revision": None, "split": None}
    where = f"{store.folder / 'run.json'} and the flags"
    config = laid_over(there.keys, own | dict(flags), where)
    if len(config.model) != 1:
        raise InputError(f"--model: {store.name} is a run of one model, and its attempts are too")
    lost = [key for key in there.withheld if key.startswith("images.") and key not in flags]
    warnings = [f"{key} of the run is not kept, or not all of it: it may hold a secret. Where an "
                "image has to be built, give it again" for key in lost]  # fmt: skip
    return Again(store, record, config, frozenset(flags), tuple(warnings))


def _moved(flags: Mapping[str, Any]) -> bool:
    """Whether the run's address and key are not meant: there is another address, or another model
    with an address of its own."""
    names = flags.get("model") or ()
    has_preset = any(preset_of(name.partition("/")[0]) for name in names if "/" in name)
    return "base_url" in flags or "models" in flags or has_preset


def instances_of(run: Again, hub: Hub) -> Subset:
    """The run's subset at the commit that it recorded. Raises InputError where that is not there
    any more, or holds other instances than it did."""
    config, record = run.config, run.record
    there = load_subset(config.subset, config.split, config.revision, hub)
    found = dataset_hash(there.instances)
    if found == record.question.dataset_hash:
        return there
    gone = sorted(set(record.selection) - {instance.id for instance in there.instances})
    missing = f"; it has no {', no '.join(gone[:3])} any more" if gone else ""
    raise InputError(
        f"{run.store.name} is a run of other instances than {there.source or there.name} has now "
        f"(dataset_hash: {record.question.dataset_hash} -> {found}{missing}). Give --subset and "
        f"--split as it was made with (it says {record.subset}, {record.source or 'shipped'})"
    )


def changed_by(run: Again, asked: Question) -> dict[str, tuple[JsonValue, JsonValue]]:
    """What of the run's question is another in `asked`, which its configuration comes to now.

    Raises InputError for what no flag has changed: a question never becomes another unsaid. Only
    the rules of grading may: no flag can keep those of another version.
    """
    old, new = flat(run.record.question), flat(asked)
    changed = {
        key: (old.get(key), new.get(key))
        for key in dict.fromkeys([*old, *new])
        if old.get(key) != new.get(key)
    }
    unsaid = [key for key in changed if key != GRADING and not _is_said(key, run.flags)]
    if unsaid:
        those = "; ".join(f"{key}: {changed[key][0]} -> {changed[key][1]}" for key in unsaid)
        raise InputError(f"{run.store.name} asked otherwise, and no flag says so ({those}). "
                         f"{_advice(run, unsaid)}")  # fmt: skip
    return changed


def _is_said(key: str, flags: frozenset[str]) -> bool:
    own = any(key == flag or key.startswith(f"{flag}.") for flag in flags)
    return own or not flags.isdisjoint(SAY.get(key.partition(".")[0], ()))


def _advice(run: Again, keys: Iterable[str]) -> str:
    """What to do about what is another without a flag."""
    session, prompt = run.record.own_sessions[-1:], run.config.prompt
    by = f"swerun {session[0].swerun}" if session else "the swerun"
    if "scaffold.prompt_hash" in keys and prompt:
        return f"Its prompt was {prompt}: put that back as it was, or give --prompt to try another"
    if "scaffold.prompt_hash" in keys and session and session[0].configured is None:
        return "Give --prompt FILE, or --no-tell-limits, as it was made with"
    if "scaffold.agent" in keys:
        return "Put the agent back as it was, or give --agent to try another"
    return f"{by} made it and has it so: use that, or give the flag to try what is new"
