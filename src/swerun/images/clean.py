"""Images as agents may see them: audited once, and cleaned where something leaks."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from swerun.errors import ImageRefusedError
from swerun.images.audit import audit
from swerun.images.found import Found
from swerun.images.here import here
from swerun.images.ledger import Audited
from swerun.images.place import ContainerPlace, Place, committed, opened, packed
from swerun.images.store import EngineImages
from swerun.ports import Image
from swerun.records import Instance, Leak, Role, Task
from swerun.repos.mending import mend
from swerun.sandbox.containers import LABEL

AUDIT = "2"  # of what is looked for, and how it is removed: another one looks at everything again
REPOSITORY = "swerun/clean"
SHOWN = 5  # leaks in an error


@dataclass(frozen=True, slots=True)
class CleanImages:
    """A ports.Images around an engine's, which also knows what agents are given of them.

    Each image is looked at once, and where something leaks another one is made of it without:
    both are noted in the engine's ledger. Threads and processes may share it.
    """

    images: EngineImages
    allow_leaks: bool = False

    @contextmanager
    def hold(self, instance: Instance) -> Iterator[None]:
        clean = clean_name(instance.task)
        with self.images.hold(instance), self.images.ledger.in_use(clean):
            yield

    def ensure(self, instance: Instance) -> Image:
        return self.images.ensure(instance)

    def for_agent(self, instance: Instance, image: Image) -> Image:
        """What an agent is given in the place of `image`, under the same digest.

        Raises ImageRefusedError where something leaks that cannot be removed, and that is not
        allowed; InstanceError, SandboxError, ImageError.
        """
        audited = self.audited(instance.task, image, clean=True)
        if audited.left and not self.allow_leaks:
            raise ImageRefusedError(_refusal(instance.task, audited.left))
        return replace(
            image,
            id=audited.clean or image.id,
            cleaned=bool(audited.clean),
            leaks=tuple(map(str, audited.left)),
        )

    def audited(self, task: Task, image: Image, *, clean: bool) -> Audited:
        """What leaks in an image, and with `clean` what is left of it in the image made of it."""
        key = _key(task, image)
        known = self._known(key, clean=clean)
        if known is None:
            with self.images.ledger.auditing(key):
                known = self._known(key, clean=clean) or self._look(key, task, image, clean=clean)
        return known

    def _known(self, key: str, *, clean: bool) -> Audited | None:
        known = self.images.ledger.audited(key)
        if known is None or not clean or not known.removable:
            return known
        return known if known.clean and here(self.images.client, known.clean) else None

    def _look(self, key: str, task: Task, image: Image, *, clean: bool) -> Audited:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="swerun-audit-") as folder:
            scratch = Path(folder)
            with self._opened(task, image.id) as place:
                found = audit(place, task, scratch / "before")
                leaks = left = found.leaks
                seconds, made = time.monotonic() - began, ""
                if clean and any(not leak.stays for leak in leaks):
                    try:
                        changed(place, found, scratch)
                        made = self._committed(place, task, image)
                    except ImageRefusedError as error:
                        leaks = left = _staying(leaks, str(error))
            if made:
                with self._opened(task, made) as place:
                    left = audit(place, task, scratch / "after").leaks
        audited = Audited(
            image=task.image,
            id=image.id,
            leaks=leaks,
            clean=made,
            left=left,
            seconds=round(seconds, 3),
            cleaning_seconds=round(time.monotonic() - began - seconds, 3),
        )
        self.images.ledger.write_audited(key, audited)
        return audited

    @contextmanager
    def _opened(self, task: Task, image: str) -> Iterator[ContainerPlace]:
        labels = {
            f"{LABEL}run": self.images.run or "images",
            f"{LABEL}owner": f"{platform.node()}:{os.getpid()}",
            f"{LABEL}instance": task.id,
            f"{LABEL}role": Role.AUDIT.value,
        }
        with opened(self.images.client, image, labels) as place:
            yield place

    def _committed(self, place: ContainerPlace, task: Task, image: Image) -> str:
        name = clean_name(task)
        made = committed(self.images.client, place, image.id, name)
        self.images.beside(task.image, name, made)
        return made


def clean_name(task: Task) -> str:
    """What the image is called that is made of a task's, for that task."""
    return f"{REPOSITORY}:{_digest(task.image, task.workdir, task.repo, task.base_commit)}"


def _key(task: Task, image: Image) -> str:
    return _digest(AUDIT, image.id, task.workdir, task.repo, task.base_commit)


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()[:32]


def changed(place: Place, found: Found, scratch: Path) -> None:
    for number, seen in enumerate(found.repositories):
        mending = mend(seen, scratch / f"{number}.tar")
        with mending.tree.open("rb") as tree:
            place.change(mending.removed, tree)
    placed = packed(dict(found.placed))
    place.change(found.removed, io.BytesIO(placed) if found.placed else None)


def _staying(leaks: Sequence[Leak], why: str) -> tuple[Leak, ...]:
    return tuple(leak.model_copy(update={"stays": leak.stays or why}) for leak in leaks)


def _refusal(task: Task, left: Sequence[Leak]) -> str:
    lines = [f"  {leak}" for leak in left[:SHOWN]]
    more = [f"  and {len(left) - SHOWN} more"] if len(left) > SHOWN else []
    return "\n".join(
        [
            f"the image {task.image} shows an agent what came after {task.id}'s base commit, and "
            "that cannot be removed:",
            *lines,
            *more,
            "`swerun images check` says all; --allow-leaks runs it all the same, with a mark in "
            "the record",
        ]
    )
