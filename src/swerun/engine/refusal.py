"""Why an attempt is not begun any more, though it was planned: money, or no need of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from swerun.ports import Planned
from swerun.records import Outcome, Price, Step
from swerun.runs.store import RunStore

Refusal = Callable[[Planned], str]


@dataclass(slots=True)
class Budget:
    """Dollars that several runs may cost together; threads share it."""

    limit: float
    spent: float = 0.0
    _lock: Lock = field(default_factory=Lock)

    def pay(self, step: Step, price: Price) -> None:
        """Take what a step cost; a reply that was given again costs nothing."""
        if step.reply.replayed is None:
            with self._lock:
                self.spent += price.of(step.reply.usage)

    @property
    def refusal(self) -> str:
        """Why nothing is begun; "" while there is something left."""
        if self.spent < self.limit:
            return ""
        return f"The budget of ${self.limit:.2f} is used up (${self.spent:.2f})."


def refusal_of(store: RunStore, budget: Budget | None, *, stop_when_resolved: bool) -> Refusal:
    """For each planned attempt of a run the reason not to begin it, "" where there is none.

    A patch that waits for its grade costs nothing more.
    """

    def refusal(planned: Planned) -> str:
        if planned.kept is not None:
            return ""
        if budget and budget.refusal:
            return budget.refusal
        if stop_when_resolved and _is_resolved(store, planned.instance.id):
            return "Another attempt has resolved this instance."
        return ""

    return refusal


def _is_resolved(store: RunStore, instance_id: str) -> bool:
    past = store.past(instance_id)
    return any(p.done and p.done.is_own and p.done.outcome is Outcome.RESOLVED for p in past)
