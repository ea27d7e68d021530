"""Build an image with the engine's classic builder, and know whether it is fresh."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from swerun.errors import ImageError
from swerun.images.watch import Watch, asking
from swerun.sandbox.profile import CA_BUNDLE, CA_VARIABLES

if TYPE_CHECKING:
    from docker import DockerClient

INPUTS = "swerun.inputs"  # the label with the digest of what the base image was made of
COLOURS = re.compile(r"\x1b\[[0-9;]*m")  # in which the engine sets what went to stderr
LOG_LINES = 15  # of a build that failed, in its error
# a FROM with the lines it goes on in; not one that is itself where a line goes on
STAGE = re.compile(r"(?<!\\\n)^[ \t]*FROM[ \t](?:.*\\\n)*.*$", re.IGNORECASE | re.MULTILINE)
BUNDLE = ".swerun-ca.pem"  # in a build's context


@dataclass(frozen=True, slots=True)
class Settings:
    """How a build is made. Of it `arguments` and `platform` decide what comes out.

    `variables` are in the environment of every RUN, and not in the image's. So are those that say
    where `ca_bundle` is, which lies in the image at CA_BUNDLE. Of `proxies` an engine knows by
    itself that they are for RUN alone.
    """

    network: str = "none"
    arguments: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    proxies: Mapping[str, str] = field(default_factory=dict)
    ca_bundle: Path | None = None
    platform: str | None = None

    def given(self) -> dict[str, str]:
        """All build arguments."""
        bundle = dict.fromkeys(CA_VARIABLES, CA_BUNDLE) if self.ca_bundle else {}
        return {**bundle, **self.proxies, **self.variables, **self.arguments}

    def deciding(self) -> list[str]:
        """For the digest of what an image is made of."""
        arguments = [f"{name}={value}" for name, value in sorted(self.arguments.items())]
        return [*arguments, *([self.platform] if self.platform else [])]


def digest_of(folder: Path, *others: str) -> str:
    """16 hex digits of all files of a build context, their names, modes, and `others`."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        runs = bool(path.stat().st_mode & 0o100)
        digest.update(f"{path.relative_to(folder)}\0{runs}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update("\0".join(others).encode())
    return digest.hexdigest()[:16]


def image_id(client: DockerClient, image: str, *, inputs: str | None = None) -> str | None:
    """The id of an image on the engine; None where it is not there or its label has other `inputs`.

    Raises ImageError where the engine cannot say.
    """
    from docker.errors import ImageNotFound

    with asking(f"looking for the image {image}"):
        try:
            found = client.images.get(image)
        except ImageNotFound:
            return None
    fresh = inputs is None or found.labels.get(INPUTS) == inputs
    return str(found.id) if fresh else None


def build(
    client: DockerClient,
    context: Path,
    image: str,
    settings: Settings,
    *,
    labels: Mapping[str, str] | None = None,
    watch: Watch | None = None,
) -> str:
    """Build `context` as `image` and return its id. Labels cost the engine a step of its own,
    which takes seconds on some storage drivers.

    Raises ImageError with the end of the build's log, CancelledError soon after the run is stopped.
    """
    watch = watch or Watch(silence=float("inf"))  # a command may be silent for long
    log: list[str] = []
    with _prepared(context, settings) as folder:
        lines = watch.lines(
            f"building {image}",
            lambda: client.api.build(
                path=str(folder),
                tag=image,
                labels=dict(labels or {}) or None,
                buildargs=settings.given(),
                network_mode=settings.network,
                platform=settings.platform,
                rm=True,
                forcerm=True,
                decode=True,
            ),
        )
        with asking(f"building {image} from {context}"):
            for said in lines:
                log.append(str(said.get("stream", "")))
                if "error" in said:
                    words = f"building {image} from {context}: {said['error']}"
                    raise ImageError(f"{words}\n{_end_of(''.join(log))}")
    made = image_id(client, image)
    if made is None:
        raise ImageError(f"building {image}: the engine ended it, and does not have the image")
    return made


@contextmanager
def _prepared(context: Path, settings: Settings) -> Iterator[Path]:
    """The context; where there is something to add to its Dockerfile, a copy of it."""
    if not (settings.variables or settings.ca_bundle):
        yield context
        return
    with tempfile.TemporaryDirectory(prefix="swerun-build-") as made:
        folder = Path(made) / "context"
        shutil.copytree(context, folder, symlinks=True)
        file = folder / "Dockerfile"
        file.write_text(with_variables(file.read_text(encoding="utf-8"), settings))
        if settings.ca_bundle:
            shutil.copyfile(settings.ca_bundle, folder / BUNDLE)
            ignored = folder / ".dockerignore"
            if ignored.is_file():
                ignored.write_text(f"{ignored.read_text(encoding='utf-8')}\n!{BUNDLE}\n")
        yield folder


def with_variables(dockerfile: str, settings: Settings) -> str:
    """The Dockerfile with the settings' variables declared in every stage. An ARG is seen by each
    RUN after it and is no part of the image; one line of them is one step."""
    declared = [*settings.variables, *(CA_VARIABLES if settings.ca_bundle else ())]
    added = [f"COPY {BUNDLE} {CA_BUNDLE}"] if settings.ca_bundle else []
    lines = "\n".join([*added, f"ARG {' '.join(declared)}"])
    return STAGE.sub(lambda stage: f"{stage[0]}\n{lines}", dockerfile)


def _end_of(log: str) -> str:
    lines = [line.rstrip() for line in COLOURS.sub("", log).splitlines()]
    return "\n".join(f"  {line}" for line in [line for line in lines if line][-LOG_LINES:])
