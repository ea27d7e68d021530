"""The work tree of an image as it was built."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swerun.errors import SandboxError
from swerun.sandbox.changes import Tree, tree_of
from swerun.sandbox.containers import remove, translated

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(slots=True)
class Pristine:
    """The files in `workdir` of an image, read from a container that is never started.

    Of a large repository that takes a second, and it is needed when an agent is done: read `ahead`,
    it is there by then.
    """

    client: DockerClient
    image: str
    workdir: str
    labels: Mapping[str, str]
    _reading: Future[Tree] | None = None

    def ahead(self) -> None:
        """Begin to read, on a thread."""
        thread = ThreadPoolExecutor(1, "swerun-pristine")
        self._reading = thread.submit(self._read)
        thread.shutdown(wait=False)

    def tree(self) -> Tree:
        """Raises SandboxError."""
        if self._reading:
            with suppress(SandboxError):  # that was long ago: it is worth another try
                return self._reading.result()
        return self._read()

    def close(self) -> None:
        """Afterwards no container is left of it."""
        if self._reading:
            wait([self._reading])

    def _read(self) -> Tree:
        with translated(f"reading {self.workdir} of the image {self.image}"):
            container = self.client.containers.create(
                self.image, entrypoint=["cat"], command=[], labels=dict(self.labels)
            )
            try:
                chunks, _ = container.get_archive(self.workdir, chunk_size=1 << 20)
                return tree_of(chunks)
            finally:
                remove(container)
