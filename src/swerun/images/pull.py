"""Pull an image: again after what may pass, and not at all after what is for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from swerun.errors import CancelledError, ImageBusyError, ImageError, ImageMissingError
from swerun.images.build import image_id
from swerun.images.rate import RateLimit, asked_for
from swerun.images.watch import Said, Watch, engine_errors

if TYPE_CHECKING:
    from docker import DockerClient

# an image for other machines only, or a manifest that is gone; "unknown" alone may be an authority
ABSENT = ("no matching manifest", "manifest unknown", "does not exist", ": not found")
BUSY = ("toomanyrequests", "too many requests")

Downloaded = Callable[[int], None]  # told of so many bytes more


@dataclass(frozen=True, slots=True)
class Puller:
    """Pulls for one process; threads may share it.

    The engine itself asks for a layer five times, from where it broke off. It does not keep the
    layers of a pull that failed all the same: that one begins again, at most `tries` times, after
    `pause` seconds and then twice as many.
    """

    client: DockerClient
    watch: Watch = field(default_factory=Watch)
    limit: RateLimit = field(default_factory=RateLimit)
    platform: str | None = None
    tries: int = 4
    pause: float = 2.0

    def pull(self, image: str, downloaded: Downloaded = lambda _: None) -> str:
        """Pull `image`, by its tag or digest (`latest` where it has neither), and return its id.

        Raises ImageMissingError where the registry has none of that name for this machine,
        ImageError where it was tried in vain, CancelledError soon after the run is stopped.
        """
        from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential

        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, ImageError) and error.retry),
            stop=stop_after_attempt(self.tries),
            wait=wait_exponential(multiplier=self.pause, max=60),
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._served, image, downloaded)

    def once(self, image: str, downloaded: Downloaded = lambda _: None) -> str:
        """The same, tried once. Raises ImageBusyError for a rate limit."""
        from docker.errors import NotFound

        try:
            coming = Coming()
            for said in self.watch.lines(f"pulling {image}", lambda: self._lines(image)):
                if "error" in said:
                    raise _broken_off(image, str(said["error"]))
                downloaded(coming.more(said))
        except NotFound as error:
            raise ImageMissingError(f"pulling {image}: {error.explanation or error}") from error
        except engine_errors() as error:
            words = getattr(error, "explanation", None) or error  # the engine's, without its URL
            raise _broken_off(image, str(words)) from error
        pulled = image_id(self.client, image)
        if pulled is None:
            raise ImageError(f"pulling {image}: the engine ended it, and does not have the image")
        return pulled

    def _served(self, image: str, downloaded: Downloaded) -> str:
        """A rate limit is no failure: it is waited for until it is over."""
        while True:
            self.limit.wait()
            try:
                pulled = self.once(image, downloaded)
            except ImageBusyError as error:
                self.limit.met(image, error)
            else:
                self.limit.passed()
                return pulled

    def _lines(self, image: str) -> Iterator[Said]:
        # the whole name: the SDK tells a tag from the port of a registry, and from a digest
        yield from self.client.api.pull(image, stream=True, decode=True, platform=self.platform)

    def _sleep(self, seconds: float) -> None:
        if self.watch.cancel.wait(seconds):
            raise CancelledError("the run was stopped before a pull was tried again")


@dataclass(slots=True)
class Coming:
    """The bytes of a pull's layers: of each those that have come, and all, as far as it is said."""

    came: dict[str, int] = field(default_factory=dict)
    all: dict[str, int] = field(default_factory=dict)

    def more(self, said: Said) -> int:
        """Those that a line tells of beyond the lines before it."""
        layer, status = str(said.get("id")), said.get("status")
        before = self.came.get(layer, 0)
        if status == "Downloading":
            told = said["progressDetail"]
            self.all[layer] = int(told.get("total") or 0)
            self.came[layer] = max(before, int(told.get("current") or 0))
        elif status == "Download complete":  # not every byte has a line
            self.came[layer] = max(before, self.all.get(layer, 0))
        return self.came.get(layer, 0) - before


def _broken_off(image: str, said: str) -> ImageError:
    """The engine has one status for all that a registry refuses, and once a pull has begun none:
    only words."""
    if any(words in said.lower() for words in BUSY):
        return ImageBusyError(f"pulling {image}: {said}", asked_for(said))
    missing = any(words in said for words in ABSENT)
    return (ImageMissingError if missing else ImageError)(f"pulling {image}: {said}")
