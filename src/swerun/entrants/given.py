"""Entrants without an agent: their patches are there already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from swerun.config import RunConfig
from swerun.entrants.entrant import Entrant
from swerun.predictions import Predictions
from swerun.prices import FREE
from swerun.records import Instance, Sampling
from swerun.solve import GivenPatch

PATCHES: Mapping[str, Callable[[Instance], bytes]] = {
    "gold": lambda instance: instance.answer.gold_patch.encode(),
    "empty": lambda instance: b"",  # noqa: ARG005
}
NOTES = {"gold": "no agent: the reference patch", "empty": "no agent: no patch"}


def given(name: str, config: RunConfig) -> Entrant:
    """`gold` or `empty`."""
    return _of_patches(name, PATCHES[name], NOTES[name], config)


def predicted(predictions: Predictions, config: RunConfig) -> Entrant:
    """The entrant whose patches are read from a file; of its agent is known what that says."""
    note = f"no agent: the predictions of {predictions.source}"
    who = _of_patches(predictions.model, predictions.patch_of, note, config)
    who, peer = replace(who, predictions=predictions.digest), predictions.peer
    if peer is None:
        return who
    return replace(
        who,
        scaffold=peer.scaffold,
        sampling=peer.sampling,
        limits=peer.limits(config.limits),
        unknown=peer.unknown,
        price=None,
        note=f"by {peer.scaffold.agent}, imported from {predictions.source}",
    )


def _of_patches(
    name: str, patch_of: Callable[[Instance], bytes], note: str, config: RunConfig
) -> Entrant:
    return Entrant(
        name=name,
        limits=config.limits,
        sampling=Sampling(),
        scaffold=None,
        solver=lambda _: GivenPatch(patch_of),
        price=FREE,
        note=note,
    )
