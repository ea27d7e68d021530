"""What lies at a path: trajectories of mini-swe-agent, SWE-agent or OpenHands, or patches alone.

Told by content, not by name. What is there is read twice, once for its patches and once for its
steps: so all of it was read before anything is written, and it need not be in memory at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from swerun.errors import InputError
from swerun.exchange.mini import is_mini, told_by_mini
from swerun.exchange.openhands import is_openhands, told_by_openhands
from swerun.exchange.swe_agent import is_swe_agent, told_by_swe_agent
from swerun.exchange.told import Told
from swerun.peer import Peer
from swerun.predictions import (
    Prediction,
    Predictions,
    counted,
    gathered,
    named,
    predictions_in,
    read_predictions,
    refuse_links,
)
from swerun.written import lines_in, value_in

TRAJECTORIES = (".traj.json", ".traj")
BESIDE = ("preds.json", "all_preds.jsonl")  # a folder's predictions, the first that is there
LINES = "output.jsonl"  # OpenHands'


@dataclass(frozen=True, slots=True)
class Found:
    """`predictions` are what is to be graded, `places` where the trajectory of each is, if any."""

    path: Path
    predictions: Predictions
    places: Mapping[str, str] = field(default_factory=dict)

    def told(self, ids: frozenset[str]) -> Iterator[Told]:
        """The trajectories of these instances, read anew."""
        wanted = {self.places[i] for i in ids if i in self.places}
        return (told for told in tellings(self.path) if told.prediction.where in wanted)


def find(path: Path, model: str | None = None) -> Found:
    """`model` is whose are meant where they are several models', else what theirs is called.

    Raises InputError that names the file, and the line or place in it, for what cannot be read.
    """
    if not path.exists():
        raise InputError(f"{path} cannot be read: there is no such file or folder")
    light = [replace(told, steps=()) for told in tellings(path)]
    if any(told.prediction.model == model for told in light):
        light = [told for told in light if told.prediction.model in {"", model}]
    beside = _beside(path)
    if not light:
        return Found(path, read_predictions(beside or path, model))
    own = predictions_in(beside) if beside else []
    submitted = {each.instance_id for each in own}
    rest = [told.prediction for told in light if told.prediction.instance_id not in submitted]
    if own:
        rest = [replace(each, model=own[0].model) for each in rest]
    predictions = gathered(path, [*own, *rest], model)
    places = _places(light, predictions)
    return Found(
        path,
        replace(
            predictions,
            peer=Peer.of(told.peer for told in light),
            notes=(*predictions.notes, *_notes(light, predictions, places)),
        ),
        places,
    )


def tellings(path: Path) -> Iterator[Told]:
    """All trajectories there are; none of a file of patches alone. Raises InputError."""
    for file in _files(path):
        if file.suffix == ".jsonl":
            yield from _lines(file)
            continue
        value = value_in(file)
        named_so = file.name.endswith(TRAJECTORIES)
        name = file.name.removesuffix(".json").removesuffix(".traj")
        if is_mini(value):
            yield told_by_mini(value, str(file), name)
        elif is_swe_agent(value):
            yield told_by_swe_agent(value, str(file), name)
        elif named_so:
            raise InputError(
                f"{file}: it is no trajectory: mini-swe-agent's have messages and info, SWE-agent's"
                " trajectory and info"
            )


def _lines(file: Path) -> Iterator[Told]:
    for number, written in enumerate(lines_in(file)):
        if not number and not is_openhands(written.value):
            return
        yield told_by_openhands(written)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(p for p in path.rglob("*") if p.name.endswith(TRAJECTORIES) and p.is_file())
    found = found or [p for p in (path / LINES,) if p.is_file()]
    refuse_links(found, path)
    return found


def _beside(path: Path) -> Path | None:
    """Where a folder's predictions are, which may be the folder itself."""
    if not path.is_dir():
        return None
    files = [path / name for name in BESIDE if (path / name).is_file()]
    refuse_links(files[:1], path)
    return files[0] if files else path if next(path.rglob("*.pred"), None) else None


def _places(light: Sequence[Told], predictions: Predictions) -> dict[str, str]:
    """Of several of an instance the one with the patch that is graded, or the first."""
    found: dict[str, Prediction] = {}
    for prediction in (told.prediction for told in light):
        graded = predictions.patches.get(prediction.instance_id)
        there = found.get(prediction.instance_id)
        if there is None or (prediction.patch == graded != there.patch):
            found[prediction.instance_id] = prediction
    return {i: each.where for i, each in found.items() if i in predictions.patches}


def _notes(
    light: Sequence[Told], predictions: Predictions, places: Mapping[str, str]
) -> Iterator[str]:
    other = [
        told.prediction.instance_id
        for told in light
        if told.prediction.where == places.get(told.prediction.instance_id)
        and told.prediction.patch != predictions.patches[told.prediction.instance_id]
    ]
    if other:
        said = f"{len(other)} of {len(places)} trajectories ended with another patch than was given"
        yield f"{said} as a prediction, which is what is graded: {named(sorted(other))}"
    without = sorted(set(predictions.patches) - set(places))
    if without:
        yield f"no trajectory of {counted(len(without), 'prediction')}: {named(without)}"
