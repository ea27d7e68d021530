"""A git directory that was taken, as an archive, out of a place that is not trusted."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from swerun.errors import ImageRefusedError, InstanceError
from swerun.repos.plain import at_bare, plain_git
from swerun.sandbox.archives import CHUNK, members, undamaged

if TYPE_CHECKING:
    from git import Git

# What of a git directory is laid out here. Nothing that could run, include or borrow: no
# configuration, hook, attribute, graft or alternate; no index of packs that could lie, either.
OBJECT = re.compile(
    r"objects/(?:[0-9a-f]{2}/[0-9a-f]{38,62}|pack/pack-[0-9a-f]{40,64}\.(?:pack|idx))"
)
LAID_OUT = re.compile(
    rf"{OBJECT.pattern}|refs/.+|packed-refs|HEAD|shallow|(?:shared)?index(?:\.\w+)?"
)
HEAD = re.compile(rb"ref: *refs/|[0-9a-f]{40}")
BULKY = re.compile(r"(?:objects/(?!info/)|lfs/|modules/|(?:shared)?index)")
ALTERNATES = ("objects/info/alternates", "objects/info/http-alternates")
LARGEST_TEXT = 64 << 20  # bytes
READABLE = {"objectformat", "partialclone", "worktreeconfig", "preciousobjects", "noop"}
ENVIRONMENT = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1"}


@dataclass(slots=True)
class Room:
    """What may still be taken: files, their bytes, and the bytes of texts, which are in memory. The
    largest repository of a benchmark has a tenth of it; files with holes can have any size."""

    files: int = 2_000_000
    size: int = 16 << 30
    text: int = 256 << 20

    def enter(self, where: str, size: int) -> None:
        """Raises ImageRefusedError where there is no room for one more."""
        self.files -= 1
        self.size -= size
        self._check(where)

    def read(self, where: str, text: bytes) -> bytes:
        """Raises as `enter`."""
        self.text -= len(text)
        self._check(where)
        return text

    def _check(self, where: str) -> None:
        if min(self.files, self.size, self.text) < 0:
            raise ImageRefusedError(
                f"{where} in the image has more in it than any repository that swerun looks at: "
                f"files, bytes or texts beyond {Room()}. Nothing tells what it would show an agent"
            )


@dataclass(frozen=True, slots=True)
class Taken:
    """A git directory that was at `where`. `folder` is a bare repository with what there was of
    objects, references, HEAD and index; `texts` are all small files besides objects.

    Paths are relative to the git directory. `sizes` has all its files, `links` what is neither a
    file nor a folder, `owner` the user and group that it belongs to.
    """

    where: str
    folder: Path
    texts: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    owner: tuple[int, int] = (0, 0)

    def git(self) -> Git:
        git = at_bare(plain_git(self.folder), self.folder)
        git.update_environment(**ENVIRONMENT)
        return git

    @property
    def hashing(self) -> str:
        """What its objects are named by. Raises git's GitError."""
        return dict(self.settings()).get("extensions.objectformat", "sha1").lower()

    def lines(self, path: str) -> list[str]:
        """Of a text; none of one that is not there."""
        return self.texts.get(path, b"").decode(errors="replace").splitlines()

    def settings(self) -> list[tuple[str, str]]:
        """What its own configuration says, keys in lower case. Raises git's GitError."""
        found = []
        for name in ("config", "config.worktree"):
            if name in self.texts:
                file = self.folder / f"{name}.taken"
                file.write_bytes(self.texts[name])
                listed = plain_git(self.folder).config("-f", str(file), "--list", "-z")
                found += [entry.partition("\n")[::2] for entry in listed.split("\0") if entry]
        return found


def take(where: str, archive: Iterable[bytes], folder: Path, room: Room | None = None) -> Taken:
    """Lay out the git directory at `where`, of which `archive` is the tar, in `folder`, a new one.

    Raises FileNotFoundError where it is no folder, InstanceError where it cannot be read,
    ImageRefusedError where it is too large.
    """
    from git.exc import GitError

    for name in ("objects", "refs"):
        (folder / name).mkdir(parents=True)
    owner, taken, room = (0, 0), Taken(where, folder), room or Room()
    with undamaged(where):
        for member, file in members(archive, where):
            room.enter(where, member.size)
            path = _below(member.name)
            if file is not None and path is not None:
                taken.sizes[path] = member.size
                _lay_out(taken, path, file, room)
            elif not member.isdir():
                taken.links.append(path or "")
            elif path == "":
                owner = member.uid, member.gid
    if "" in taken.sizes or "" in taken.links:
        raise FileNotFoundError(where)
    try:
        _make_readable(taken)
    except GitError as error:
        raise InstanceError(f"the configuration of {where} cannot be read: {error}") from error
    return replace(taken, owner=owner)


def take_whole(where: str, archive: Callable[[str], Iterable[bytes]], folder: Path) -> Taken:
    """The same, with the objects that it borrows. `archive` gives the tar of a path, or raises
    FileNotFoundError."""
    room = Room()
    taken = take(where, archive(where), folder, room)
    for line in taken.lines(ALTERNATES[0]):
        there = posixpath.normpath(posixpath.join(where, "objects", line))
        with suppress(FileNotFoundError), undamaged(there):
            for member, file in members(archive(there), there):
                room.enter(where, member.size)
                name = f"objects/{_below(member.name)}"
                if file is not None and OBJECT.fullmatch(name):
                    _write(folder / name, file)
    return taken


def unreadable(settings: Iterable[tuple[str, str]]) -> list[str]:
    """What of a repository's format is not known here, as references that are kept elsewhere."""
    return [
        f"{key} = {value}"
        for key, value in settings
        if key.startswith("extensions.") and key.partition(".")[2].lower() not in READABLE
        and (key, value) != ("extensions.refstorage", "files")
    ]  # fmt: skip


def _below(name: str) -> str | None:
    """The path of a member below the archive's root; None of one that leads out of it."""
    path = name.strip("/").partition("/")[2]
    return None if ".." in PurePosixPath(path).parts else path


def _lay_out(taken: Taken, path: str, file: IO[bytes], room: Room) -> None:
    if LAID_OUT.fullmatch(path):
        _write(taken.folder / path, file)
    if not BULKY.match(path) and taken.sizes[path] <= LARGEST_TEXT:
        there = taken.folder / path
        is_out = LAID_OUT.fullmatch(path)
        text = there.read_bytes() if is_out else file.read()
        taken.texts[path] = room.read(taken.where, text)


def _write(file: Path, source: IO[bytes]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as out:
        while chunk := source.read(CHUNK):
            out.write(chunk)


def _make_readable(taken: Taken) -> None:
    """git reads no object where there is no configuration, or HEAD is none."""
    if not HEAD.match(taken.texts.get("HEAD", b"")):
        (taken.folder / "HEAD").write_text("ref: refs/none")
    (taken.folder / "config").write_text(_configuration(taken), encoding="utf-8")


def _configuration(taken: Taken) -> str:
    lines = ["[core]", "bare = true", "repositoryformatversion = 1"]
    if taken.hashing == "sha256":
        lines += ["[extensions]", "objectformat = sha256"]
    return "\n".join([*lines, ""])
