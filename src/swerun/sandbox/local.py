"""A sandbox that is just a folder. For tests and for trying things out; it isolates nothing."""

from __future__ import annotations

import io
import shutil
import tarfile
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from swerun.ports import Changes, ExecResult, Sandbox
from swerun.records import Role, Task
from swerun.sandbox.changes import changes_since, tree_of
from swerun.sandbox.channel import Channel, ChannelEndedError, Server, killed, opening
from swerun.sandbox.process import talk


@dataclass(slots=True)
class LocalSandbox:
    """A copy of `template`, with the same command channel as a container."""

    folder: Path
    template: Path
    server: Server | None
    marks: str
    _channel: Channel

    def exec(self, command: str, *, timeout: float) -> ExecResult:
        began = time.monotonic()
        try:
            return self._channel.exec(command, timeout=timeout)
        except ChannelEndedError:
            self._reopen()
        return killed(time.monotonic() - began, timeout=timeout)

    def write_file(self, path: str, data: bytes) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def read_file(self, path: str, *, limit: int | None = None) -> bytes:
        file = self.folder / path
        if file.is_symlink() or not file.is_file():
            raise FileNotFoundError(f"{path} is no file")
        with file.open("rb") as opened:
            return opened.read(limit)

    def changes(self) -> Changes:
        return changes_since(tree_of(archive(self.template)), archive(self.folder))

    def apply(self, changes: Changes) -> None:
        for path in changes.deleted:
            remove(self.folder / path)
        with tarfile.open(fileobj=io.BytesIO(changes.tree or bytes(1024))) as tar:
            for member in tar:
                if not member.isdir():
                    remove(self.folder / member.name)
            tar.extractall(self.folder, filter="tar")

    def close(self) -> None:
        """Unlike a container, a folder takes nothing with it: what still runs is killed."""
        try:
            self._channel.end(self.marks)
        except ChannelEndedError:
            self._reopen()
            self._channel.end(self.marks)
        self._channel.close()

    def _reopen(self) -> None:
        gone = self._channel
        gone.close()
        self._channel = open_channel(self.folder, self.server, self.marks)
        self._channel.follow(gone)


@dataclass(frozen=True, slots=True)
class LocalSandboxes:
    """Every sandbox is a copy of `template`, whatever the task; `server` is a channel's."""

    template: Path
    server: Server | None = None

    @contextmanager
    def start(self, task: Task, *, role: Role, attempt: int) -> Iterator[Sandbox]:
        name = f"swerun-{task.id}-{attempt}-{role.value}-"
        marks = f"{uuid.uuid4().hex[:8]}-"
        with tempfile.TemporaryDirectory(prefix=name, ignore_cleanup_errors=True) as made:
            folder = Path(made).resolve() / "repo"
            shutil.copytree(self.template, folder, symlinks=True)
            channel = open_channel(folder, self.server, marks)
            sandbox = LocalSandbox(folder, self.template, self.server, marks, channel)
            try:
                yield sandbox
            finally:
                sandbox.close()


def open_channel(folder: Path, server: Server | None, marks: str) -> Channel:
    channel = Channel(talk(opening(str(folder), server=server), cwd=Path("/")), marks)
    channel.open()
    return channel


def archive(path: Path) -> Iterator[bytes]:
    """As the engine's archive of a path: one entry of its name, and what is below.

    Reading it raises FileNotFoundError.
    """
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", encoding="utf-8", errors="surrogateescape") as tar:
        tar.add(path, arcname=path.name)
    yield made.getvalue()


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
