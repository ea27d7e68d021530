"""Build an image with the engine's classic builder, and know by a label whether it is fresh."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from swerun.errors import ImageError

if TYPE_CHECKING:
    from docker import DockerClient

INPUTS = "swerun.inputs"  # the label with the digest of what an image was made of
COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # in which the engine sets what went to stderr
LOG_LINES = 15  # of a build that failed, in its error


def digest_of(folder: Path, *others: str) -> str:
    """16 hex digits of all files of a build context, their names, modes, and `others`."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        runs = bool(path.stat().st_mode & 0o100)
        digest.update(f"{path.relative_to(folder)}\0{runs}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update("\0".join(others).encode())
    return digest.hexdigest()[:16]


def engine_errors() -> tuple[type[Exception], ...]:
    """What the SDK raises where the engine refuses, goes away or breaks off in mid-sentence."""
    from docker.errors import DockerException, StreamParseError
    from urllib3.exceptions import HTTPError

    return DockerException, StreamParseError, HTTPError, OSError


def image_id(client: DockerClient, image: str, *, inputs: str | None = None) -> str | None:
    """The id of an image on the engine; None where it is not there or made of other `inputs`.

    Raises ImageError where the engine cannot say.
    """
    from docker.errors import ImageNotFound

    try:
        found = client.images.get(image)
    except ImageNotFound:
        return None
    except engine_errors() as error:
        raise ImageError(f"looking for the image {image}: {error}") from error
    fresh = inputs is None or found.labels.get(INPUTS) == inputs
    return str(found.id) if fresh else None


def build(
    client: DockerClient,
    context: Path,
    image: str,
    *,
    inputs: str,
    network: str = "none",
    arguments: Mapping[str, str] | None = None,
) -> str:
    """Build `context` as `image`, labelled with `inputs`, and return its id.

    Raises ImageError with the end of the build's log.
    """
    from docker.errors import BuildError

    try:
        made, _ = client.images.build(
            path=str(context),
            tag=image,
            labels={INPUTS: inputs},
            buildargs=dict(arguments or {}),
            network_mode=network,
            rm=True,
            forcerm=True,
        )
    except BuildError as error:
        end = _end_of("".join(str(said.get("stream", "")) for said in error.build_log))
        raise ImageError(f"building {image} from {context}: {error.msg}\n{end}") from error
    except engine_errors() as error:
        raise ImageError(f"building {image} from {context}: {error}") from error
    return str(made.id)


def _end_of(log: str) -> str:
    lines = [line.rstrip() for line in COLOURS.sub("", log).splitlines()]
    return "\n".join(f"  {line}" for line in [line for line in lines if line][-LOG_LINES:])
