"""A shell's command line as the commands that it runs: no shell, but near enough to tell. Pure.

Whatever is given is read as far as it goes: a command line of a model may be anything.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import dropwhile, islice

DEEPEST = 4  # command lines in command lines
LONGEST = 50_000  # characters that are read of one
MOST = 1_000  # commands that are read of one
_BLANK = re.compile(r"(?:[ \t\r]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_HERE = re.compile(r"<<(-?)[ \t]*(?:'([^'\n]*)'|\"([^\"\n]*)\"|\\?([^\s<>|&;()'\"]+))")
_REDIRECT = re.compile(r"(?:\d+|&)?(>>|>\||>&|<<<|<&|<>|>(?!\()|<(?!\())")
_OPERATOR = re.compile(r"&&|\|\||\|&|;;|[;|&\n()]")
_PLAIN = re.compile(r"[^\s'\"\\;|&()<>`$]+")
_QUOTED = re.compile(r"[^\"\\`$]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=.*", re.DOTALL)
_DURATION = re.compile(r"[\d.]+[smhd]?")
_KEYWORDS = {"do", "then", "else", "elif", "if", "while", "until", "!", "{", "}", "time", "done"}
_NONE = {"for", "case", "select", "function", "fi", "esac", "done", "[", "[[", "]]", "}"}
# what runs another command, with those of its options that have a value
_RUNNERS: dict[str, set[str]] = {
    "sudo": {"-u", "-g"},
    "env": {"-u", "-C"},
    "timeout": {"-s", "-k"},
    "nice": {"-n"},
    "xargs": {"-n", "-I", "-P", "-L", "-d", "-a", "-s", "-E"},
    "stdbuf": {"-i", "-o", "-e"},
    **{name: set() for name in ("time", "nohup", "exec", "command", "builtin", "setsid")},
}
SHELLS = {"bash", "sh", "zsh", "dash", "ksh"}


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `words` as the shell has them, with variables as they are written, and without
    assignments and what merely runs it (`sudo`, `timeout 5`).

    `writes` and `appends` are the files that its output goes to; `given` is the text that it reads
    (a here-document); `folder` is where a `cd` before it led, "" being where the shell began.
    """

    words: tuple[str, ...]
    writes: tuple[str, ...] = ()
    appends: tuple[str, ...] = ()
    given: str = ""
    folder: str = ""

    @property
    def name(self) -> str:
        return self.words[0].rpartition("/")[2] if self.words else ""

    @property
    def operands(self) -> tuple[str, ...]:
        """Its words but for its name and its options."""
        return tuple(word for word in self.words[1:] if not word.startswith("-"))

    def __str__(self) -> str:
        parts = [*self.words, *(f"> {name}" for name in self.writes)]
        parts += [f">> {name}" for name in self.appends]
        return " ".join(parts)


def commands(text: str, folder: str = "") -> list[Command]:
    """All of a command line, those inside others (`bash -c`, `$(...)`, `find -exec`) too."""
    return list(islice(_commands(text[:LONGEST], folder, DEEPEST), MOST))


def _commands(text: str, folder: str, deepest: int) -> Iterator[Command]:
    folders = [folder]  # of the subshell that is being read, after those that it is in
    for draft in _Reader(text).read():
        del folders[max(1, draft.depth + 1) :]
        folders += folders[-1:] * (draft.depth + 1 - len(folders))
        folder = folders[-1]
        words = _meant(draft.words)
        command = replace(draft.command(), words=tuple(words), folder=folder)
        if words or command.writes or command.appends:
            yield command
        for inner in (*draft.inner, *_inside(command)) if deepest else ():
            yield from _commands(inner, folder, deepest - 1)
        if command.name == "find":
            yield from (replace(command, words=each) for each in _executed(command.words))
        if words and words[0] in {"cd", "pushd"}:
            folders[-1] = _moved(folder, words[1:])


