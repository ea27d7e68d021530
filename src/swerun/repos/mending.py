"""The same git directory with HEAD and its ancestors in it, and nothing else."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from swerun.errors import InstanceError
from swerun.records import LeakKind
from swerun.repos.inspection import Inspection, fed
from swerun.repos.plain import plain_git
from swerun.repos.taken import ALTERNATES, Taken

OF_OBJECTS = {LeakKind.OBJECT, LeakKind.ALTERNATE, LeakKind.STAGED}
SECTIONS = ("remote", "branch")  # of a configuration that name what is elsewhere


@dataclass(frozen=True, slots=True)
class Mending:
    """What has to go, as absolute paths, and then to come: `tree` is a tar to lay over `/`."""

    removed: tuple[str, ...]
    tree: Path


def mend(inspection: Inspection, tree: Path) -> Mending:
    """How to leave HEAD, its branch, its ancestors, tags of the past, the index, and no more.

    Objects are packed anew only where there are others. `tree` is where the tar is written.
    Raises InstanceError where objects of the history are missing.
    """
    from git.exc import GitError

    try:
        written = dict(_written(inspection))
    except GitError as error:
        where = inspection.taken.where
        raise InstanceError(f"the repository {where} cannot be packed anew: {error}") from error
    _tar(inspection.taken, written, tree)
    where = inspection.taken.where
    gone = dict.fromkeys(path for path in _gone(inspection) if path not in written)
    return Mending(tuple(f"{where}/{path}" for path in gone), tree)


def _gone(inspection: Inspection) -> Iterator[str]:
    """Whatever leads elsewhere: what is mended at all is mended well."""
    names, taken = inspection.names, inspection.taken
    yield "logs"
    yield from names.pointers
    yield from names.worktrees
    yield from names.leftovers
    yield from names.stray
    yield from (path for path in names.references if path not in inspection.stay)
    yield "packed-refs"
    if inspection.has & OF_OBJECTS:
        yield from ALTERNATES
        for path in taken.sizes:
            folder, _, rest = path.removeprefix("objects/").partition("/")
            if path.startswith("objects/"):
                # a folder of loose objects as a whole: there may be thousands of them
                yield path if folder in {"pack", "info"} or not rest else f"objects/{folder}"


def _written(inspection: Inspection) -> Iterator[tuple[str, bytes | Path]]:
    """By path what is new or changed."""
    taken = inspection.taken
    yield "packed-refs", _packed_refs(inspection)
    for name in ("config", "config.worktree"):
        if name in taken.texts:
            yield name, _without_remotes(taken, name)
    if LeakKind.STAGED in inspection.has:
        taken.git().read_tree(inspection.head)
        yield "index", taken.folder / "index"
    if inspection.has & OF_OBJECTS:
        for file in _packed(inspection):
            yield f"objects/pack/{file.name}", file


def _packed_refs(inspection: Inspection) -> bytes:
    """Of the references that stay; git reads them in this order, and works out what tags are of."""
    references = inspection.names.references
    lines = [f"{references[name]} {name}\n" for name in sorted(inspection.stay)]
    return "".join(["# pack-refs with: sorted \n", *lines]).encode()


def _without_remotes(taken: Taken, name: str) -> bytes:
    file = taken.folder / f"{name}.mended"
    file.write_bytes(taken.texts[name])
    git = plain_git(taken.folder)
    keys = [key for key, _ in taken.settings() if key.partition(".")[0] in SECTIONS]
    for section in dict.fromkeys(key.rpartition(".")[0] for key in keys):
        if "." in section:
            git.config("-f", str(file), "--remove-section", section, with_exceptions=False)
    return file.read_bytes()


def _packed(inspection: Inspection) -> Iterable[Path]:
    """A pack of the history, of what is staged and of the tags that stay, with its index."""
    taken = inspection.taken
    wanted = [inspection.head, *(inspection.names.references[name] for name in inspection.stay)]
    with fed(wanted) as asked:
        taken.git().pack_objects(
            "--quiet",
            "--revs",
            "--indexed-objects",
            "--missing=allow-any",
            str(taken.folder / "pack"),
            istream=asked,
        )
    return sorted(taken.folder.glob("pack-*.pack")) + sorted(taken.folder.glob("pack-*.idx"))


def _tar(taken: Taken, written: dict[str, bytes | Path], tree: Path) -> None:
    """With the owner that the git directory has, as the engine lays archives over `/`."""
    with tarfile.open(tree, "w", encoding="utf-8", errors="surrogateescape") as tar:
        for path, content in written.items():
            member = tarfile.TarInfo(f"{taken.where}/{path}".lstrip("/"))
            member.uid, member.gid = taken.owner
            member.mode = 0o444 if path.startswith("objects/") else 0o644
            if isinstance(content, Path):
                member.size = content.stat().st_size
                with content.open("rb") as file:
                    tar.addfile(member, file)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
