"""The tool `edit`: files of the sandbox, viewed and changed exactly, with a way back."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from swerun.agent.document import (
    Changed,
    Document,
    NotDoneError,
    around,
    inserted,
    range_of,
    replaced,
    shown,
)
from swerun.agent.observe import elide
from swerun.errors import SandboxError, SandboxLostError
from swerun.ports import Sandbox
from swerun.records import Limits, Task

LARGEST = 2 << 20  # bytes of a file that is taken out of the container
SCREEN = 400  # lines shown of a file that is larger
ENTRIES = 300  # shown of a folder
KEPT_CHANGES, KEPT_BYTES = 100, 16 << 20  # of the way back
NEEDS = {
    "view": (),
    "create": ("file_text",),
    "str_replace": ("old_str",),
    "insert": ("insert_line", "new_str"),
    "undo_edit": (),
}
# the real path, and what is there: `folder`, `nothing`, `other`, or a file's bytes
LOOK = """p={path}; p=$(readlink -f -- "$p") || p={path}; printf '%s\\n' "$p"
if [ -d "$p" ]; then echo folder; elif [ -f "$p" ]; then wc -c <"$p"
elif [ -e "$p" ]; then echo other; else echo nothing; fi"""
LIST = """find {path} -maxdepth 2 ! -path {path} \\( -name '.*' -o -name __pycache__ \\
-o -name node_modules \\) -prune -o -type d -exec printf '%s/\\n' {{}} + -o -print 2>&1 \\
| sort | head -n {number}"""


@dataclass(frozen=True, slots=True)
class Past:
    """A change that was made: `before` is None where there was no file."""

    path: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Place:
    """What is at a path; `size` in bytes, of a file."""

    path: str
    kind: str
    size: int = 0


@dataclass(slots=True)
class Editor:
    """One attempt's. Each answer is at most about `keep` characters."""

    sandbox: Sandbox
    workdir: str
    keep: int
    _past: list[Past] = field(default_factory=list)

    @classmethod
    def of(cls, task: Task, sandbox: Sandbox, limits: Limits) -> Editor:
        return cls(sandbox, task.workdir, limits.observation_chars)

    def run(self, given: Mapping[str, JsonValue], *, timeout: float) -> str:
        """Do what a call asks for, and say what became of it. Raises SandboxError, SandboxLostError
        where the container is the reason that nothing can be done."""
        try:
            return self._run(given, timeout)
        except NotDoneError as error:
            return f"[not done] {error}."

    def _run(self, given: Mapping[str, JsonValue], timeout: float) -> str:
        command = str(given["command"])
        if command not in NEEDS:
            raise NotDoneError(
                f"there is no command {command[:50]!r}; there are {', '.join(NEEDS)}"
            )
        for name in NEEDS[command]:
            if given.get(name) is None:
                raise NotDoneError(f"{command} needs {name}")
        place = self._look(str(given["path"]), timeout)
        if command == "view":
            return self._view(place, given.get("view_range"), timeout)
        if command == "undo_edit":
            return self._undo(place, timeout)
        if command == "create":
            return self._create(place, str(given["file_text"]))
        before = self._read(place)
        document, new = Document.of(before), str(given.get("new_str") or "")
        if command == "insert":
            changed = inserted(document, int(str(given["insert_line"])), new)
        else:
            changed = replaced(document, str(given["old_str"]), new)
        self._write(Past(place.path, before, changed.document.encoded()))
        return self._done(place.path, changed)

    def _look(self, path: str, timeout: float) -> Place:
        absolute = posixpath.normpath(posixpath.join(self.workdir, path))
        command = LOOK.format(path=shlex.quote(absolute))
        result = self.sandbox.exec(command, timeout=timeout)
        real, _, kind = result.output.rstrip("\n").rpartition("\n")
        if kind.strip().isdigit():
            return Place(real, "file", int(kind))
        if kind not in {"folder", "other", "nothing"} or not real:
            raise NotDoneError(f"{absolute} cannot be looked at: {result.output[:200].strip()}")
        return Place(real, kind)

    def _read(self, place: Place) -> bytes:
        """Raises NotDoneError for what is no file, or too large for one answer."""
        if place.kind == "nothing":
            raise NotDoneError(f"there is no {place.path}")
        if place.kind != "file":
            raise NotDoneError(f"{place.path} is no file")
        size, data = place.size, b""
        try:
            if size <= LARGEST:
                data = self.sandbox.read_file(place.path, limit=LARGEST + 1)
        except FileNotFoundError as error:
            raise NotDoneError(f"{place.path} cannot be read: {error}") from error
        if max(size, len(data)) > LARGEST:  # it may have grown meanwhile
            raise NotDoneError(f"{place.path} has {size:,} bytes or more: change it by a command")
        return data

    def _view(self, place: Place, lines: JsonValue, timeout: float) -> str:
        if place.kind == "folder":
            command = LIST.format(path=shlex.quote(place.path), number=ENTRIES)
            listed = self.sandbox.exec(command, timeout=timeout).output
            return f"[{place.path}, two levels deep, without hidden ones]\n" + elide(
                listed.rstrip("\n"), self.keep
            )
        wanted = lines if isinstance(lines, list) else None
        if place.size > LARGEST and place.kind == "file":
            return self._view_part(place, wanted, timeout)
        document = Document.of(self._read(place))
        number = len(document.lines)
        if not number:
            return f"[{place.path} is empty]"
        first, last = range_of(wanted, number)
        ends = ", lines end in CRLF" if document.crlf else ""
        head = f"[{place.path}, lines {first} to {last} of {number}{ends}]"
        return f"{head}\n{shown(document.lines[first - 1 : last], first, self.keep)}"

    def _view_part(self, place: Place, wanted: list[JsonValue] | None, timeout: float) -> str:
        first, last = range_of(wanted, 1 << 40)
        last = min(last, first + SCREEN - 1)
        # a line may be the whole file
        command = f"sed -n '{first},{last}p;{last}q' {shlex.quote(place.path)} | cut -b 1-2000"
        seen = self.sandbox.exec(command, timeout=timeout).output.encode()
        text = shown(Document.of(seen.replace(b"\0", b"?")).lines, first, self.keep)
        return f"[{place.path} has {place.size:,} bytes; its lines from {first}]\n{text}"

    def _create(self, place: Place, text: str) -> str:
        if place.kind != "nothing":
            raise NotDoneError(
                f"{place.path} is there already: change it with str_replace, or remove it first"
            )
        self._write(Past(place.path, None, text.encode(errors="replace")))
        return f"[done: {place.path} is new, with {len(Document(text).lines)} lines]"

    def _done(self, path: str, changed: Changed) -> str:
        return f"[done: {path} is changed; it reads now]\n{around(changed, self.keep)}"

    def _write(self, past: Past) -> None:
        self._put(past.path, past.after)
        self._past.append(past)
        while len(self._past) > KEPT_CHANGES or self._weight() > KEPT_BYTES:
            self._past.pop(0)

    def _weight(self) -> int:
        return sum(len(past.before or b"") + len(past.after) for past in self._past)

    def _put(self, path: str, data: bytes) -> None:
        try:
            self.sandbox.write_file(path, data)
        except SandboxLostError:
            raise
        except SandboxError as error:  # of a path below a file, of a full disk: if it is the
            # engine that fails, then the next command says so
            raise NotDoneError(f"{path} cannot be written: {error}") from error

    def _undo(self, place: Place, timeout: float) -> str:
        newest = next((p for p in reversed(self._past) if p.path == place.path), None)
        if newest is None:
            raise NotDoneError(f"no change of {place.path} by this tool is left to be undone")
        if place.kind != "file" or self._read(place) != newest.after:
            raise NotDoneError(f"{place.path} was changed by something else since; look at it")
        if newest.before is None:
            self.sandbox.exec(f"rm -f -- {shlex.quote(place.path)}", timeout=timeout)
            said = f"[done: {place.path} is gone again]"
        else:
            self._put(place.path, newest.before)
            said = f"[done: the last change of {place.path} is undone]"
        self._past.remove(newest)
        return said
