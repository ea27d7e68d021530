"""What a git directory has besides the history of its HEAD: every object, and every name."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from swerun.errors import InstanceError
from swerun.records import Leak, LeakKind
from swerun.repos.names import Names, names_of
from swerun.repos.taken import Taken, unreadable

SECONDS_A_DAY = 86400
ALLOWED_AFTER_BASE = 1  # the one set-up commit that official images carry
URL_SECRET = re.compile(r"//[^/@]*@")

ReadFile = Callable[[str], str | None]  # the object id of a file of the work tree; None: no such


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. `history` are the ids of HEAD's objects, `extra` all others with their types;
    `base` is when the commit that counts as the base was made, in seconds since 1970.

    `names` are the references and the like; `stay` those references that lead nowhere else.
    """

    taken: Taken
    head: str
    base: float
    history: frozenset[str]
    extra: Mapping[str, str]
    names: Names
    stay: frozenset[str]
    leaks: tuple[Leak, ...]

    @property
    def has(self) -> set[LeakKind]:
        return {leak.kind for leak in self.leaks}


def inspect(
    taken: Taken, *, commit: str = "", base: float | None = None, read: ReadFile | None = None
) -> Inspection:
    """Compare all that is there with HEAD and its ancestors.

    `commit` is the task's base commit; where HEAD's history does not have it, HEAD is. `base` is
    its time, where it is another repository's. `read` tells what lies in the work tree. Raises
    InstanceError where HEAD leads to no commit, or objects of its history are damaged.
    """
    from git.exc import GitError

    try:
        return _Inspecting(taken, commit, read).result(base)
    except GitError as error:
        raise InstanceError(f"the repository {taken.where} cannot be read: {error}") from error


def objects(taken: Taken) -> dict[str, str]:
    """All objects, by id their type, whether anything leads to them or not."""
    listed = taken.git().cat_file(
        "--batch-all-objects", "--unordered", "--batch-check=%(objectname) %(objecttype)"
    )
    return dict(line.split(" ")[:2] for line in listed.splitlines())


def newest(taken: Taken, commits: Iterable[str]) -> tuple[str, float] | None:
    """The newest of these commits in words, and its time; None of none."""
    with fed(commits) as asked:
        said = taken.git().log(
            "--no-walk=sorted", "--stdin", "-1", "--format=%h%x00%ct%x00%cs%x00%s", istream=asked
        ) if commits else ""  # fmt: skip
    if not said:
        return None
    short, seconds, day, subject = said.split("\0", 3)
    return f"commit {short} of {day}, {subject[:80]!r}", float(seconds)


def days_after(time: float, base: float) -> float:
    return round((time - base) / SECONDS_A_DAY, 1)


@contextmanager
def fed(lines: Iterable[str]) -> Iterator[IO[bytes]]:
    """Lines as a file that git reads from."""
    with tempfile.TemporaryFile() as file:
        file.writelines(f"{line}\n".encode() for line in lines)
        file.seek(0)
        yield file


def tracked(taken: Taken) -> list[str]:
    """The paths of HEAD's files."""
    listed = taken.git().ls_tree("-r", "-z", "--name-only", "HEAD")
    return [path for path in listed.split("\0") if path]


