"""Two questions, key by key: what they ask differently. Pure."""

from __future__ import annotations

from collections.abc import Collection

from swerun.records import Question


def differences(old: Question, new: Question, besides: Collection[str] = ()) -> tuple[str, ...]:
    """What differs, as `key: old -> new`, but for the keys in `besides` and whatever is in them."""
    before, after = flat(old), flat(new)
    return tuple(
        f"{key}: {before.get(key, 'none')} -> {after.get(key, 'none')}"
        for key in dict.fromkeys([*before, *after])
        if key.partition(".")[0] not in besides and before.get(key) != after.get(key)
    )


def flat(question: Question) -> dict[str, object]:
    """By dotted key, with nothing for what has no value."""
    found = dict[str, object]()
    rest: list[tuple[str, object]] = list(question.model_dump(mode="json").items())
    while rest:
        key, value = rest.pop(0)
        if isinstance(value, dict):
            rest = [(f"{key}.{inner}", each) for inner, each in value.items()] + rest
        elif value is not None:
            found[key] = value
    return found
