"""What takes the place of a later copy of the project that another package cannot do without.

pip and conda bring requests, need it to begin at all, and use it for nothing but a connection: with
something else to import they do as well wherever there is none.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files

from swerun.images.copies import Search
from swerun.images.found import IN_THE_WORK_TREE, Found, of_path
from swerun.images.place import Place
from swerun.records import Leak, LeakKind
from swerun.sandbox.archives import first_file

PROJECTS = frozenset({"requests"})
SAID = "a stand-in takes its place"
PIP = re.compile(r"pip-\d[^/]*\.(?P<kind>whl|conda|tar\.bz2|tar\.gz)")
LARGEST = 64 << 20  # bytes that a wheel may have, packed and unpacked


def in_place_of(search: Search, packages: Iterable[str]) -> dict[str, bytes]:
    """By path what is put where these packages were; nothing for a project without a stand-in."""
    if search.project not in PROJECTS:
        return {}
    found = [each for each in packages if "__init__.py" in search.folders.get(each, ())]
    return {f"{package}/__init__.py": _source() for package in found}


def bundles(place: Place, search: Search) -> Iterator[Found]:
    """pip, packed, and the project in it: Python makes virtual environments with wheels of pip's,
    which keep all else; what conda has unpacked nobody needs."""
    if search.project not in PROJECTS:
        return
    for path in search.names:
        match = PIP.fullmatch(path.rpartition("/")[2])
        if match is not None:
            yield _bundle(place, search, path, match["kind"])


def _bundle(place: Place, search: Search, path: str, kind: str) -> Found:
    folder, _, name = path.rpartition("/")
    leak = Leak(kind=LeakKind.ARCHIVE, where=folder or "/", what=name)
    if path.startswith(f"{search.workdir}/"):
        return of_path(leak.model_copy(update={"stays": IN_THE_WORK_TREE}))
    if kind != "whl":
        return of_path(leak, path)
    without = _without(first_file(place.archive(path), path, LARGEST + 1), search.project)
    if without is None:
        return of_path(leak.model_copy(update={"stays": "it is too large to be read"}))
    if not without:
        return Found()
    said = leak.model_copy(update={"example": f"pip/_vendor/{search.project}: {SAID}"})
    return of_path(said, path, placed={path: without})


def _without(wheel: bytes, project: str) -> bytes | None:
    """The wheel with the stand-in; nothing where it has no more than that, or cannot be read; None
    of one that is too large."""
    if len(wheel) > LARGEST:
        return None
    made, inside = io.BytesIO(), f"pip/_vendor/{project}/"
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as old, zipfile.ZipFile(made, "w") as new:
            members = old.infolist()
            gone = [each for each in members if each.filename.startswith(inside)]
            if sum(each.file_size for each in members) > LARGEST:
                return None
            if len(gone) <= 1:
                return b""
            for each in members:
                if each not in gone:
                    new.writestr(each, old.read(each))
            new.writestr(f"{inside}__init__.py", _source())
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError):
        return b""  # nobody else can read it either
    return made.getvalue()


@cache
def _source() -> bytes:
    return files(__package__).joinpath("standin.py").read_bytes()
