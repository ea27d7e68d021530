"""The hub: which commit of a dataset is meant, and its files on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ENDPOINT = "https://huggingface.co"


@dataclass(frozen=True, slots=True)
class Hub:
    """Where datasets come from, and the folder that keeps them: one can work without the other."""

    endpoint: str
    cache: Path

    @classmethod
    def of(cls, environment: Mapping[str, str], cache: Path) -> Hub:
        """HF_ENDPOINT as huggingface_hub has it; datasets lie in a folder of swerun's cache."""
        return cls(environment.get("HF_ENDPOINT") or ENDPOINT, cache / "hub")
