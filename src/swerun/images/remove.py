"""Remove images by all the names that swerun gave them, and never one that is in use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from swerun.errors import ImageError
from swerun.images.ledger import Ledger
from swerun.images.watch import engine_errors

if TYPE_CHECKING:
    from docker import DockerClient


def remove(client: DockerClient, ledger: Ledger, image: str, names: Iterable[str]) -> bool:
    """Whether the image is gone. One that a container is made of, or that any process of swerun
    uses, stays. So does an image with names of others: it loses ours alone.

    Raises ImageError where the engine fails.
    """
    from docker.errors import APIError, ImageNotFound

    with ledger.unused(image) as unused:
        if not unused:
            return False
        for name in dict.fromkeys(names):
            try:
                client.api.remove_image(name)
            except ImageNotFound:
                continue
            except APIError as error:
                if error.status_code == 409:  # a container is made of it
                    return False
                raise ImageError(f"removing the image {name}: {error}") from error
            except engine_errors() as error:
                raise ImageError(f"removing the image {name}: {error}") from error
        ledger.forget(image)
    return True
