"""What attempts cost, in dollars, as far as their prices are known. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from swerun.records import Attempt, Price, Usage


def repriced(attempts: Iterable[Attempt], price: Price) -> list[Attempt]:
    """The attempts as if they had had that price, but for those of another model."""
    return [
        a if "model" in a.changed else a.model_copy(update={"cost": price.cost(a.usage)})
        for a in attempts
    ]


def summed(
    attempts: Iterable[Attempt], unfinished: Usage | None = None, price: Price | None = None
) -> float | None:
    """Of all together, with what `unfinished` ones cost at `price`; None where one that used any
    tokens has no known cost."""
    left = unfinished or Usage()
    costs = [a.cost for a in attempts if a.usage != Usage()]
    costs += [price.cost(left) if price else None] if left != Usage() else []
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
