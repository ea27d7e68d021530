"""What an image could show an agent of what came after its task's commit."""

from __future__ import annotations

from pathlib import Path

from swerun.errors import ImageRefusedError, InstanceError
from swerun.images.copies import Search
from swerun.images.elsewhere import repositories
from swerun.images.found import Found, of_path, of_repository
from swerun.images.place import Place
from swerun.images.standins import bundles
from swerun.images.versions import archives, caches, copies
from swerun.records import Leak, LeakKind, Task
from swerun.repos.blobs import blob_ids
from swerun.repos.inspection import inspect, tracked
from swerun.repos.taken import take_whole


def audit(place: Place, task: Task, scratch: Path) -> Found:
    """Look at the task's repository, then at everything else in the image.

    Repositories are laid out in `scratch`, and looked at with this machine's git. Raises
    InstanceError where the work directory is no repository with a commit, SandboxError.
    """
    where = f"{task.workdir}/.git"
    try:
        taken = take_whole(where, place.archive, scratch / "main")
    except FileNotFoundError as error:
        raise InstanceError(f"{task.id}: {where} is no folder in the image {task.image}") from error

    def read(path: str) -> str | None:
        there = f"{task.workdir}/{path}"
        try:
            return blob_ids(there, place.archive(there), taken.hashing).get(there)
        except FileNotFoundError:
            return None

    main = inspect(taken, commit=task.base_commit, read=read)
    found = of_repository(main)
    try:
        names = place.names()
    except ImageRefusedError as error:
        stays = "what else there is cannot be told"
        problem = Leak(kind=LeakKind.UNREADABLE, where="/", what=str(error), stays=stays)
        return found + of_path(problem)
    search = Search(names, tracked(taken), task.workdir, task.repo.rpartition("/")[2])
    for more in (
        *repositories(place, search, main, scratch),
        *copies(place, search, main),
        *archives(search),
        *bundles(place, search),
        *caches(search),
    ):
        found += more
    return found
