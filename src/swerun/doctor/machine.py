"""This machine: the engine, its room, and what other runs have left there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swerun.doctor.finding import Finding, bad, good, poor, unknown
from swerun.images.base import BASE
from swerun.images.build import image_id
from swerun.sandbox.containers import Leftover, is_orphan

if TYPE_CHECKING:
    from docker import DockerClient

HERE = "this machine"
GIB = 1024**3
ROOM = 10 * GIB  # the base image and the sample take less than 2, one image of SWE-bench 3 to 5
PER_AGENT = 4 * GIB  # as --memory is by default
SLOW_DRIVERS = {"vfs", "devicemapper"}


def examined(client: DockerClient, cache: Path) -> Iterator[Finding]:
    """What a run needs of the engine and of the disk."""
    known: dict[str, Any] = client.info()
    version = known.get("ServerVersion", "?")
    yield good(HERE, "engine", f"{known.get('OperatingSystem', 'Docker')}, version {version}")
    yield driver(str(known.get("Driver", "")))
    yield room(str(known.get("DockerRootDir", "")))
    yield power(int(known.get("NCPU", 0)), int(known.get("MemTotal", 0)))
    if image_id(client, BASE):
        yield good(HERE, "base image", f"{BASE} is there")
    else:
        yield unknown(HERE, "base image", f"{BASE} is made by the first run that needs it",
                      "`swerun images base --install` makes it now.")  # fmt: skip
    yield folder(cache)


def driver(name: str) -> Finding:
    if name in SLOW_DRIVERS:
        said = f"{name}, which copies an image for every container"
        return poor(HERE, "storage driver", said, "Let the engine use overlay2.")
    return good(HERE, "storage driver", name or "not said")


def room(root: str) -> Finding:
    """Where the engine keeps images: known only if it is a folder of this machine."""
    if not root or not Path(root).is_dir():
        return unknown(HERE, "disk", "the engine's disk is not this machine's")
    free = shutil.disk_usage(root).free
    said = f"{free / GIB:.0f} GiB are free where the engine keeps images"
    if free < ROOM:
        return poor(HERE, "disk", said, "`docker system df` says what takes the room.")
    return good(HERE, "disk", said)


def power(cores: int, memory: int) -> Finding:
    said = f"{cores} cores, {memory / GIB:.0f} GiB of memory"
    agents = memory // PER_AGENT
    if agents < 1:
        advice = "A container may use 4 GiB: give --memory less."
        return poor(HERE, "cores and memory", said, advice)
    return good(HERE, "cores and memory", f"{said}: enough for {agents} containers that use all 4")


def folder(cache: Path) -> Finding:
    there = next(path for path in (cache, *cache.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK):
        return bad(HERE, "cache", f"{cache} cannot be written", "Name another with --cache.")
    free = shutil.disk_usage(there).free
    return good(HERE, "cache", f"{cache}, {free / GIB:.0f} GiB free")


def left_behind(
    found: Sequence[Leftover],
    host: str,
    now: float,
    remove: Callable[[list[str]], None] | None = None,
) -> Iterator[Finding]:
    """Of swerun's containers those of runs that are over; given to `remove` where there is one.

    Never those of a process that lives: another run goes on there.
    """
    orphans = [one for one in found if is_orphan(one, host, now)]
    if len(orphans) < len(found):
        busy = len(found) - len(orphans)
        yield good(HERE, "other runs", f"{busy} containers of runs that go on, or may")
    names = ", ".join(sorted({one.run for one in orphans})[:5])
    if not orphans:
        yield good(HERE, "left behind", "nothing")
    elif remove:
        remove([one.id for one in orphans])
        yield good(HERE, "left behind", f"{len(orphans)} containers removed, of {names}")
    else:
        yield poor(HERE, "left behind", f"{len(orphans)} containers of runs that are over: {names}",
                   "`swerun doctor --reap` removes them.")  # fmt: skip
