"""Two questions, key by key: what they ask differently. Pure."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import JsonValue

from swerun.records import Question


def differences(old: Question, new: Question, besides: Collection[str] = ()) -> tuple[str, ...]:
    """What differs, as `key: old -> new`, but for the keys in `besides` and whatever is in them,
    and for what nobody knows of one of the two."""
    before, after = flat(old), flat(new)
    passed_over = {*besides, *old.unknown, *new.unknown}
    return tuple(
        f"{key}: {before.get(key, 'none')} -> {after.get(key, 'none')}"
        for key in dict.fromkeys([*before, *after])
        if passed_over.isdisjoint({key, key.partition(".")[0]})
        and before.get(key) != after.get(key)
    )


def flat(question: Question) -> dict[str, JsonValue]:
    """By dotted key, with nothing for what has no value, or none that anybody knows."""
    found = dict[str, JsonValue]()
    said = question.model_dump(mode="json", exclude={"unknown"})
    rest: list[tuple[str, JsonValue]] = list(said.items())
    while rest:
        key, value = rest.pop(0)
        if isinstance(value, dict):
            rest = [(f"{key}.{inner}", each) for inner, each in value.items()] + rest
        elif value is not None and key not in question.unknown:
            found[key] = value
    return found
