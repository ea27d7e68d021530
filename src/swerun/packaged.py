"""Finds the folders that lie beside src/ in the repository, and inside the package in a wheel."""

from __future__ import annotations

from pathlib import Path

INSTALLED = {"instances/sample": "instances/sample", "images/base": "images/base_context"}


def packaged(name: str) -> Path:
    """The folder called `name` in the repository, wherever it is. Raises KeyError for others."""
    here = Path(__file__).parent
    inside = here / INSTALLED[name]
    return inside if inside.is_dir() else here.parent.parent / name
