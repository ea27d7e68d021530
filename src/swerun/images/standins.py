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
LARGEST = 256 << 20  # bytes that a wheel may have unpacked


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
        folder, _, name = path.rpartition("/")
        match = PIP.fullmatch(name)
        if match is None:
            continue
        leak = Leak(kind=LeakKind.ARCHIVE, where=folder, what=name)
        if path.startswith(f"{search.workdir}/"):
            yield of_path(leak.model_copy(update={"stays": IN_THE_WORK_TREE}))
        elif match["kind"] != "whl":
            yield of_path(leak, path)
        elif without := _without(first_file(place.archive(path), path, None), search.project):
            example = f"pip/_vendor/{search.project}: {SAID}"
            yield of_path(
                leak.model_copy(update={"example": example}), path, placed={path: without}
            )


def _without(wheel: bytes, project: str) -> bytes:
    """The wheel with the stand-in; nothing where it has no more than that, or cannot be read."""
    made, inside = io.BytesIO(), f"pip/_vendor/{project}/"
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as old, zipfile.ZipFile(made, "w") as new:
            members = old.infolist()
            gone = [each for each in members if each.filename.startswith(inside)]
            if len(gone) <= 1 or sum(each.file_size for each in members) > LARGEST:
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
