"""A sandbox that is a container, driven through the engine's API and one command channel."""

from __future__ import annotations

import posixpath
import re
import shlex
import time
import uuid
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from swerun.errors import ImageMissingError, InstanceError, SandboxError, SandboxLostError
from swerun.ports import Changes, ExecResult, Sandbox
from swerun.records import Role, Task
from swerun.sandbox.archives import first_file
from swerun.sandbox.attached import attach
from swerun.sandbox.changes import Tree, changes_since
from swerun.sandbox.channel import INPUT, Channel, ChannelEndedError, killed, opening
from swerun.sandbox.containers import LABEL, leftovers, reap, remove, translated
from swerun.sandbox.pristine import Pristine
from swerun.sandbox.profile import Profile

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

__all__ = ["DockerSandbox", "DockerSandboxes", "Profile", "leftovers", "reap"]

# It reads what nobody writes: no image lacks it, it dies of any signal, and no agent kills it by
# name as it would `sleep` or `sh`.
IDLE = ["cat"]
FATE_SECONDS = 0.3  # how long the engine may take to notice that a container ended
SETTLE_SECONDS = 60.0  # for what swerun itself runs in a container


@dataclass(slots=True)
class DockerSandbox:
    """A running container, or one that its own command ended: then only what it left is there."""

    client: DockerClient
    container: Container
    workdir: str
    user: str
    pristine: Pristine
    _channel: Channel

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
        before = self.pristine.tree(self.container.attrs["Image"], self.workdir)

        def fetch(path: str) -> Iterator[bytes]:
            # no slash at the end: the engine would follow a link there
            return self._archive(posixpath.join(self.workdir, path) if path else self.workdir)

        with self._paused():
            return changes_since(before, fetch)

    def apply(self, changes: Changes) -> None:
        if changes.deleted:
            names = "".join(f"{path}\0" for path in changes.deleted)
            self._must(f"xargs -0 rm -rf -- <{INPUT}", given=names.encode(errors="surrogateescape"))
        if changes.tree:
            with translated(f"laying changes over {self.workdir}"):
                self.client.api.put_archive(str(self.container.id), self.workdir, changes.tree)

    def close(self) -> None:
        self._channel.close()

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
        self._reopen(command)
        return killed(time.monotonic() - began, timeout=timeout)

    def runs(self, command: str) -> bool:
        """Whether the container outlived the channel. Raises SandboxError if it was removed."""
        deadline = time.monotonic() + FATE_SECONDS
        while True:
            with translated(f"looking at the container after {command[:200]!r}"):
                self.container.reload()
            state = self.container.attrs["State"]
            if state.get("Dead") or self.container.status in {"removing", "paused"}:
                raise SandboxError(
                    f"the container was removed or paused from outside during {command[:200]!r}"
                )
            if not state["Running"] or time.monotonic() > deadline:
                return bool(state["Running"])
            time.sleep(0.05)

    def _ending(self) -> str:
        state = self.container.attrs["State"]
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
            raise SandboxLostError(
                f"nothing can be run in the container any more after {command[:200]!r}: {error}"
            ) from error

    @contextmanager
    def _paused(self) -> Iterator[None]:
        """Nothing changes while the engine reads: a file that grows would break its archive."""
        from docker.errors import APIError

        try:
            self.container.pause()
        except APIError:  # it does not run
            yield
            return
        try:
            yield
        finally:
            with suppress(APIError):  # it was removed meanwhile
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


def open_channel(client: DockerClient, container: Container, workdir: str, user: str) -> Channel:
    with translated(f"opening a command channel in {container.name}"):
        channel = Channel(attach(client, str(container.id), opening(workdir), user=user))
    try:
        channel.open()
    except SandboxError:
        channel.close()
        raise
    return channel


@dataclass(frozen=True, slots=True)
class DockerSandboxes:
    """Containers of one run. `owner` says which process they belong to; a Profile for each role."""

    client: DockerClient
    run: str
    owner: str
    profiles: Mapping[Role, Profile] = field(default_factory=dict)
    _pristine: dict[tuple[str, str], Tree] = field(default_factory=dict)

    @contextmanager
    def start(self, task: Task, *, role: Role, attempt: int) -> Iterator[DockerSandbox]:
        """Raises ImageMissingError, SandboxError, InstanceError if `workdir` is no repository."""
        profile = self.profiles.get(role, Profile())
        labels = self._labels(task, role, attempt)
        container = self._create(task, profile, labels)
        try:
            with translated(f"starting a container of {task.image}"):
                container.start()
                container.reload()
            sandbox = DockerSandbox(
                client=self.client,
                container=container,
                workdir=task.workdir,
                user=profile.user,
                pristine=Pristine(self.client, labels, self._pristine),
                _channel=open_channel(self.client, container, task.workdir, profile.user),
            )
            try:
                check_repository(sandbox, task)
                yield sandbox
            finally:
                sandbox.close()
        finally:
            remove(container)

    def _create(self, task: Task, profile: Profile, labels: Mapping[str, str]) -> Container:
        from docker.errors import ImageNotFound

        words = re.sub(
            r"[^a-z0-9_.-]+", "-", f"swerun-{task.id}-{labels[LABEL + 'attempt']}".lower()
        )
        try:
            with translated(f"creating a container of {task.image}"):
                return self.client.containers.create(
                    task.image,
                    entrypoint=IDLE,
                    command=[],
                    stdin_open=True,
                    working_dir="/",
                    name=f"{words}-{labels[LABEL + 'role']}-{uuid.uuid4().hex[:8]}",
                    labels=dict(labels),
                    **profile.options(),
                )
        except ImageNotFound as error:
            raise ImageMissingError(f"there is no image {task.image} on this engine") from error

    def _labels(self, task: Task, role: Role, attempt: int) -> dict[str, str]:
        return {
            f"{LABEL}run": self.run,
            f"{LABEL}owner": self.owner,
            f"{LABEL}instance": task.id,
            f"{LABEL}attempt": str(attempt),
            f"{LABEL}role": role.value,
        }


def check_repository(sandbox: Sandbox, task: Task) -> None:
    """Raises InstanceError unless the work directory is the top of a repository with a commit."""
    result = sandbox.exec(
        'git rev-parse --verify --quiet "HEAD^{commit}" && git rev-parse --show-toplevel && pwd -P',
        timeout=SETTLE_SECONDS,
    )
    said = result.output.split("\n")
    if result.exit_code != 0 or said[1:3] != [task.workdir, task.workdir]:
        raise InstanceError(
            f"{task.id}: {task.workdir} in the image {task.image} is not a git repository with a "
            f"commit: {result.output[-400:].strip()}"
        )
