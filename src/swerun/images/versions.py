"""Copies of a project in an image that are of another version than any up to its task's commit."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from swerun.images.copies import BUNDLED, Copy, Search, is_called
from swerun.images.found import IN_THE_WORK_TREE, Found, of_path
from swerun.images.place import Place
from swerun.images.standins import SAID, in_place_of
from swerun.records import Leak, LeakKind
from swerun.repos.blobs import EMPTY, blob_ids
from swerun.repos.inspection import Inspection
from swerun.sandbox.archives import first_file

SHARE = 0.1  # of a copy's files that are of some version up to the commit
LARGEST = 4 << 20  # bytes that are read of what a package says of itself
FEW = 8  # files that are asked for one by one, and not with the folder that they are in
# Written anew when a package is built, in many projects.
GENERATED = re.compile(r".*version.*|__about__\.py", re.IGNORECASE)
REQUIRES = re.compile(r"^Requires-Dist: *([\w.-]+)(?!.*extra *==)", re.MULTILINE)


def copies(place: Place, search: Search, main: Inspection) -> Iterator[Found]:
    """Files of the project with contents that neither its history nor its work tree has."""
    for copy in search.copies():
        ids = _ids(place, copy.parts, copy.pairs, main.taken.hashing)
        known = [there for there, id_ in ids.items() if id_ in main.history]
        unknown = [
            there
            for there, id_ in ids.items()
            if id_ not in main.history and not GENERATED.fullmatch(posixpath.basename(there))
        ]
        is_related = copy.named or copy.alike or len(known) >= max(1, SHARE * len(ids))
        if unknown and is_related:
            changed = _own(place, search, copy, unknown, main)
            unknown = [there for there in unknown if ids[there] != changed.get(copy.pairs[there])]
        if unknown and is_related:
            needed = _needed(place, search, copy)
            placed = in_place_of(search, copy.parts) if needed else {}
            leak = Leak(
                kind=LeakKind.COPY,
                where=copy.root,
                what=posixpath.relpath(min(unknown), copy.root),
                count=len(unknown),
                example=", ".join([*copy.named, *([f"{needed}: {SAID}"] if placed else [])]),
                stays=_place_of_work(search, copy) or ("" if placed else needed),
            )
            yield of_path(leak, *copy.parts, placed=placed)


def archives(search: Search) -> Iterator[Found]:
    """By their names alone: an older one is no leak, and nobody misses it."""
    for path in search.archives():
        stays = IN_THE_WORK_TREE if path.startswith(f"{search.workdir}/") else ""
        if BUNDLED.search(path):
            stays = "Python makes virtual environments with it"
        folder, _, name = path.rpartition("/")
        leak = Leak(kind=LeakKind.ARCHIVE, where=folder or "/", what=name, stays=stays)
        yield of_path(leak, path)


def caches(search: Search) -> Iterator[Found]:
    """What an installer has downloaded lies there under hashes, and nobody needs it."""
    for folder in search.caches():
        yield of_path(Leak(kind=LeakKind.CACHE, where=folder, what="downloads"), folder)


def _ids(place: Place, parts: Iterable[str], wanted: Iterable[str], hashing: str) -> dict[str, str]:
    """By path the ids of the wanted files in these parts of the image, empty files left out."""
    wanted, found = set(wanted), dict[str, str]()
    for part in parts:
        inside = [path for path in wanted if path == part or path.startswith(f"{part}/")]
        for each in inside if len(inside) <= FEW else [part]:
            with suppress(FileNotFoundError):
                found |= blob_ids(each, place.archive(each), hashing)
    return {path: id_ for path, id_ in found.items() if path in wanted and id_ not in EMPTY}


def _own(
    place: Place, search: Search, copy: Copy, unknown: Iterable[str], main: Inspection
) -> dict[str, str]:
    """What the work tree has in the place of these: it need not be as it was committed."""
    there = {copy.pairs[path]: f"{search.workdir}/{copy.pairs[path]}" for path in unknown}
    parts = {f"{search.workdir}/{path.partition('/')[0]}" for path in there}
    ids = _ids(place, parts, there.values(), main.taken.hashing)
    return {path: ids[absolute] for path, absolute in there.items() if absolute in ids}


def _place_of_work(search: Search, copy: Copy) -> str:
    """How it lies to the work directory, where nothing may be removed for that."""
    if f"{copy.root}/".startswith(f"{search.workdir}/"):
        return IN_THE_WORK_TREE
    if any(f"{search.workdir}/".startswith(f"{part}/") for part in copy.parts):
        return "the work directory is in it"
    return ""


def _needed(place: Place, search: Search, copy: Copy) -> str:
    """Which other package does not work without it."""
    beside = search.folders[copy.root]
    if "__init__.py" in beside:
        return f"it is a part of {copy.root}"
    for metadata in sorted(name for name in beside if name.endswith(".dist-info")):
        if metadata not in copy.named and _requires(place, copy.root, metadata, search.project):
            return f"{metadata.removesuffix('.dist-info')} requires it"
    return ""


def _requires(place: Place, root: str, metadata: str, project: str) -> bool:
    file = f"{root}/{metadata}/METADATA"
    try:
        text = first_file(place.archive(file), file, LARGEST).decode(errors="replace")
    except FileNotFoundError:
        return False
    return any(is_called(name, project) for name in REQUIRES.findall(text))
