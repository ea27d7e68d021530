"""The names of images: taken apart as the engine does it, mapped to a mirror, pinned. Pure."""

from __future__ import annotations

from dataclasses import dataclass

HUB = "docker.io"


@dataclass(frozen=True, slots=True)
class Name:
    """`registry/repository:tag`, or with `@digest` in the tag's place. What a name leaves out is
    docker.io, the folder `library` there, and `latest`."""

    registry: str
    repository: str
    tag: str
    digest: str = ""

    @property
    def end(self) -> str:
        return f"@{self.digest}" if self.digest else f":{self.tag}"

    @property
    def reference(self) -> str:
        return self.digest or self.tag


def parsed(image: str) -> Name:
    rest, _, digest = image.partition("@")
    host, slash, path = rest.partition("/")
    if not slash or not (set(".:") & set(host) or host == "localhost"):
        host, path = HUB, rest
    elif host == f"index.{HUB}":
        host = HUB
    repository, colon, tag = path.rpartition(":")
    if not colon:
        repository, tag = path, "latest"
    if host == HUB and "/" not in repository:
        repository = f"library/{repository}"
    return Name(host, repository, tag, digest)


def mirrored(image: str, prefix: str | None) -> str:
    """The name of an image at a mirror: `prefix` in the place of its registry."""
    if not prefix:
        return image
    name = parsed(image)
    return f"{prefix.rstrip('/')}/{name.repository}{name.end}"


def pinned(image: str, digest: str | None) -> str:
    """The name of that one image, wherever its tag points meanwhile."""
    if not digest or "@" in image:
        return image
    folder, slash, last = image.rpartition("/")  # a registry's port has a colon too
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}"


def same_repository(one: str, other: str) -> bool:
    a, b = parsed(one), parsed(other)
    return (a.registry, a.repository) == (b.registry, b.repository)
