"""Who made a run elsewhere, and what is known of how: as much of a question as that answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from pydantic import JsonValue, ValidationError

from swerun.records import Limits, Record, Sampling, Scaffold

GRADING = "eval_seconds"  # the one limit that is not the agent's
NOTHING = Scaffold(agent="unknown", prompt_hash="", protocol="", tools=(), api="")
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Peer:
    """`known` has dotted keys of a question (scaffold.agent, limits.steps, sampling.temperature)
    with their values. A value that no question could have is as good as none."""

    known: Mapping[str, JsonValue] = field(default_factory=dict)

    @classmethod
    def of(cls, peers: Iterable[Peer]) -> Peer:
        """What all of them agree on."""
        all_known = [peer.known for peer in peers]
        first = all_known[0] if all_known else {}
        return cls({k: v for k, v in first.items() if all(o.get(k) == v for o in all_known)})

    @property
    def scaffold(self) -> Scaffold:
        """What is not known of it is empty."""
        return self._over(NOTHING, "scaffold")

    @property
    def sampling(self) -> Sampling:
        return self._over(Sampling(), "sampling")

    def limits(self, usual: Limits) -> Limits:
        """The grading's as in `usual`."""
        grading = {GRADING: getattr(usual, GRADING)}
        return self._over(Limits(), "limits").model_copy(update=grading)

    @property
    def unknown(self) -> tuple[str, ...]:
        """Keys whose values mean nothing."""
        return (
            *self._not_in(NOTHING, "scaffold"),
            *self._not_in(Sampling(), "sampling"),
            *(key for key in self._not_in(Limits(), "limits") if not key.endswith(GRADING)),
            "network",
        )

    def _not_in(self, record: Record, section: str) -> list[str]:
        keys = {name: f"{section}.{name}" for name in type(record).model_fields}
        return [key for name, key in keys.items() if self._with(record, name, key) is None]

    def _over(self, record: R, section: str) -> R:
        for name in type(record).model_fields:
            record = self._with(record, name, f"{section}.{name}") or record
        return record

    def _with(self, record: R, name: str, key: str) -> R | None:
        """The record with what is known of `key`; None where nothing is."""
        if key not in self.known:
            return None
        try:
            return type(record).model_validate({**record.model_dump(), name: self.known[key]})
        except ValidationError:
            return None