class _Inspecting:
    """One inspection, step by step."""

    def __init__(self, taken: Taken, commit: str, read: ReadFile | None) -> None:
        self.taken, self.git, self.read = taken, taken.git(), read
        self.head = str(self.git.rev_parse("--verify", "--quiet", "HEAD^{commit}"))
        self.history = frozenset(self._listed("HEAD"))
        self.commit = commit if commit in self.history else self.head
        every = objects(taken)
        indexed = set(self._listed("--indexed-objects")) - self.history
        self.staged = list(self._staged(indexed))
        allowed = self.history | (indexed if not self.staged else set())
        self.extra = {id_: kind for id_, kind in every.items() if id_ not in allowed}
        self.base = float(self.git.log("-1", "--format=%ct", self.commit))

    def result(self, base: float | None) -> Inspection:
        self.base = self.base if base is None else base
        names = names_of(self.taken)
        stay = frozenset(names.of_the_past(self.history, self._tags(names), self.base))
        for name in stay:
            self.extra.pop(names.references[name], None)  # an annotated tag's own object
        leaks = [*self._of_head(), *self._of_references(names, stay), *self._of_the_rest(names)]
        return Inspection(
            taken=self.taken,
            head=self.head,
            base=self.base,
            history=self.history,
            extra=self.extra,
            names=names,
            stay=stay,
            leaks=tuple(leaks),
        )

    def _listed(self, *of: str) -> list[str]:
        said = self.git.rev_list("--objects", "--no-object-names", "--missing=allow-any", *of)
        return str(said).splitlines()

    def _staged(self, indexed: set[str]) -> Iterator[str]:
        """Paths whose staged content is neither in the history nor in the work tree."""
        if not indexed or self.read is None:
            return
        for entry in self.git.ls_files("--stage", "-z").split("\0"):
            facts, _, path = entry.partition("\t")
            id_ = facts.split(" ")[1] if path else ""
            if id_ in indexed and self.read(path) != id_:
                yield path

    def _tags(self, names: Names) -> dict[str, tuple[str, float]]:
        """By id of an annotated tag what it is of, and when it was made."""
        ids = [id_ for id_ in names.references.values() if self.extra.get(id_) == "tag"]
        found = {}
        for id_ in dict.fromkeys(ids):
            head, _, _ = self.git.cat_file("tag", id_).partition("\n\n")
            of = re.search(r"^object (\w+)$", head, re.MULTILINE)
            made = re.search(r"^tagger .* (\d+) [+-]\d+$", head, re.MULTILINE)
            found[id_] = of[1] if of else "", float(made[1]) if made else 0.0
        return found

    def _of_head(self) -> Iterator[Leak]:
        ahead = int(self.git.rev_list("--count", f"{self.commit}..{self.head}"))
        if ahead > ALLOWED_AFTER_BASE:
            yield self._leak(
                LeakKind.HEAD,
                f"HEAD is {ahead} commits after the base",
                commits=[self.head],
                stays="the work tree is of it",
            )

    def _of_references(self, names: Names, stay: frozenset[str]) -> Iterator[Leak]:
        by_kind: dict[LeakKind, list[str]] = {}
        for name in sorted(names.references):
            if name not in stay:
                by_kind.setdefault(names.kind(name), []).append(name)
        for kind, found in by_kind.items():
            ids = [names.references[name] for name in found]
            yield self._leak(kind, *found, commits=self._commits(ids))

    def _of_the_rest(self, names: Names) -> Iterator[Leak]:
        for kind, found in names.leading_outside(self.history).items():
            ids = {id_ for each in found.values() for id_ in each}
            yield self._leak(
                kind, *found, commits=[i for i in ids if self.extra.get(i) == "commit"]
            )
        remotes = {URL_SECRET.sub("//", each) for each in names.remotes}
        for kind, what in (
            (LeakKind.REMOTE, sorted(remotes)),
            (LeakKind.ALTERNATE, names.alternates),
            (LeakKind.WORKTREE, names.worktrees),
            (LeakKind.LEFTOVER, names.leftovers),
            (LeakKind.STAGED, self.staged),
        ):
            if what:
                yield self._leak(kind, *what)
        if self.extra or names.stray:
            kinds = list(self.extra.values())
            counts = ", ".join(f"{kinds.count(k)} {k}(s)" for k in sorted(set(kinds)))
            commits = [id_ for id_, kind in self.extra.items() if kind == "commit"]
            yield self._leak(
                LeakKind.OBJECT, *filter(None, [counts, *names.stray]), commits=commits
            )
        for problem in (*unreadable(self.taken.settings()), *names.links):
            yield self._leak(LeakKind.UNREADABLE, problem, stays="swerun cannot read it")

    def _commits(self, ids: Iterable[str]) -> list[str]:
        """Those that commits are, or annotated tags of commits."""
        with fed(f"{id_}^{{commit}}" for id_ in ids) as asked:
            said = str(self.git.cat_file("--batch-check", istream=asked))
        return [line.split(" ")[0] for line in said.splitlines() if " commit " in line]

    def _leak(
        self, kind: LeakKind, *what: str, commits: Sequence[str] = (), stays: str = ""
    ) -> Leak:
        found = newest(self.taken, commits)
        return Leak(
            kind=kind,
            where=self.taken.where,
            what=what[0],
            count=len(what),
            example=found[0] if found else "",
            later=days_after(found[1], self.base) if found else None,
            stays=stays,
        )
