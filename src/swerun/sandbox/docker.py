"""Sandboxes that are containers: made from images by the engine, and removed whatever happened."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from swerun.errors import ImageError, InstanceError, SandboxError
from swerun.ports import Sandbox
from swerun.records import Role, Task
from swerun.sandbox.container import SETTLE_SECONDS, DockerSandbox, open_channel
from swerun.sandbox.containers import LABEL, leftovers, reap, remove, remove_beside, translated
from swerun.sandbox.disk import DiskWatch, Watched
from swerun.sandbox.pristine import Pristine
from swerun.sandbox.profile import Profile

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

__all__ = ["DockerSandbox", "DockerSandboxes", "Profile", "leftovers", "reap"]

# It reads what nobody writes: no image lacks it, it dies of any signal, and no agent kills it by
# name as it would `sleep` or `sh`.
IDLE = ["cat"]


@dataclass(frozen=True, slots=True)
class DockerSandboxes:
    """Containers of one run. `owner` says which process they belong to; a Profile for each role."""

    client: DockerClient
    run: str
    owner: str
    profiles: Mapping[Role, Profile] = field(default_factory=dict)
    disk: DiskWatch | None = None
    # Whether what nobody waits for is done on threads, beside the rest: making ready what a patch
    # will be made in, and removing containers. For runs, whose next session removes what is left
    # where a process dies meanwhile.
    beside: bool = False
    # of agents' containers that there are, what their patches will be made in
    _pristine: dict[tuple[str, str, str, int], Pristine] = field(default_factory=dict)

    @contextmanager
    def start(self, task: Task, *, role: Role, attempt: int) -> Iterator[DockerSandbox]:
        """Raises ImageError where the image is gone, SandboxError, InstanceError if `workdir` is no
        repository."""
        key = task.id, task.image, task.workdir, attempt
        if role is Role.PATCH and (ready := self._pristine.pop(key, None)):
            yield ready.sandbox()
            return
        with self._started(task, role, attempt) as sandbox:
            if role is Role.AGENT:
                self._pristine[key] = sandbox.pristine
                if self.beside:
                    sandbox.pristine.ahead()
            try:
                yield sandbox
            finally:
                self._pristine.pop(key, None)

    @contextmanager
    def _started(self, task: Task, role: Role, attempt: int) -> Iterator[DockerSandbox]:
        profile = self.profiles.get(role, Profile())
        labels = self._labels(task, role, attempt)
        with self._running(task, profile, labels) as watched:
            sandbox = DockerSandbox(
                client=self.client,
                watched=watched,
                workdir=task.workdir,
                user=profile.user,
                pristine=Pristine(lambda: self._started(task, Role.PATCH, attempt)),
                _channel=open_channel(self.client, watched.container, task.workdir, profile.user),
            )
            try:
                if role is not Role.PATCH:  # that of an agent was looked at before
                    check_repository(sandbox, task)
                yield sandbox
            finally:
                sandbox.close()

    @contextmanager
    def _running(
        self, task: Task, profile: Profile, labels: Mapping[str, str]
    ) -> Iterator[Watched]:
        container = self._create(task, labels, profile.options())
        try:
            with translated(f"starting a container of {task.image}"):
                container.start()
                container.reload()
            unwatched = nullcontext(Watched(container, profile.disk))
            with self.disk.watching(container, profile.disk) if self.disk else unwatched as watched:
                yield watched
        finally:
            (remove_beside if self.beside else remove)(container)

    def _create(self, task: Task, labels: Mapping[str, str], options: dict[str, Any]) -> Container:
        if not (self.disk and self.disk.quota):
            return self._created(task, labels, options)
        sized = {"storage_opt": {"size": str(options["ulimits"][0]["hard"])}}
        try:
            return self._created(task, labels, options | sized)
        except SandboxError:
            made = self._created(task, labels, options)
            self.disk.quota = False  # so it was that which the engine refused
            return made

    def _created(self, task: Task, labels: Mapping[str, str], options: dict[str, Any]) -> Container:
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
                    **options,
                )
        except ImageNotFound as error:
            said = f"the image {task.image} is not on this engine, or not any more"
            raise ImageError(said) from error

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
