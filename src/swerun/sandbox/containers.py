"""The containers of this and of other runs: finding them by label, and removing them."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING

from swerun.errors import SandboxError

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

LABEL = "swerun."
DAY = 86_400.0  # seconds: no attempt and no grading lasts that long
# The engine has one status for these and for its own trouble: a path that leads through a file, or
# through a circle of links. Whoever works in a container can make one of any path.
LEADS_NOWHERE = ("not a directory", "too many links", "too many levels of symbolic links")


def troubles() -> tuple[type[Exception], ...]:
    """What the SDK raises where the engine refuses, goes away, or is not there."""
    from docker.errors import DockerException

    return DockerException, OSError  # those of requests are OSErrors


def remove(container: Container) -> None:
    with suppress(*troubles()):  # somebody else removes it, or a later reaping finds its label
        container.remove(force=True, v=True)


def remove_beside(container: Container) -> None:
    """As `remove`, on a thread: nothing waits for it, but no process ends before it has."""
    Thread(target=remove, args=(container,), name="swerun-remove").start()


@dataclass(frozen=True, slots=True)
class Leftover:
    """A container of swerun's, whoever started it."""

    id: str
    name: str
    run: str
    owner: str
    instance: str
    status: str
    created: float = 0.0  # seconds since 1970


def leftovers(client: DockerClient, *, run: str | None = None) -> tuple[Leftover, ...]:
    """All containers with swerun's labels, or those of one run."""
    label = f"{LABEL}run" if run is None else f"{LABEL}run={run}"
    with translated("listing containers"):
        found = client.api.containers(all=True, filters={"label": label})
    return tuple(
        Leftover(
            id=one["Id"],
            name=one["Names"][0].lstrip("/"),
            run=one["Labels"][f"{LABEL}run"],
            owner=one["Labels"].get(f"{LABEL}owner", ""),
            instance=one["Labels"].get(f"{LABEL}instance", ""),
            status=one["State"],
            created=float(one.get("Created") or 0),
        )
        for one in found
        if one["Labels"].get(f"{LABEL}run")  # a user's own, of an image that was cleaned, has none
    )


def reap(client: DockerClient, run: str) -> int:
    """Remove every container of a run: what is blocked in one ends. Returns how many there were."""
    found = [one.id for one in leftovers(client, run=run)]
    remove_all(client, found)
    return len(found)


def owned() -> str:
    """The label `owner` of this process's containers."""
    return f"{platform.node()}:{os.getpid()}"


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_orphan(
    one: Leftover, host: str, now: float, is_alive: Callable[[int], bool] = is_alive
) -> bool:
    """Whether the process that a container belongs to is gone. Of one on another machine, or in a
    container of its own, only age tells."""
    where, _, number = one.owner.rpartition(":")
    if where == host and number.isdecimal():
        return not is_alive(int(number))
    return now - one.created > DAY


def reap_orphans(client: DockerClient, run: str) -> int:
    """As `reap`, but of the processes that live: several may have containers of this label."""
    found = leftovers(client, run=run)
    orphans = [one.id for one in found if is_orphan(one, platform.node(), time.time())]
    remove_all(client, orphans)
    return len(orphans)


def reap_own(client: DockerClient, run: str) -> None:
    """As `reap`, but of this process alone."""
    remove_all(client, [one.id for one in leftovers(client, run=run) if one.owner == owned()])


def remove_all(client: DockerClient, containers: Sequence[str]) -> None:
    """Remove containers by their ids, several at once."""

    def end(container: str) -> None:
        with suppress(*troubles()):  # gone meanwhile, or on its way
            client.api.remove_container(container, force=True, v=True)

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(end, containers))


@contextmanager
def translated(doing: str, *, missing: str | None = None) -> Iterator[None]:
    """The engine's errors as ours; FileNotFoundError where `missing` is what is not there."""
    from docker.errors import ImageNotFound, NotFound

    try:
        yield
    except ImageNotFound:
        raise
    except NotFound as error:
        if missing is not None and "no such container" not in str(error).lower():
            raise FileNotFoundError(missing) from error
        raise SandboxError(f"{doing}: {error}") from error
    except troubles() as error:
        if missing is not None and any(words in str(error) for words in LEADS_NOWHERE):
            raise FileNotFoundError(missing) from error
        raise SandboxError(f"{doing}: {error}") from error
