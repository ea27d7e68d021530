"""A second container of an agent's image, made ready while the agent works."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from swerun.errors import SandboxError
from swerun.sandbox.changes import Tree

if TYPE_CHECKING:
    from swerun.sandbox.container import DockerSandbox

SECONDS = 600.0
# The index has the files' inodes and times of when the image was made: git reads each of them once.
LOOK = "git update-index -q --refresh"


@dataclass(slots=True)
class Pristine:
    """Only swerun touches it: an agent's changes are told from its files, and become a patch in it.

    Starting it, reading its files and git's first look at them take a second of a large repository.
    That is done `ahead`, so that nobody waits for it when the agent is done. Threads may share it.
    """

    start: Callable[[], AbstractContextManager[DockerSandbox]]
    _closing: ExitStack = field(default_factory=ExitStack)
    _ready: Future[tuple[DockerSandbox, Tree]] | None = None
    _lock: Lock = field(default_factory=Lock)

    def ahead(self) -> None:
        """Begin, on a thread."""
        thread = ThreadPoolExecutor(1, "swerun-pristine")
        self._ready = thread.submit(self._made)
        thread.shutdown(wait=False)

    def tree(self) -> Tree:
        """Raises SandboxError."""
        return self._now()[1]

    def sandbox(self) -> DockerSandbox:
        """It, or another one where somebody ended it meanwhile. Raises SandboxError."""
        sandbox, _ = self._now()
        try:
            sandbox.exec("true", timeout=SECONDS)
        except SandboxError:
            with self._lock:
                self._ready = None
            sandbox, _ = self._now()
        return sandbox

    def close(self) -> None:
        if self._ready:
            wait([self._ready])
        self._closing.close()

    def _now(self) -> tuple[DockerSandbox, Tree]:
        with self._lock:
            if self._ready is None or self._ready.exception():  # that was long ago: once more
                self.ahead()
            ready = self._ready
        assert ready
        return ready.result()

    def _made(self) -> tuple[DockerSandbox, Tree]:
        sandbox = self._closing.enter_context(self.start())
        sandbox.exec(LOOK, timeout=SECONDS)
        return sandbox, sandbox.tree()
