"""Where in an image a copy of its project may lie, told from the names of all files alone. Pure."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

# Folders that half of all projects have: to be called so says nothing.
COMMON = frozenset(
    {
        *("app", "assets", "benchmarks", "bin", "build", "ci", "cmd", "config", "core", "data"),
        *("dist", "doc", "docs", "example", "examples", "include", "internal", "lib", "libs"),
        *("packages", "pkg", "resources", "scripts", "spec", "src", "static", "test", "testing"),
        *("tests", "tools", "util", "utils", "vendor"),
    }
)
# The same name in many a package; a folder is not known by these.
EVERYWHERE = frozenset(("__init__.py", "__main__.py", "conftest.py"))
MANY, ALIKE = 4, 0.6  # files by whose names alone a package is known, and the share of them
LIKELIEST = 20  # folders that look like a checkout: each costs a question to the engine
METADATA = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*)(?:-.*)?\.(?:dist-info|egg-info|egg)")
ARCHIVE = re.compile(
    r"(?P<name>.+?)[-_.@]v?(?:\d[^/]*|main|master|head|develop)"
    r"\.(?:whl|tar\.(?:gz|bz2|xz|zst)|tgz|zip|egg|conda|bundle|gem|crate|jar|nupkg)",
    re.IGNORECASE,
)
FOLDER = re.compile(r"(?P<name>.+?)(?:[-@]v?\d.*)?")
CACHE = re.compile(r"(?P<folder>/(?:.*/)?\.cache/(?:pip|uv))/(?:http|http-v2|wheels|\w+-v\d+)/.*")
BUNDLED = re.compile(r"/(?:python-wheels|ensurepip/_bundled)/")


@dataclass(frozen=True, slots=True)
class Copy:
    """What may be a copy of the project, in the folder `root`.

    `pairs` has by path in the image the path in the repository that it corresponds to; `parts` are
    the paths that make it up. `named` is how it is called where it is installed by its name;
    `alike` where so many files of a package have the names of the project's that it must be one,
    also if each of them was written anew meanwhile.
    """

    root: str
    parts: tuple[str, ...]
    pairs: Mapping[str, str]
    named: tuple[str, ...] = ()
    alike: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """The names of an image's files, and the paths of the repository's at `workdir`."""

    names: Sequence[str]
    tracked: Sequence[str]
    workdir: str
    project: str  # its name, as in owner/name
    folders: dict[str, set[str]] = field(init=False)

    def __post_init__(self) -> None:
        folders: dict[str, set[str]] = defaultdict(set)
        for name in self.names:
            folder, _, last = name.rpartition("/")
            folders[folder or "/"].add(last)
        object.__setattr__(self, "folders", dict(folders))

    def copies(self) -> Iterator[Copy]:
        """Installed packages, checkouts and parts of them; not what the repository tracks."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for root, prefix, tops in (*self._packages(), *self._installed(), *self._checkouts()):
            found[root, prefix] |= tops
        own = self._own_packages()
        for (root, prefix), tops in found.items():
            pairs = dict(self._pairs(root, prefix, tops))
            if pairs:
                named = tuple(sorted(self._metadata(root)))
                names = sorted({*(tops & self.folders[root]), *named})
                is_called_so = is_called(posixpath.basename(root), self.project)
                parts = [root] if is_called_so else [posixpath.join(root, n) for n in names]
                alike = any(
                    self._alike(posixpath.join(root, top), own.get((prefix, top), set()))
                    for top in tops
                )
                yield Copy(root, tuple(parts), pairs, named, alike)

    def repositories(self) -> list[str]:
        """Git directories, whatever they are called."""
        wanted = {"HEAD", "objects", "refs"}
        return sorted(f for f, names in self.folders.items() if wanted <= names)

    def caches(self) -> list[str]:
        """Folders where a package installer has kept its downloads; what they are of cannot be told
        from outside."""
        found = (match["folder"] for name in self.names if (match := CACHE.fullmatch(name)))
        return sorted(set(found))

    def archives(self) -> list[str]:
        """Files that are called as archives of the project are."""
        tracked = {f"{self.workdir}/{path}" for path in self.tracked}
        return sorted(
            name
            for name in self.names
            if (match := ARCHIVE.fullmatch(posixpath.basename(name)))
            and is_called(match["name"], self.project)
            and name not in tracked
        )

    def _packages(self) -> Iterator[tuple[str, str, set[str]]]:
        """Folders called as one of the project's own that have half of its files, by their names.
        A root, what is before it in the repository (`src/`), and what of the root it is."""
        own: dict[str, list[tuple[str, set[str]]]] = defaultdict(list)
        for (prefix, top), files in self._own_packages().items():
            own[top].append((prefix, files))
        for folder, names in self._elsewhere():
            root, _, last = folder.rpartition("/")
            for prefix, files in own.get(last, ()):
                if 2 * len(files & names) >= len(files):
                    yield root or "/", prefix, {last}

    def _alike(self, folder: str, files: set[str]) -> bool:
        common = files & self.folders.get(folder, set())
        return len(common) >= max(MANY, ALIKE * len(files))

    def _own_packages(self) -> dict[tuple[str, str], set[str]]:
        """The project's own folders, not deeper than `src/name`, with the files right in them."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for path in self.tracked:
            *folders, name = path.split("/")
            if len(folders) in {1, 2} and folders[-1] not in COMMON and name not in EVERYWHERE:
                prefix = "".join(f"{folder}/" for folder in folders[:-1])
                found[prefix, folders[-1]].add(name)
        return dict(found)

    def _installed(self) -> Iterator[tuple[str, str, set[str]]]:
        """What lies beside metadata with the project's name."""
        prefixes = {"", *(f"{path.partition('/')[0]}/" for path in self.tracked if "/" in path)}
        for folder, names in self._elsewhere():
            if any(self._metadata(folder)):
                for prefix in prefixes:
                    yield folder, prefix, self._tops(prefix) & names - COMMON

    def _checkouts(self) -> Iterator[tuple[str, str, set[str]]]:
        """Folders called after the project, and those with half of the files at its top."""
        files = {path for path in self.tracked if "/" not in path and not path.startswith(".")}
        likely = []
        for folder, names in self._elsewhere():
            if is_called(posixpath.basename(folder), self.project):
                yield folder, "", self._tops("")
            elif files and 2 * len(files & names) >= len(files):
                likely.append((len(files & names), folder))
        for _, folder in sorted(likely, reverse=True)[:LIKELIEST]:
            yield folder, "", self._tops("")

    def _elsewhere(self) -> Iterator[tuple[str, set[str]]]:
        """All folders but those that the repository tracks something in."""
        tracked = {posixpath.dirname(f"{self.workdir}/{path}") for path in self.tracked}
        tracked.add(self.workdir)
        return ((f, names) for f, names in self.folders.items() if f not in tracked)

    def _tops(self, prefix: str) -> set[str]:
        below = (p.removeprefix(prefix) for p in self.tracked if p.startswith(prefix))
        return {path.partition("/")[0] for path in below}

    def _pairs(self, root: str, prefix: str, tops: Iterable[str]) -> Iterator[tuple[str, str]]:
        wanted = set(tops)
        for path in self.tracked:
            below = path.removeprefix(prefix)
            if path.startswith(prefix) and below.partition("/")[0] in wanted:
                there = posixpath.join(root, below)
                if posixpath.basename(there) in self.folders.get(posixpath.dirname(there), ()):
                    yield there, path

    def _metadata(self, folder: str) -> Iterator[str]:
        for name in self.folders.get(folder, ()):
            match = METADATA.fullmatch(name)
            if match and is_called(match["name"], self.project):
                yield name


def is_called(name: str, project: str) -> bool:
    """Whether it is the project's name, by the rules that packages are named by, or that with a
    version."""
    match = FOLDER.fullmatch(name)
    return match is not None and project != "" and _plain(match["name"]) == _plain(project)


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
