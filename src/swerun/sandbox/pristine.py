"""The work trees of images as they were built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from swerun.sandbox.changes import Tree, tree_of
from swerun.sandbox.containers import remove, translated

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(frozen=True, slots=True)
class Pristine:
    """The work trees of images, each read once, from a container that is never started."""

    client: DockerClient
    labels: Mapping[str, str]
    trees: dict[tuple[str, str], Tree] = field(default_factory=dict)

    def tree(self, image: str, workdir: str) -> Tree:
        if (image, workdir) not in self.trees:
            with translated(f"reading {workdir} of the image {image}"):
                container = self.client.containers.create(
                    image, entrypoint=["cat"], command=[], labels=dict(self.labels)
                )
                try:
                    chunks, _ = container.get_archive(workdir, chunk_size=1 << 20)
                    self.trees[image, workdir] = tree_of(chunks)
                finally:
                    remove(container)
        return self.trees[image, workdir]
