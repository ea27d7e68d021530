"""An image's files, as a container of it has them: their names, their bytes, and changing them."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Protocol, cast

from swerun.errors import ImageMissingError, ImageRefusedError, SandboxError
from swerun.images.watch import asking
from swerun.sandbox.containers import LABEL, remove, translated

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

# /proc and the like are the engine's; all else is the image's, volumes too
FIND = ["find", "/", "(", "-path", "/proc", "-o", "-path", "/sys", "-o", "-path", "/dev", ")"]
FIND += ["-prune", "-o", "-print0"]
FATE_SECONDS = 0.5  # how long the engine may take to notice that a container ended
LIST = "/swerun-removed"  # a file with the names of what goes


class Place(Protocol):
    """All paths are absolute; bytes in them that are not UTF-8 are surrogates."""

    def names(self) -> list[str]:
        """Of all files and folders. Raises ImageRefusedError where the image cannot tell,
        SandboxError."""
        ...

    def archive(self, path: str) -> Iterable[bytes]:
        """A tar of a file or a folder. Raises FileNotFoundError, SandboxError."""
        ...

    def change(self, removed: Sequence[str], tree: IO[bytes] | None) -> None:
        """Remove these, then lay the tar `tree` over `/`. Raises ImageRefusedError where the image
        has nothing to remove files with, SandboxError."""
        ...


@dataclass(frozen=True, slots=True)
class ContainerPlace:
    """A Place in a running container."""

    container: Container

    def names(self) -> list[str]:
        listed = self._run(FIND)
        return [name for name in listed.decode(errors="surrogateescape").split("\0") if name]

    def archive(self, path: str) -> Iterator[bytes]:
        with translated(f"reading {path}", missing=path):
            chunks, _ = self.container.get_archive(path, chunk_size=1 << 20)
            yield from chunks

    def change(self, removed: Sequence[str], tree: IO[bytes] | None) -> None:
        if removed:
            names = "".join(f"{path}\0" for path in [*removed, LIST])
            self._put(packed({LIST: names.encode(errors="surrogateescape")}))
            self._run(["sh", "-c", f"xargs -0 rm -rf -- < {LIST}"])
        if tree:
            self._put(tree)

    def _put(self, tree: IO[bytes] | bytes) -> None:
        with translated("laying files over the image's"):
            self.container.put_archive("/", tree)

    def _run(self, command: Sequence[str]) -> bytes:
        with translated(f"running {command[0]} in the image"):
            ran = self.container.exec_run(list(command), user="0", demux=True)
        out, err = cast("tuple[bytes | None, bytes | None]", ran.output)
        code = ran.exit_code
        if code != 0:
            self._must_live(command[0])
            said = (err or out or b"").decode(errors="replace")[-400:].strip()
            raise ImageRefusedError(
                f"{command[0]} in the image ended with exit code {code}: {said}"
            )
        return out or b""

    def _must_live(self, program: str) -> None:
        """Raises SandboxError where the container was ended, which says nothing of the image: in it
        runs nothing that could do so."""
        until = time.monotonic() + FATE_SECONDS
        while time.monotonic() < until:
            with translated(f"the container is gone in which {program} ran"):
                self.container.reload()
            if self.container.status != "running":
                raise SandboxError(f"the container was stopped from outside while {program} ran")
            time.sleep(0.05)


@contextmanager
def opened(client: DockerClient, image: str, labels: Mapping[str, str]) -> Iterator[ContainerPlace]:
    """A container of the image in which nothing of it runs but `cat`, removed afterwards.

    Raises ImageMissingError, SandboxError.
    """
    from docker.errors import ImageNotFound

    try:
        with translated(f"creating a container of {image}"):
            container = client.containers.create(
                image,
                entrypoint=["cat"],
                command=[],
                stdin_open=True,
                network_mode="none",
                labels=dict(labels),
            )
    except ImageNotFound as error:
        raise ImageMissingError(f"there is no image {image} on this engine") from error
    try:
        with translated(f"starting a container of {image}"):
            container.start()
        yield ContainerPlace(container)
    finally:
        remove(container)


def packed(files: Mapping[str, bytes]) -> bytes:
    """A tar of files, by their absolute paths."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", encoding="utf-8", errors="surrogateescape") as tar:
        for path, data in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return made.getvalue()


def committed(client: DockerClient, place: ContainerPlace, image: str, name: str) -> str:
    """The id of a new image, `name`, of `image` with what was changed in `place`: one layer.

    It has the configuration of `image`, and no label by which it would be taken for a run's.
    Raises ImageError.
    """
    container = place.container
    repository, _, tag = name.rpartition(":")
    with asking(f"making the image {name} of {image}"):
        was = client.images.get(image).attrs["Config"]
        empty = " ".join(f'{label}=""' for label in container.labels if label.startswith(LABEL))
        made = container.commit(
            repository,
            tag,
            changes=[
                f"ENTRYPOINT {json.dumps(was.get('Entrypoint') or [])}",
                f"CMD {json.dumps(was.get('Cmd') or [])}",
                f"LABEL {empty} {LABEL}cleaned={image}",
            ],
        )
    return str(made.id)
