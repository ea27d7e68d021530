"""Pull an image, and find out soon where no registry answers."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from swerun.errors import ImageError, ImageMissingError
from swerun.images.build import engine_errors, image_id

if TYPE_CHECKING:
    from docker import DockerClient

# an image for other machines only, or a manifest that is gone; "unknown" alone may be an authority
ABSENT = ("no matching manifest", "manifest unknown", "does not exist", ": not found")
SILENCE = 60.0  # seconds without a word from the engine: it waits for a registry that is not there


def pull(client: DockerClient, image: str, *, silence: float = SILENCE) -> str:
    """Pull `image`, by its tag or digest (`latest` where it has neither), and return its id.

    Raises ImageMissingError where the registry has none of that name for this machine, ImageError
    where it could not be asked, broke off, or went silent for `silence` seconds.
    """
    from docker.errors import NotFound

    try:
        for event in _watched(lambda: _events(client, image), image, silence):
            if "error" in event:
                raise _broken_off(image, str(event["error"]))
    except NotFound as error:
        raise ImageMissingError(f"pulling {image}: {error.explanation or error}") from error
    except engine_errors() as error:
        raise ImageError(f"pulling {image}: {error}") from error
    pulled = image_id(client, image)
    if pulled is None:
        raise ImageError(f"pulling {image}: the engine ended it, and does not have the image")
    return pulled


def _events(client: DockerClient, image: str) -> Iterator[dict[str, Any]]:
    # the whole name: the SDK tells a tag from the port of a registry, and from a digest
    yield from client.api.pull(image, stream=True, decode=True)


def _watched(
    events: Callable[[], Iterator[dict[str, Any]]], image: str, silence: float
) -> Iterator[dict[str, Any]]:
    """The events, as long as the next one comes in time: the engine itself waits for minutes."""
    arrived = queue.Queue[Any]()

    def listen() -> None:
        try:
            for event in events():
                arrived.put(event)
            arrived.put(None)
        except engine_errors() as error:
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


def _broken_off(image: str, said: str) -> ImageError:
    """What the engine says after a pull has begun has no status code, only its words."""
    missing = any(words in said for words in ABSENT)
    return (ImageMissingError if missing else ImageError)(f"pulling {image}: {said}")
