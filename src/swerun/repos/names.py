"""The names in a git directory: references, logs of them, and all else that leads to objects."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from swerun.records import LeakKind
from swerun.repos.taken import ALTERNATES, OBJECT, Taken

HASH = re.compile(r"\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b")
KINDS = {
    "refs/heads/": LeakKind.BRANCH,
    "refs/remotes/": LeakKind.REMOTE_BRANCH,
    "refs/tags/": LeakKind.TAG,
    "refs/notes/": LeakKind.NOTE,
    "refs/stash": LeakKind.STASH,
    "refs/replace/": LeakKind.REPLACEMENT,
}
TAGS = "refs/tags/"
# What git itself keeps in every repository, and what nothing can be read from: messages of the last
# commit, large files that the work tree has. Anything else was left by something that was going on.
KNOWN = {
    *("HEAD", "config", "config.worktree", "description", "hooks", "info", "index", "objects"),
    *("refs", "logs", "packed-refs", "shallow", "branches", "modules", "COMMIT_EDITMSG", "lfs"),
    *("gc.log", "worktrees"),
}
POINTER = re.compile(r"[A-Z][A-Z_]*_HEAD|info/refs|info/grafts")
SHARED_INDEX = re.compile(r"sharedindex\.\w+")
OBJECTS_KNOWN = re.compile(
    rf"{OBJECT.pattern}|objects/pack/(?:pack-\w+\.(?:rev|bitmap|keep|mtimes|promisor)"
    r"|multi-pack-index\S*)|objects/info/(?:packs|alternates|http-alternates|commit-graphs?\S*)"
)
REMOTE = re.compile(r"remote\..+\.(?:push)?url", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Names:
    """`references` by name what they are of: an object's id, or the name of another reference.

    `logs` and `pointers` have by path the ids in them. `remotes` are addresses, `alternates`
    places; `worktrees`, `leftovers`, `links` and `stray` (files beside the objects) are paths.
    """

    head: str  # the name of HEAD's branch; "" where it is detached
    references: Mapping[str, str]
    logs: Mapping[str, frozenset[str]]
    pointers: Mapping[str, frozenset[str]]
    remotes: tuple[str, ...]
    alternates: tuple[str, ...]
    worktrees: tuple[str, ...]
    leftovers: tuple[str, ...]
    links: tuple[str, ...]
    stray: tuple[str, ...]

    def kind(self, name: str) -> LeakKind:
        found = (kind for prefix, kind in KINDS.items() if name.startswith(prefix))
        return next(found, LeakKind.REFERENCE)

    def of_the_past(
        self, history: frozenset[str], tags: Mapping[str, tuple[str, float]], base: float
    ) -> Iterator[str]:
        """The references that may stay: HEAD's branch, and the tags of its history that are not
        later than `base`. Versions are computed from these, by setuptools_scm for one.

        `tags` has what annotated ones are of, and when they were made.
        """
        for name, id_ in self.references.items():
            of, made = tags.get(id_, (id_, 0.0))
            if name == self.head or (name.startswith(TAGS) and of in history and made <= base):
                yield name

    def leading_outside(self, history: frozenset[str]) -> dict[LeakKind, dict[str, frozenset[str]]]:
        """Logs and pointers with ids that the history does not have."""
        found = {}
        for kind, these in ((LeakKind.REFLOG, self.logs), (LeakKind.POINTER, self.pointers)):
            leading = {path: ids - history for path, ids in these.items() if ids - history}
            if leading:
                found[kind] = leading
        return found


def names_of(taken: Taken) -> Names:
    """Read from the files themselves: git passes over what leads to nothing."""
    head = "".join(taken.lines("HEAD")[:1])
    kept = {path for path, size in taken.sizes.items() if size}
    return Names(
        head=head.removeprefix("ref: ") if head.startswith("ref: ") else "",
        references=_references(taken),
        logs={path: _ids(taken, path) for path in kept if path.startswith("logs/")},
        pointers={path: _ids(taken, path) for path in kept if POINTER.fullmatch(path)},
        remotes=tuple(value for key, value in taken.settings() if REMOTE.fullmatch(key)),
        alternates=tuple(line for path in ALTERNATES for line in taken.lines(path) if line),
        worktrees=_tops(path for path in kept if path.startswith("worktrees/")),
        leftovers=_tops(path for path in kept if not _is_known(path)),
        links=tuple(path for path in taken.links if path.startswith(("objects", "refs", "HEAD"))),
        stray=tuple(sorted(_stray(taken))),
    )


def _references(taken: Taken) -> dict[str, str]:
    found = {}
    for line in taken.lines("packed-refs"):
        id_, _, name = line.partition(" ")
        if HASH.fullmatch(id_):
            found[name] = id_
    for path in taken.texts:
        if path.startswith("refs/") and (lines := taken.lines(path)):
            found[path] = lines[0].removeprefix("ref: ")
    return found


def _ids(taken: Taken, path: str) -> frozenset[str]:
    found = HASH.findall(taken.texts.get(path, b"").decode(errors="replace"))
    return frozenset(id_ for id_ in found if id_.strip("0"))


def _is_known(path: str) -> bool:
    top = path.partition("/")[0]
    return top in KNOWN or bool(POINTER.fullmatch(path) or SHARED_INDEX.fullmatch(path))


def _tops(paths: Iterator[str]) -> tuple[str, ...]:
    """`worktrees/x` of `worktrees/x/HEAD`, `rr-cache` of `rr-cache/1/preimage`."""
    depth = {"worktrees": 2}
    tops = ("/".join(p.split("/")[: depth.get(p.partition("/")[0], 1)]) for p in paths)
    return tuple(sorted(set(tops)))


def _stray(taken: Taken) -> Iterator[str]:
    """Files among the objects that git does not take for any, and packs without an index."""
    for path in taken.sizes:
        if path.startswith("objects/"):
            alone = path.endswith(".pack") and f"{path[:-4]}idx" not in taken.sizes
            if alone or not OBJECTS_KNOWN.fullmatch(path):
                yield path
