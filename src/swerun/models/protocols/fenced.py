"""One fenced block of bash in a reply's text: all that it needs is a model that can write."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from swerun.models.protocols import tagged
from swerun.models.protocols.calls import CUT, Read, Wire, after_thinking, said, text_of
from swerun.ports import Message, Tool
from swerun.records import Call

FENCE = re.compile(r"[ \t]*```+[ \t]*([\w+-]*)[ \t]*")
SHAPE = "```bash\ncat FILE\n```"
SHELLS = {"bash", "sh", "shell"}


def send(messages: Sequence[Message]) -> list[Wire]:
    return [_sent(message) for message in messages]


def _sent(message: Message) -> Wire:
    if message.reply is not None:
        return dict(message.reply.raw)
    role = "user" if message.role == "tool" else message.role
    return {"role": role, "content": message.content}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced part of a text: its label, its lines, and where it ends, if its end is there."""

    label: str
    text: str
    end: int | None  # characters of the text up to its end


def blocks_in(text: str, begin: int = 0) -> list[Block]:
    """The fenced blocks of a text, in order; a bare fence ends the one that is open."""
    found, label, lines, at = list[Block](), None, list[str](), begin
    for line in text[begin:].splitlines(keepends=True):
        at += len(line)
        fence = FENCE.fullmatch(line.rstrip("\r\n"))
        if label is None and fence:
            label, lines = fence[1].lower(), []
        elif label is not None and fence and not fence[1]:
            found.append(Block(label, "".join(lines), end=at))
            label = None
        elif label is not None:
            lines.append(line)
    return found if label is None else [*found, Block(label, "".join(lines), end=None)]


def read(message: Mapping[str, Any], finish: str, tools: Sequence[Tool]) -> Read:
    """The first bash block of a reply, or its first block without any label, is a call of `bash`;
    one that holds only the name of a tool without arguments is a call of that, fenced or not.

    What comes after it, written before anybody knew what it prints, is not sent back: small models
    write whole conversations at once, made-up outputs among them, and would go on from those.
    """
    raw, text = said(message), text_of(message)
    begin = after_thinking(text)
    blocks = blocks_in(text, begin)
    if not blocks and text[begin:].strip() in plain(tools):
        return Read(raw, (_block_call(text[begin:], tools),))
    meant = [b for b in blocks if b.label in SHELLS] or [b for b in blocks if not b.label]
    if meant and meant[0].end is not None:
        kept = text[: meant[0].end].rstrip() if len(meant) > 1 else text
        return Read(raw | {"content": kept}, (_block_call(meant[0].text.strip("\r\n"), tools),))
    if meant:
        problem = "The bash block in your reply has no end: close it with ``` on a line of its own."
    elif tagged.form_of(text):
        problem = f"Nothing was run: a <tool_call> is not read here. Give a block, as in\n\n{SHAPE}"
    else:
        problem = f"Nothing was run: there is no command. Give exactly one, as in\n\n{SHAPE}"
    return Read(raw, problem=problem + (CUT if finish == "length" else ""))


def plain(tools: Sequence[Tool]) -> set[str]:
    """The tools that need nothing but their name."""
    return {tool.name for tool in tools if not tool.parameters.get("required")}


def _block_call(text: str, tools: Sequence[Tool]) -> Call:
    if text.strip() in plain(tools):
        return Call(id="block", tool=text.strip())
    return Call(id="block", tool="bash", arguments={"command": text})
