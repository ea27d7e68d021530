"""Values of JSON that others wrote, which may be anything: what is of no use is as good as none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from pydantic import JsonValue
from pydantic_core import from_json


def at(value: object, *keys: str) -> object:
    """What lies below these keys, one after the other; None where one of them is missing."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: object) -> str:
    """A string, in which halves of surrogate pairs, which no file can hold, are question marks."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def said(content: object) -> str:
    """What a message says: its content, or that of its parts that are text."""
    if not isinstance(content, list):
        return text(content)
    return "\n".join(filter(None, (text(at(part, "text")) for part in content)))


def amount(value: object) -> float | None:
    """Of dollars, or of seconds."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if 0 <= value < 1e12 else None
    return None


def count(value: object) -> int | None:
    """Of tokens, or of steps."""
    number = amount(value)
    return None if number is None else int(number)


def moment(value: object) -> datetime | None:
    """A time as seconds since 1970, or as ISO 8601 has it; without a zone it is taken for UTC."""
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        if (seconds := amount(value)) is not None:
            return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def seconds_between(moments: Sequence[datetime | None]) -> float | None:
    """From the first to the last of those that are known."""
    known = sorted(filter(None, moments))
    return round((known[-1] - known[0]).total_seconds(), 3) if len(known) > 1 else None


def arguments(value: object) -> Mapping[str, JsonValue] | None:
    """Those of a call, as an object or as the text of one; None where it is neither."""
    try:
        whole = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        read = from_json(whole.encode(errors="replace"), allow_inf_nan=False)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, dict) else None


def objects(value: object) -> Iterator[dict[str, object]]:
    """Those of a list that are objects."""
    yield from (
        each for each in (value if isinstance(value, list) else ()) if isinstance(each, dict)
    )
