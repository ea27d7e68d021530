"""A patch, file by file: what it does to each, as `git apply` would read it. Pure.

The grammar is that of git-diff(1), "Generating patch text". Whatever is not exactly that is read
as far as it goes, and the patch is not `plain`: another program may see other files in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_HEADER = "diff --git "
_NULL = "/dev/null"
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@.*")
_MODE = re.compile(r"(?:new file mode|deleted file mode|new mode) (\d{6})")
_OTHER = re.compile(r"old mode \d{6}|(?:dis)?similarity index \d+%|index [0-9a-f]+\.\..*")
_MOVED = re.compile(r"(?:rename|copy) (from|to) (.+)")
_BINARY = re.compile(r"GIT binary patch|Binary files .+ differ")
_BINARY_LINE = re.compile(r"(?:literal|delta) \d+|[A-Za-z]\S+|")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_ESCAPED = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f"}
_ESCAPED |= {b"r": b"\r", b'"': b'"', b"\\": b"\\"}
LINK_MODE = "120000"


@dataclass(slots=True)
class Section:
    """What a patch does to one file. `path` is where it is afterwards, or was, if it is deleted;
    `text` are its lines of the patch."""

    path: str = ""
    source: str = ""  # where it was; "" for a new file
    mode: str = ""  # where the patch names one
    is_deleted: bool = False
    is_binary: bool = False
    added: list[str] = field(default_factory=list)
    text: str = ""

    @property
    def is_new(self) -> bool:
        return not self.source

    @property
    def paths(self) -> tuple[str, ...]:
        """All that it touches."""
        return tuple(dict.fromkeys(filter(None, (self.path, self.source))))


@dataclass(frozen=True, slots=True)
class Sections:
    """`plain` is whether there is but one way to read the patch."""

    files: tuple[Section, ...]
    plain: bool = True


def sections_of(patch: bytes) -> Sections:
    """Of any bytes. Where one program might read other files in it than another, all are told that
    could be found, and it is not plain."""
    reader = _Reader(patch.decode(errors="surrogateescape").split("\n"))
    files = tuple(reader.read())
    return Sections(files, reader.plain and all(map(_is_plain, files)))


def as_patch(files: Sequence[Section]) -> bytes:
    """The patch of these files alone."""
    return "".join(section.text for section in files).encode(errors="surrogateescape")


def paths_of(patch: str) -> frozenset[str]:
    """All files that it touches."""
    return frozenset(paths_in(sections_of(patch.encode(errors="surrogateescape"))))


def paths_in(sections: Sections) -> Iterator[str]:
    return (path for section in sections.files for path in section.paths)


def _is_plain(section: Section) -> bool:
    """Whether it is of one file, whose path no program shortens."""
    words = {word for path in section.paths for word in path.split("/")}
    controls = re.search(r"[\x00-\x1f]", "".join(section.paths))
    return bool(section.paths) and not controls and not {"", ".", ".."} & words


@dataclass(slots=True)
class _Reader:
    """The lines of a patch, read one after another."""

    lines: Sequence[str]
    at: int = 0
    plain: bool = True

    @property
    def line(self) -> str | None:
        return self.lines[self.at] if self.at < len(self.lines) else None

    def read(self) -> Iterator[Section]:
        while self.line is not None:
            if not self._begins():
                self.plain &= self.line.strip() == ""
                self.at += 1
                continue
            began, section = self.at, Section()
            if named := self.line.startswith(_HEADER):
                self._header(section)
            self._body(section, named=named)
            section.text = "".join(f"{line}\n" for line in self.lines[began : self.at])
            if self.at == len(self.lines):  # what split() made of the last line's end
                section.text = section.text[:-1]
            yield section

    def _begins(self) -> bool:
        line, after = self.line or "", self.lines[self.at + 1 : self.at + 2]
        follows = bool(after) and after[0].startswith("+++ ")
        return line.startswith(_HEADER) or (line.startswith("--- ") and follows)

    def _header(self, section: Section) -> None:
        """The lines before the hunks."""
        section.path = section.source = _named_twice((self.line or "").removeprefix(_HEADER))
        self.at += 1
        while self.line is not None and self._extended(section, self.line):
            self.at += 1

    def _extended(self, section: Section, line: str) -> bool:
        if mode := _MODE.fullmatch(line):
            section.mode = mode[1]
            if line.startswith("new file"):
                section.source = ""
            section.is_deleted |= line.startswith("deleted")
        elif moved := _MOVED.fullmatch(line):
            if moved[1] == "from":
                section.source = _unquoted(moved[2])
            else:
                section.path = _unquoted(moved[2])
        elif not _OTHER.fullmatch(line):
            return False
        return True

    def _body(self, section: Section, *, named: bool) -> None:
        line = self.line
        if line is not None and _BINARY.fullmatch(line):
            section.is_binary = True
            self.at += 1
            while self.line is not None and _BINARY_LINE.fullmatch(self.line):
                self.at += 1
        elif line is not None and self._begins() and line.startswith("--- "):
            self._names(section, named=named)
            self.plain &= _HUNK.fullmatch(self.line or "") is not None
            while header := _HUNK.fullmatch(self.line or ""):
                self.at += 1
                self._hunk(section, int(header[1] or 1), int(header[2] or 1))

    def _names(self, section: Section, *, named: bool) -> None:
        """`---` and `+++`, which have to name what the header named, if there is one."""
        before, after = self._name("a/"), self._name("b/")
        if named:
            self.plain &= before in {"", section.source} and after in {"", section.path}
        else:
            self.plain &= bool(before or after) and (not before or not after or before == after)
        section.is_deleted |= after == ""
        section.source, section.path = before, after or before

    def _name(self, prefix: str) -> str:
        """Of this line, without its prefix; "" where it is that of no file."""
        line = (self.line or "")[4:]
        self.at += 1
        if line == _NULL:
            return ""
        path = _unquoted(line.removesuffix("\t") if " " in line else line)
        self.plain &= path.startswith(prefix)
        return path.split("/", 1)[-1]

    def _hunk(self, section: Section, old: int, new: int) -> None:
        while old > 0 or new > 0:
            line = self.line
            kind = (line or " ")[0]
            if line is None or kind not in " +-\\":
                self.plain = False
                return
            if kind == "+":
                section.added.append(line[1:])
            old -= kind in " -"
            new -= kind in " +"
            self.at += 1
        self.plain &= old == new == 0
        if (self.line or "").startswith("\\ "):
            self.at += 1


def _named_twice(names: str) -> str:
    """The path in `a/path b/path`; "" where they are two."""
    middle = len(names) // 2
    old, new = _unquoted(names[:middle]), _unquoted(names[middle + 1 :])
    same = old.startswith("a/") and new.startswith("b/") and old[2:] == new[2:]
    return old[2:] if same else ""


def _unquoted(name: str) -> str:
    """As git has it, of a name that it writes in quotes."""
    if not (len(name) > 1 and name[0] == name[-1] == '"'):
        return name

    def plainly(match: re.Match[bytes]) -> bytes:
        said = match[1]
        return bytes([int(said, 8) & 255]) if len(said) == 3 else _ESCAPED.get(said, said)

    raw = name[1:-1].encode(errors="surrogateescape")
    return _ESCAPE.sub(plainly, raw).decode(errors="surrogateescape")
