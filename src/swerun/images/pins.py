"""Pins: for each image the digest that it must have. A JSON object of names and digests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

from swerun.errors import ImageRefusedError, InputError
from swerun.images.here import Here

Pins = Mapping[str, str]
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def read_pins(file: Path) -> Pins:
    """Raises InputError for what is no such file."""
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"the pins {file} cannot be read: {error}") from error
    if not isinstance(read, dict):
        raise InputError(f"the pins {file} are no JSON object of images and digests")
    for image, digest in read.items():
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise InputError(f"the pins {file}: {image} has {digest!r}, which is no sha256 digest")
    return read


def write_pins(file: Path, pins: Pins) -> None:
    file.write_text(json.dumps(dict(sorted(pins.items())), indent=1) + "\n", encoding="utf-8")


def check(image: str, found: Here, pins: Pins) -> None:
    """Raises ImageRefusedError for another image than the pinned one."""
    wanted = pins.get(image)
    known = {found.id, *(each.rpartition("@")[2] for each in found.digests)}
    if wanted and wanted not in known:
        raise ImageRefusedError(
            f"the image {image} on this engine is {found.digest(image)}, and it is pinned to "
            f"{wanted}: remove it (`docker rmi {image}`), so that the pinned one is pulled, or "
            "change the pin"
        )
