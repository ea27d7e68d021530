"""A run's patches in SWE-bench's prediction format."""

from __future__ import annotations

import json
from collections.abc import Mapping


def predictions(model: str, patches: Mapping[str, bytes]) -> bytes:
    """predictions.jsonl: one object a line with instance_id, model_name_or_path, model_patch.

    Bytes that are not UTF-8 become U+FFFD there, since JSON has no others; patch.diff has them.
    """
    rows = (
        {
            "instance_id": instance_id,
            "model_name_or_path": model,
            "model_patch": patch.decode("utf-8", errors="replace"),
        }
        for instance_id, patch in sorted(patches.items())
    )
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
