"""What an agent really ran in a step: commands, code that they hold, and edits. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from swerun.agent.edit import NEEDS
from swerun.command_line import SHELLS, Command, commands
from swerun.records import Step

NOT_DONE = "[not done]"  # how the editor begins to say so
EDITS = set(NEEDS) - {"view"}
PEERS_EDITOR = "str_replace_editor"  # SWE-agent's, which it calls by a command line
_PEERS_LINES = re.compile(r"edit \d+:\d+.*", re.DOTALL)  # SWE-agent's older one: text, no commands
_CODE = re.compile(r"(i?python|node|ruby|perl)[\d.]*")
_SCRIPT = re.compile(r"[^\s/]+\.(py|sh|js|rb|pl)")
_RUN = re.compile(
    r"(?:os\.system|os\.popen|subprocess\.\w+|check_output|getoutput|run|call|Popen|execSync)\(\s*"
    r"(?:[rf]?(?P<quote>\"{3}|'{3}|['\"])(?P<line>.*?)(?P=quote)|\[(?P<words>[^\]]*)\])",
    re.DOTALL,
)
_STRING = re.compile(r"\"([^\"\n]*)\"|'([^'\n]*)'")


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file by an editor: its `how` is the editor's own word."""

    how: str
    path: str

    def __str__(self) -> str:
        return f"{self.how} {self.path}"


@dataclass(frozen=True, slots=True)
class Code:
    """A program in another language than the shell's, which a command ran."""

    text: str

    def __str__(self) -> str:
        return self.text


Action = Command | Code | Edit


@dataclass(slots=True)
class Actions:
    """Those of one trajectory, step by step: scripts that one writes and another runs are known."""

    _scripts: dict[str, str] = field(default_factory=dict)  # by the name of their file

    def of(self, step: Step) -> Iterator[Action]:
        """Of the calls that were really run, in their order."""
        seen = {each.call_id: each.text for each in step.observations}
        for call in step.reply.calls:
            if call.problem is None and not seen.get(call.id, NOT_DONE).startswith(NOT_DONE):
                yield from self._called(call.arguments)

    def _called(self, given: Mapping[str, JsonValue]) -> Iterator[Action]:
        command, path, code = given.get("command"), given.get("path"), given.get("code")
        if isinstance(path, str) and isinstance(command, str):
            if command in EDITS:
                self._wrote(path, str(given.get("file_text") or ""))
                yield Edit(command, path)
        elif isinstance(command, str) and not _PEERS_LINES.match(command):
            yield from self._line(command)
        elif isinstance(code, str):
            yield from _coded(code)

    def _line(self, line: str) -> Iterator[Action]:
        for command in commands(line):
            if command.name == PEERS_EDITOR:
                yield Edit("".join(command.words[1:2]), "".join(command.words[2:3]))
            yield command
            for path in command.writes:
                self._wrote(path, command.given)
            for text in _texts(command):
                yield from _coded(text)
            name = _file_name(_ran(command))
            if text := self._scripts.get(name, ""):
                yield from commands(text) if name.endswith(".sh") else _coded(text)

    def _wrote(self, path: str, text: str) -> None:
        if _SCRIPT.fullmatch(_file_name(path)):
            self._scripts[_file_name(path)] = text


def _ran(command: Command) -> str:
    """The file of the program that it runs."""
    if command.name in SHELLS or _CODE.fullmatch(command.name):
        return "".join(command.operands[:1])
    return "".join(command.words[:1])


def _file_name(path: str) -> str:
    return path.rpartition("/")[2]


def _texts(command: Command) -> Iterator[str]:
    """The programs that are in a command itself."""
    if not _CODE.fullmatch(command.name):
        return
    flags = [at for at, word in enumerate(command.words) if word in {"-c", "-e"}]
    if flags:
        yield from command.words[flags[0] + 1 : flags[0] + 2]
    elif not any(word != "-" for word in command.operands):
        yield command.given


def _coded(text: str) -> Iterator[Action]:
    """Code, and the commands that it runs by what is written in it as they are."""
    yield Code(text)
    for match in _RUN.finditer(text):
        if match["words"] is None:
            yield from commands(match["line"])
        else:
            words = tuple(a or b for a, b in _STRING.findall(match["words"]))
            yield from [Command(words)] if words else []
