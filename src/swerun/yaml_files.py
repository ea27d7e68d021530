"""YAML that a user writes: read, and what is wrong with it named."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from swerun.errors import InputError


def read_yaml(file: Path, what: str) -> object:
    """Raises InputError for what cannot be read, as `what`."""
    import yaml

    try:
        read: object = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{what} {file} cannot be read: {error}") from error
    return read


def complaints(error: ValidationError, known: Sequence[str]) -> list[str]:
    """What is wrong, a line each, with the nearest of the keys that there are."""
    said = []
    for problem in error.errors():
        key = ".".join(str(part) for part in problem["loc"])
        if problem["type"] != "extra_forbidden":
            said.append(f"{key}: {problem['msg']} (got {problem['input']!r})")
            continue
        near = get_close_matches(key, known, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        said.append(f"{key}: there is no such key{hint}")
    return said
