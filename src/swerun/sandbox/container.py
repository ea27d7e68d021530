"""One running container as a sandbox: through the engine's API and one command channel."""

from __future__ import annotations

import posixpath
import shlex
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn

from swerun.errors import SandboxError, SandboxLostError
from swerun.ports import Changes, ExecResult
from swerun.sandbox.archives import below, first_file
from swerun.sandbox.attached import attach
from swerun.sandbox.changes import Tree, changes_since, tree_of
from swerun.sandbox.channel import (
    INPUT,
    Channel,
    ChannelEndedError,
    StuckError,
    killed,
    opening,
)
from swerun.sandbox.containers import translated, troubles
from swerun.sandbox.disk import Watched
from swerun.sandbox.pristine import Pristine

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

DEATH_SECONDS = 5.0  # how long after it the engine may take to tell of it
FATE_SECONDS = 0.3  # how long the engine may take to notice that a container ended
SETTLE_SECONDS = 60.0  # for what swerun itself runs in a container


@dataclass(slots=True)
class DockerSandbox:
    """A running container, or one that its own command ended: then only what it left is there."""

    client: DockerClient
    watched: Watched
    workdir: str
    user: str
    pristine: Pristine
    _channel: Channel

    @property
    def container(self) -> Container:
        return self.watched.container

    def exec(self, command: str, *, timeout: float) -> ExecResult:
        return self._exec(command, timeout=timeout)

    def write_file(self, path: str, data: bytes) -> None:
        target = self._absolute(path)
        name, folder = shlex.quote(target), shlex.quote(posixpath.dirname(target))
        source = INPUT if data else "/dev/null"
        self._must(f"mkdir -p {folder} && cat <{source} >{name}", given=data)

    def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        with closing(self._archive(self._absolute(path))) as chunks:
            return first_file(chunks, path, limit)

    def changes(self) -> Changes:
        before = self.pristine.tree()
        # no slash at the end: the engine would follow a link there
        with self._paused(), closing(self._archive(self.workdir)) as archive:
            return changes_since(before, archive)

    def tree(self) -> Tree:
        """The files of its work directory, while nothing changes them."""
        with closing(self._archive(self.workdir)) as archive:
            return tree_of(archive)

    def apply(self, changes: Changes) -> None:
        if changes.deleted:
            names = "".join(f"{path}\0" for path in changes.deleted)
            self._must(f"xargs -0 rm -rf -- <{INPUT}", given=names.encode(errors="surrogateescape"))
        if changes.tree:
            with translated(f"laying changes over {self.workdir}"):
                archive = below(changes.tree, self.workdir)
                self.client.api.put_archive(str(self.container.id), "/", archive)

    def close(self) -> None:
        self._channel.close()
        self.pristine.close()

    def _must(self, command: str, *, given: bytes) -> None:
        result = self._exec(command, timeout=SETTLE_SECONDS, given=given)
        if result.exit_code != 0:
            raise SandboxError(f"{command!r} failed: {result.output[-400:].strip()}")

    def _exec(self, command: str, *, timeout: float, given: bytes = b"") -> ExecResult:
        began = time.monotonic()
        try:
            return self._channel.exec(command, timeout=timeout, given=given)
        except ChannelEndedError as error:
            if not self.runs(command):
                raise SandboxLostError(
                    f"the container ended during {command[:200]!r}: {self._ending()}"
                ) from error
        except StuckError as error:
            self._give_up(command, error)
        self._reopen(command)
        return killed(time.monotonic() - began, timeout=timeout)

    def runs(self, command: str) -> bool:
        """Whether the container outlived the channel. Raises SandboxError if it was removed."""
        deadline = time.monotonic() + FATE_SECONDS
        while True:
            why = self.watched.ended or "it was removed or paused from outside, or the engine ended"
            with translated(f"the container is gone after {command[:200]!r} ({why})"):
                self.container.reload()
            state = self.container.attrs["State"]
            if state.get("Dead") or self.container.status in {"removing", "paused"}:
                raise SandboxError(f"the container is gone after {command[:200]!r}: {why}")
            if not state["Running"] and not self._ended_by_itself():
                raise SandboxError(f"the container was stopped from outside: {command[:200]!r}")
            if not state["Running"] or time.monotonic() > deadline:
                return bool(state["Running"])
            time.sleep(0.05)

    def _ended_by_itself(self) -> bool:
        """Not because somebody had the engine end it, nor because the engine was started anew: then
        it knows nothing of any death."""
        if self.watched.ended:
            return True
        until: Any = _timestamp(self.container.attrs["State"]["FinishedAt"], later=DEATH_SECONDS)
        ends = {"container": self.container.id, "event": ["kill", "die"]}
        with translated(f"asking how {self.container.name} ended"):
            events = self.client.api.events(since=0, until=until, filters=ends, decode=True)
            with closing(events):
                return any(event["Action"] == "die" for event in islice(events, 1))

    def _ending(self) -> str:
        state = self.container.attrs["State"]
        if self.watched.ended:
            return self.watched.ended
        memory = ", out of memory" if state.get("OOMKilled") else ""
        return f"exit code {state['ExitCode']}{memory}"

    def _reopen(self, command: str) -> None:
        gone = self._channel
        gone.close()
        try:
            self._channel = open_channel(self.client, self.container, self.workdir, self.user)
            self._channel.follow(gone)
        except SandboxError as error:
            self.runs(command)
            self._give_up(command, error)

    def _give_up(self, command: str, error: SandboxError) -> NoReturn:
        """The command brought the container into a state in which nothing can be done with it."""
        self.watched.ended = self.watched.ended or f"nothing could be run in it any more: {error}"
        with translated(f"ending the container after {command[:200]!r}"):
            self.container.kill()
        raise SandboxLostError(
            f"nothing can be run in the container any more after {command[:200]!r}: {error}"
        ) from error

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """Nothing changes while the engine reads: a file that grows would break its archive."""
        try:
            self.container.pause()
        except troubles():  # it does not run
            yield
            return
        try:
            yield
        finally:
            with suppress(*troubles()):  # it was removed meanwhile
                self.container.unpause()

    def _absolute(self, path: str) -> str:
        return posixpath.join(self.workdir, path)

    def _archive(self, path: str) -> Generator[bytes]:
        """The archive of a path, running or not. Raises FileNotFoundError."""
        with translated(f"reading {path}", missing=path):
            chunks, _ = self.client.api.get_archive(
                str(self.container.id), path, chunk_size=1 << 20
            )
            yield from chunks


def _timestamp(given: str, later: float) -> str:
    """A moment some seconds after one that is given in the engine's own way to write it,
    `2026-01-01T00:00:00.5Z`, in its way to read one."""
    whole = given.removesuffix("Z").partition(".")[0]
    return f"{datetime.fromisoformat(f'{whole}+00:00').timestamp() + later:.0f}"


def open_channel(client: DockerClient, container: Container, workdir: str, user: str) -> Channel:
    with translated(f"opening a command channel in {container.name}"):
        channel = Channel(attach(client, str(container.id), opening(workdir), user=user))
    try:
        channel.open()
    except SandboxError:
        channel.close()
        raise
    return channel
