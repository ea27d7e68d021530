"""Reads predictions: the patches that an agent made, in the formats that agents write them in.

A prediction is a JSON object. Its keys, and those it is known by:

- SWE-bench: `instance_id`, `model_patch`, `model_name_or_path`; a file is a list of them, a mapping
  of ids to them (.json), or one a line (.jsonl). swebench 5.0.2, harness/utils.py.
- mini-swe-agent: the same, preds.json being a mapping of ids to them. Its
  run/benchmarks/swebench.py.
- SWE-agent: the same, all_preds.jsonl having one a line (it is older), or a file of one beside each
  trajectory, ID/ID.pred. Its run/common.py and run/merge_predictions.py.
- OpenHands: output.jsonl with `instance_id` and `test_result.git_patch` a line, older ones with
  `git_patch`. The model is `metadata.llm.model`, in older ones `metadata.llm_config.model`, and is
  called OpenHands/NAME by their converter. OpenHands/benchmarks, benchmarks/swebench/eval_infer.py;
  All-Hands-AI/OpenHands, evaluation/benchmarks/swe_bench/scripts/eval.

Patches are taken as they are written. OpenHands' converter leaves out changes of pyproject.toml,
setup.py and tox.ini; who wants that gives what it wrote (output.swebench.jsonl).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from swerun.errors import InputError
from swerun.names import flaw_of, leads_out, shown
from swerun.peer import Peer
from swerun.records import Instance
from swerun.written import Written, lines_in, values_in

NAMED = 5  # ids that a sentence names before it says how many more there are
PATCHES = ("model_patch", "git_patch")


@dataclass(frozen=True, slots=True)
class Predictions:
    """One model's patches by instance id; `notes` are what has to be said of how they were read.

    `peer` is who made them, where there is more of it than patches.
    """

    model: str
    source: str
    patches: Mapping[str, bytes]
    notes: tuple[str, ...] = ()
    peer: Peer | None = None

    @property
    def digest(self) -> str:
        """16 hex digits that change when any patch does."""
        digest = hashlib.sha256()
        for instance_id, patch in sorted(self.patches.items()):
            digest.update(f"{instance_id}\0{hashlib.sha256(patch).hexdigest()}\n".encode())
        return digest.hexdigest()[:16]

    def patch_of(self, instance: Instance) -> bytes:
        return self.patches[instance.id]


@dataclass(frozen=True, slots=True)
class Matched:
    """What of a selection can be graded, and the ids of it that have no prediction."""

    instances: tuple[Instance, ...]
    missing: tuple[str, ...]
    notes: tuple[str, ...]


def read_predictions(path: Path, model: str | None = None) -> Predictions:
    """The predictions of a .json, a .jsonl, a .pred, or a folder with such .pred below it.

    Raises as `gathered`, and InputError that names the file and the place in it.
    """
    return gathered(path, predictions_in(path), model)


def predictions_in(path: Path) -> list[Prediction]:
    """All that are written there. Raises InputError as `read_predictions`."""
    return [prediction_of(each) for each in _written(path)]


def gathered(path: Path, found: Sequence[Prediction], model: str | None) -> Predictions:
    """All that was found at `path`. `model` is whose are meant where they are several models', else
    what theirs is called.

    Raises InputError where there is none, where they are several models', and for an instance with
    two patches.
    """
    if not found:
        raise InputError(f"{path} has no predictions in it")
    models = sorted({each.model for each in found if each.model})
    if len(models) > 1:
        if model not in models:
            raise InputError(
                f"{path} has predictions of {len(models)} models: "
                f"choose one with --model ({', '.join(models)})"
            )
        found = [each for each in found if each.model == model]
    return Predictions(
        model=model or (models[0] if models else path.stem),
        source=str(path),
        patches={each.instance_id: each.patch for each in found},
        notes=_notes(path, found),
    )


def match(
    predictions: Predictions, subset: Sequence[Instance], selection: Sequence[Instance]
) -> Matched:
    """Those instances of `selection` that there is a prediction for.

    Raises InputError where there is none: then it is likely another subset that is meant.
    """
    there = {instance.id for instance in subset}
    foreign = [each for each in sorted(predictions.patches) if each not in there]
    chosen = tuple(i for i in selection if i.id in predictions.patches)
    missing = tuple(i.id for i in selection if i.id not in predictions.patches)
    if not chosen:
        raise InputError(
            f"{predictions.source} has no prediction for any of the {len(selection)} instances "
            f"that are chosen; it has some for {named(sorted(predictions.patches))}"
        )
    notes = []
    if foreign:
        which = "is for an instance" if len(foreign) == 1 else "are for instances"
        said = f"{counted(len(foreign), 'prediction')} {which} that the subset does not have"
        notes.append(f"{said}: {named(foreign)}")
    if missing:
        of = f"{len(missing)} of {counted(len(selection), 'instance')}"
        notes.append(f"no prediction, so not graded: {of} ({named(missing)})")
    return Matched(chosen, missing, tuple(notes))


@dataclass(frozen=True, slots=True)
class Prediction:
    """One patch, and where it stands; `is_null` where there is none, and that is said."""

    where: str
    instance_id: str
    patch: bytes
    model: str
    is_null: bool


def _written(path: Path) -> Iterator[Written]:
    if not path.is_dir():
        yield from _in_file(path)
        return
    files = sorted(path.rglob("*.pred"))
    if not files:
        hint = ", ".join(each.name for each in sorted(path.glob("*.json*"))[:NAMED])
        there = f"; name one of its files ({hint})" if hint else ""
        raise InputError(f"{path} is a folder with no .pred below it{there}")
    refuse_links(files, path)
    for file in files:
        yield from _in_file(file)


def _in_file(path: Path) -> Iterator[Written]:
    if path.suffix == ".jsonl":
        yield from lines_in(path)
    elif path.suffix in {".json", ".pred"}:
        yield from values_in(path)
    else:
        raise InputError(f"{path}: predictions are in a .json, a .jsonl or a .pred")


def prediction_of(written: Written) -> Prediction:
    """Raises InputError for what is none."""
    row, where = written.value, written.where
    if not isinstance(row, dict):
        raise InputError(f"{where}: a prediction is an object, not {_kind(row)}")
    instance_id = row.get("instance_id", written.key)
    if not isinstance(instance_id, str) or not instance_id:
        raise InputError(f"{where}: instance_id is a name, not {_kind(instance_id)}")
    check_id(instance_id, where)
    if written.key not in {None, instance_id}:
        raise InputError(f"{where}: the instance_id in it is another, {instance_id}")
    patch = _patch(row, where)
    if not isinstance(patch, str | None):
        raise InputError(f"{where}: the patch of {instance_id} is text, not {_kind(patch)}")
    return Prediction(
        where=where,
        instance_id=instance_id,
        patch=(patch or "").encode(errors="replace"),
        model=_model(row, where),
        is_null=patch is None,
    )


def check_id(instance_id: str, where: str) -> None:
    """Raises InputError for what no folder of a run could be called."""
    if flaw := flaw_of(instance_id):
        raise InputError(f"{where}: {shown(instance_id)} is no instance's id: {flaw}")


def refuse_links(files: Iterable[Path], folder: Path) -> None:
    """Raises InputError for one of the files of `folder` that is a link to what is not in it."""
    for file in files:
        if leads_out(file, folder):
            raise InputError(
                f"{file}: it is a link that leads out of {folder}: name the file itself"
            )


def _patch(row: Mapping[str, object], where: str) -> object:
    for key in PATCHES:
        if key in row:
            return row[key]
    result = row.get("test_result")
    if isinstance(result, dict):  # an agent that failed has one with nothing in it
        return result.get("git_patch")
    there = ", ".join(sorted(row)[:20])
    raise InputError(f"{where}: it has neither model_patch nor test_result.git_patch, but {there}")


def _model(row: Mapping[str, object], where: str) -> str:
    if "model_name_or_path" in row:
        name = row["model_name_or_path"]
        if not isinstance(name, str | None):
            raise InputError(f"{where}: model_name_or_path is a name, not {_kind(name)}")
        return name or ""
    if "test_result" not in row and "git_patch" not in row:
        return ""
    metadata = row.get("metadata")
    told = metadata if isinstance(metadata, dict) else {}
    llm = told.get("llm") or told.get("llm_config")
    name = llm.get("model") if isinstance(llm, dict) else None
    return f"OpenHands/{name.rpartition('/')[2]}" if isinstance(name, str) else "OpenHands"


def _notes(path: Path, found: Sequence[Prediction]) -> tuple[str, ...]:
    """Raises InputError for an instance with two patches: a run grades one of each."""
    notes = []
    times = Counter(each.instance_id for each in found)
    several = sorted(each for each, number in times.items() if number > 1)
    patches = {(each.instance_id, each.patch) for each in found}
    differing = sorted(each for each, n in Counter(i for i, _ in patches).items() if n > 1)
    if differing:
        places = [each.where for each in found if each.instance_id == differing[0]]
        raise InputError(
            f"{path} has different patches for {named(differing)}: a run grades one patch of "
            f"each instance. {differing[0]}: {'; '.join(places)}"
        )
    if several:
        notes.append(f"{path} has the same prediction more than once: {named(several)}")
    nulls = sorted({each.instance_id for each in found if each.is_null})
    if nulls:
        notes.append(f"{counted(len(nulls), 'prediction')} without a patch (null): no_patch")
    return tuple(notes)


def named(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return ", ".join(ids[:NAMED]) + more


def counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return "null" if value is None else kinds.get(type(value), "a number")
