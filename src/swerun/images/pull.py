"""Pull an image, and find out soon where no registry answers."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from swerun.errors import ImageError, ImageMissingError

if TYPE_CHECKING:
    from docker import DockerClient

SILENCE = 60.0  # seconds without a word from the engine: it waits for a registry that is not there


def pull(client: DockerClient, image: str, *, silence: float = SILENCE) -> str:
    """Pull `image` (with its tag) and return its id.

    Raises ImageMissingError where the registry has none of that name, ImageError where it could
    not be asked or went silent for `silence` seconds.
    """
    from docker.errors import DockerException, NotFound

    try:
        for event in _watched(lambda: _events(client, image), image, silence):
            if "error" in event:
                raise _refused(image, str(event["error"]))
        return str(client.images.get(image).id)
    except NotFound as error:
        raise _refused(image, str(error.explanation or error)) from error
    except DockerException as error:
        raise ImageError(f"pulling {image}: {error}") from error


def _events(client: DockerClient, image: str) -> Iterator[dict[str, Any]]:
    repository, _, tag = image.rpartition(":")
    yield from client.api.pull(repository, tag=tag, stream=True, decode=True)


def _watched(
    events: Callable[[], Iterator[dict[str, Any]]], image: str, silence: float
) -> Iterator[dict[str, Any]]:
    """The events, as long as the next one comes in time: the engine itself waits for minutes."""
    arrived = queue.Queue[Any]()

    def listen() -> None:
        from docker.errors import DockerException
        from requests.exceptions import RequestException

        try:
            for event in events():
                arrived.put(event)
            arrived.put(None)
        except (DockerException, RequestException) as error:
            arrived.put(error)

    threading.Thread(target=listen, daemon=True, name=f"pull {image}").start()
    while True:
        try:
            event = arrived.get(timeout=silence)
        except queue.Empty as error:
            raise ImageError(f"pulling {image}: no word from it in {silence:g} s") from error
        if event is None:
            return
        if isinstance(event, Exception):
            raise event
        yield event


def _refused(image: str, said: str) -> ImageError:
    """The engine words it "manifest unknown" or "repository does not exist" where there is none."""
    missing = any(words in said for words in ("not found", "unknown", "does not exist"))
    return (ImageMissingError if missing else ImageError)(f"pulling {image}: {said}")
