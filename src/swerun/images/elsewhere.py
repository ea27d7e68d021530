"""Other repositories in an image: those that know more of the project, and those inside of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from swerun.errors import InstanceError
from swerun.images.copies import Search
from swerun.images.found import Found, of_path, of_repository
from swerun.images.place import Place
from swerun.records import Leak, LeakKind
from swerun.repos.blobs import EMPTY
from swerun.repos.inspection import Inspection, days_after, inspect, newest, objects
from swerun.repos.taken import Taken, take_whole

SHARE = 0.25  # of its files' contents that one has in common with a relative


def repositories(place: Place, search: Search, main: Inspection, scratch: Path) -> Iterator[Found]:
    """Those of the project with more in them than `main`'s history go; those of others are mended
    where they lie in the work directory, as submodules do, and elsewhere are nobody's matter."""
    fixtures = {f"{search.workdir}/{path}" for path in search.tracked}
    for number, where in enumerate(search.repositories()):
        if where == main.taken.where or f"{where}/HEAD" in fixtures:
            continue
        try:
            taken = take_whole(where, place.archive, scratch / str(number))
            every = objects(taken)
        except (FileNotFoundError, InstanceError):  # it only looks like one
            continue
        more = {id_: kind for id_, kind in every.items() if id_ not in main.history}
        if is_related(taken, every, main, search.project):
            if more:
                yield of_path(_unknown(taken, more, main), where)
        elif where.startswith(f"{search.workdir}/"):
            try:
                yield of_repository(inspect(taken, base=main.base))
            except InstanceError:  # HEAD leads nowhere: nobody has checked anything out of it
                continue


def is_related(taken: Taken, every: Mapping[str, str], main: Inspection, project: str) -> bool:
    """Whether a repository is one of the project's: it shares a commit, a folder or a quarter of
    its files with the history, or is fetched from where the project is."""
    common = {id_ for id_ in every if id_ in main.history} - EMPTY
    if any(every[id_] in {"commit", "tree"} for id_ in common):
        return True
    files = [id_ for id_, kind in every.items() if kind == "blob" and id_ not in EMPTY]
    if files and len(common) >= SHARE * len(files):
        return True
    remotes = [value for key, value in taken.settings() if key.endswith("url")]
    last = {each.rstrip("/").removesuffix(".git").rpartition("/")[2].lower() for each in remotes}
    return bool(project) and project.lower() in last


def _unknown(taken: Taken, more: Mapping[str, str], main: Inspection) -> Leak:
    commits = [id_ for id_, kind in more.items() if kind == "commit"]
    found = newest(taken, commits)
    return Leak(
        kind=LeakKind.REPOSITORY,
        where=taken.where,
        what=f"{len(more)} objects, {len(commits)} of them commits, that HEAD's history has not",
        example=found[0] if found else "",
        later=days_after(found[1], main.base) if found else None,
    )
