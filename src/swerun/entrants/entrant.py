"""One model of a run, whoever it is, and what it is made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event

from swerun.config import RunConfig
from swerun.models.governor import Governor, Governors
from swerun.ports import Sandboxes, Solver
from swerun.records import Limits, Price, Sampling, Scaffold

NO_AGENT = ("gold", "empty")
DEMO = "demo/"


@dataclass(frozen=True, slots=True)
class Undecided:
    """The protocol of an entrant is not known yet: `ask` asks its endpoint, and may raise
    EndpointError; `by` makes the entrant that speaks it, and `protocols` are those it may be."""

    ask: Callable[[], str]
    by: Callable[[str], Entrant]
    protocols: Sequence[str]


@dataclass(frozen=True, slots=True)
class Entrant:
    """One model of a run, ready to solve. `note` is what has to be said wherever it is shown.

    `check` finds out whether its endpoint would do its work, by a small request or two: it gives
    what there is to be said, or raises EndpointError; it is for before any container starts, and
    after `base_url` was shown. One that is `undecided` is no more than a name and an address.
    """

    name: str
    limits: Limits
    sampling: Sampling
    scaffold: Scaffold | None  # None where no agent runs
    solver: Callable[[Sandboxes], Solver]
    asked_for: str = ""  # what its endpoint calls it, where a models file has another name
    base_url: str = ""
    price: Price | None = None  # of its tokens, as far as anybody knows
    note: str = ""
    predictions: str = ""  # a hash of the given patches, as Question has it
    unknown: tuple[str, ...] = ()  # of a question, where it was asked elsewhere, as Question has it
    missing: tuple[str, ...] = ()  # ids that were chosen, and for which no patch is given
    check: Callable[[], str] = lambda: ""
    undecided: Undecided | None = None
    governor: Governor | None = None  # of its endpoint, which other entrants may be at too

    def is_over(self) -> bool:
        """Whether no attempt of it can be made any more."""
        return self.governor is not None and bool(self.governor.shut)

    @property
    def introduction(self) -> str:
        """Who it is, where, and what has to be said of it."""
        at = f" at {self.base_url}" if self.base_url else ""
        return self.name + at + (f" ({self.note})" if self.note else "")


@dataclass(frozen=True, slots=True)
class Setting:
    """What the entrants of a session are made with. `open_` closes what they need open."""

    config: RunConfig
    environment: Mapping[str, str]
    open_: ExitStack
    governors: Governors
    cancel: Event


def is_live(name: str) -> bool:
    """Whether an endpoint elsewhere answers for it."""
    return name not in NO_AGENT and not name.startswith(DEMO)
