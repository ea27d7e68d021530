"""What attempts cost, in dollars, as far as their prices are known. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from swerun.records import Attempt, Cause, Price, Usage


def repriced(attempts: Iterable[Attempt], price: Price) -> list[Attempt]:
    """The attempts as if they had had that price, but for those of another model."""
    return [a if "model" in a.changed else _repriced(a, price) for a in attempts]


def _repriced(attempt: Attempt, price: Price) -> Attempt:
    new: dict[str, object] = {"cost": price.cost(attempt.usage)}
    if again := attempt.replayed:
        new["replayed"] = again.model_copy(update={"cost": price.cost(again.usage)})
    return attempt.model_copy(update=new)


def paid(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The attempts with what each of them alone used and cost here: nothing where it was imported
    or grades the patch of another, and the rest where it begins with another's steps."""
    return [
        _paid(attempt)
        for attempt in attempts
        if attempt.solved_in is None and attempt.cause is not Cause.IMPORTED
    ]


def _paid(attempt: Attempt) -> Attempt:
    again = attempt.replayed
    if again is None:
        return attempt
    is_known = attempt.cost is not None and again.cost is not None
    cost = (attempt.cost or 0.0) - (again.cost or 0.0) if is_known else None
    return attempt.model_copy(update={"usage": attempt.usage - again.usage, "cost": cost})


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