@dataclass(slots=True)
class _Draft:
    """A command that is being read, in so many subshells; `inner` are command lines in it."""

    depth: int = 0
    words: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    appends: list[str] = field(default_factory=list)
    given: str = ""
    inner: list[str] = field(default_factory=list)

    def command(self) -> Command:
        return Command((), tuple(self.writes), tuple(self.appends), self.given)


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    draft: _Draft = field(default_factory=_Draft)
    # here-documents whose text is still to come: whose, what ends it, whether tabs go
    waiting: list[tuple[_Draft, str, bool]] = field(default_factory=list)

    def read(self) -> Iterator[_Draft]:
        found = list[_Draft]()
        while self.at < len(self.text):
            if self._skips(_BLANK) or self._skips(_COMMENT) or self._here() or self._redirect():
                continue
            if operator := _OPERATOR.match(self.text, self.at):
                self.at = operator.end()
                found.append(self.draft)
                deeper = {"(": 1, ")": -1}.get(operator[0], 0)
                self.draft = _Draft(self.draft.depth + deeper)
                if operator[0] == "\n":
                    self._documents()
            else:
                self.draft.words.append(self._word())
        yield from (*found, self.draft)

    def _skips(self, pattern: re.Pattern[str]) -> bool:
        if match := pattern.match(self.text, self.at):
            self.at = match.end()
        return match is not None

    def _here(self) -> bool:
        match = None if self.text.startswith("<<<", self.at) else _HERE.match(self.text, self.at)
        if match:
            self.at = match.end()
            self.waiting.append(
                (self.draft, match[2] or match[3] or match[4] or "", bool(match[1]))
            )
        return match is not None

    def _documents(self) -> None:
        for draft, tag, tabs in self.waiting:
            before = r"[ \t]*" if tabs else ""
            end = re.compile(rf"^{before}{re.escape(tag)}[ \t\r]*$", re.MULTILINE)
            found = end.search(self.text, self.at)
            draft.given = self.text[self.at : found.start() if found else len(self.text)]
            self.at = min(found.end() + 1, len(self.text)) if found else len(self.text)
        self.waiting.clear()

    def _redirect(self) -> bool:
        match = _REDIRECT.match(self.text, self.at)
        if match is None:
            return False
        self.at = match.end()
        self._skips(_BLANK)
        target = self._word() if not _OPERATOR.match(self.text, self.at) else ""
        if match[1] == "<<<":
            self.draft.given = target
        elif match[1] == ">>":
            self.draft.appends.append(target)
        elif match[1] in {">", ">|"} or (match[1] == ">&" and not target.isdigit()):
            self.draft.writes.append(target)
        return True

    def _word(self) -> str:
        """The next word without its quotes. Takes one character at least."""
        parts, began = list[str](), self.at
        while self.at < len(self.text):
            rest = self.text[self.at : self.at + 2]
            if plain := _PLAIN.match(self.text, self.at):
                self.at = plain.end()
                parts.append(plain[0])
            elif rest[0] in "$`" or rest in {"<(", ">("}:
                parts.append(self._substituted())
            elif rest[0] == "'":
                parts.append(self._until("'", self.at + 1))
            elif rest[0] == '"':
                parts.append(self._in_quotes())
            elif rest[0] == "\\":
                parts.append(rest[1:].replace("\n", ""))
                self.at += 2
            else:
                break
        self.at = max(self.at, began + 1)
        return "".join(parts)

    def _until(self, end: str, begin: int) -> str:
        found = self.text.find(end, begin)
        found = len(self.text) if found < 0 else found
        self.at = found + 1
        return self.text[begin:found]

    def _in_quotes(self) -> str:
        parts = list[str]()
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] != '"':
            if plain := _QUOTED.match(self.text, self.at):
                self.at = plain.end()
                parts.append(plain[0])
            elif self.text[self.at] == "\\":
                escaped = self.text[self.at + 1 : self.at + 2]
                parts.append(escaped if escaped in '"\\`$\n' else f"\\{escaped}")
                self.at += 2
            else:
                parts.append(self._substituted())
        self.at += 1
        return "".join(parts)

    def _substituted(self) -> str:
        """What stands for something else: a variable as it is, a command line in its brackets."""
        if self.text[self.at] == "`":
            self.draft.inner.append(self._until("`", self.at + 1))
            return "$()"
        if self.text[self.at + 1 : self.at + 2] != "(":
            self.at += 1
            return "$"
        begin = self.at + 2
        self.at = _closing(self.text, begin) + 1
        if not self.text.startswith("(", begin):  # $((1 + 1))
            self.draft.inner.append(self.text[begin : self.at - 1])
        return "$()"


def _closing(text: str, at: int) -> int:
    """Where the bracket is closed that was opened before `at`."""
    depth = 1
    for match in re.compile(r"'[^']*'|\\.|[()]", re.DOTALL).finditer(text, at):
        depth += {"(": 1, ")": -1}.get(match[0], 0)
        if not depth:
            return match.start()
    return len(text)


def _meant(words: Sequence[str]) -> Sequence[str]:
    """Without what comes before the command's own name."""
    while words:
        name = words[0].rpartition("/")[2]
        if _ASSIGNMENT.fullmatch(words[0]) or words[0] in _KEYWORDS:
            words = words[1:]
        elif name in _RUNNERS:
            words = _behind_options(words[1:], _RUNNERS[name])
            if name == "timeout":
                words = list(dropwhile(_DURATION.fullmatch, words[:1])) + list(words[1:])
        elif name == "conda" and list(words[1:2]) == ["run"]:
            words = _behind_options(words[2:], {"-n", "-p", "--name", "--prefix"})
        elif list(words[:2]) in (["uv", "run"], ["poetry", "run"], ["pdm", "run"]):
            words = words[2:]
        else:
            return () if words[0] in _NONE else words
    return ()


def _behind_options(words: Sequence[str], valued: set[str]) -> Sequence[str]:
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in valued else 1
    return words[at:]


def _moved(folder: str, to: Sequence[str]) -> str:
    where = next((word for word in to if not word.startswith("-")), "~")
    return posixpath.normpath(posixpath.join(folder, where))


def _inside(command: Command) -> Iterator[str]:
    """The command lines that a command runs itself."""
    if command.name == "eval":
        yield " ".join(command.words[1:])
    elif command.name in SHELLS:
        flags = [at for at, word in enumerate(command.words) if re.fullmatch(r"-\w*c", word)]
        if flags:
            yield from command.words[flags[0] + 1 : flags[0] + 2]
        elif all(word.startswith("-") for word in command.words[1:]):
            yield command.given


def _executed(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """What `find` runs of what it has found."""
    for at, word in enumerate(words):
        if word in {"-exec", "-execdir", "-ok"}:
            yield tuple(_meant(list(_up_to_end(words[at + 1 :]))))


def _up_to_end(words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if word in {";", "+"}:
            return
        yield word
