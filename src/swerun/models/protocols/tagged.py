"""Calls in tags: `<tool_call>` around JSON (Hermes) or around `<function=...>` (Qwen3-Coder).

Either protocol reads both, because models mix them up; what differs is what the prompt shows. The
work is bounded: a text is read once, as far as LONGEST, and MOST_CALLS calls are taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from swerun.models.protocols import hermes, qwen_xml
from swerun.models.protocols.calls import (
    CUT,
    Read,
    Wire,
    after_thinking,
    call_of,
    own_ids,
    said,
    text_of,
)
from swerun.models.protocols.part import Part
from swerun.ports import Message, Tool
from swerun.records import Call

LONGEST = 1_000_000  # characters: more than any endpoint's longest reply of 128k tokens
MOST_CALLS = 16
MOST_LOOKS = 64  # at what may begin a call, and is prose
OPENING = re.compile(rf"<tool_call>|<tools>|<tool_response>|{qwen_xml.OPENING}")
BODY = re.compile(r"\s*(?:```\w*\s*)?")
BEGINS_JSON = re.compile(r"<(?:tool_call|tools)>\s*(?:```\w*\s*)?(?:\{|$)")
BEGINS_XML = re.compile(rf"{qwen_xml.OPENING}|<function\Z")
SHAPES = {"hermes": hermes.SHAPE, "qwen-xml": qwen_xml.SHAPE}
MIXED = "This one was not run: a reply has all of its calls in one format. Write it again."


@dataclass(frozen=True, slots=True)
class Found:
    """The calls in a text, good and bad, and where what a model made up after them begins."""

    parts: tuple[Part, ...]
    made_up: int | None = None


def parts_in(text: str, tools: Sequence[Tool]) -> Found:
    text = text[:LONGEST]
    parts, at = list[Part](), after_thinking(text)
    for _ in range(MOST_LOOKS):
        opening = OPENING.search(text, at)
        if opening is None:
            break
        if opening[0] == "<tool_response>" or len(parts) == MOST_CALLS:
            if parts:  # nobody has answered yet: what comes now is made up, or too much
                return Found(tuple(parts), made_up=opening.start())
            at = opening.end()
            continue
        part = _part(text, opening, tools)
        at = part.end if part else opening.end()
        if part:
            parts.append(part)
    if not parts and (lone := hermes.untagged(text, after_thinking(text), tools)):
        parts.append(lone)
    return Found(tuple(parts))


def _part(text: str, opening: re.Match[str], tools: Sequence[Tool]) -> Part | None:
    """The call that begins there; None where it is none, but a word about one."""
    start, tag = opening.start(), opening[0]
    body = BODY.match(text, opening.end())
    at = body.end() if body else opening.end()
    if tag == "<tool_call>":
        if BEGINS_XML.match(text, at):
            return replace(qwen_xml.part(text, at, tools), start=start)
        return hermes.part(text, start, at)
    # Qwen2.5-Coder takes the tag that its prompt lists tools in for the one of a call
    lists = tag == "<tools>"
    part = hermes.part(text, start, at) if lists else qwen_xml.part(text, start, tools)
    known = part.name in {tool.name for tool in tools}
    return part if known else None


def form_of(text: str) -> str | None:
    """The protocol whose calls are in a text, or begin in it; None where there is none."""
    begin = after_thinking(text)
    if BEGINS_XML.search(text, begin):
        return "qwen-xml"
    if BEGINS_JSON.search(text, begin) or hermes.UNTAGGED.search(text, begin):
        return "hermes"
    return None


def reading(form: str) -> Callable[[Mapping[str, Any], str, Sequence[Tool]], Read]:
    """How replies are read by the protocol `form`."""

    def read(message: Mapping[str, Any], finish: str, tools: Sequence[Tool]) -> Read:
        raw, text = said(message), text_of(message)
        found = parts_in(text, tools)
        cut = CUT if finish == "length" else ""
        if not found.parts:
            return Read(raw, problem=f"{_no_call(text)} Write one as\n\n{SHAPES[form]}{cut}")
        parts = _of_one_form(found.parts, form)
        ids = own_ids("" for _ in parts)
        calls = tuple(
            _called(i, part, form, cut, tools) for i, part in zip(ids, parts, strict=True)
        )
        kept = text if found.made_up is None else text[: found.made_up].rstrip()
        return Read(raw | {"content": kept}, calls)

    return read


def _no_call(text: str) -> str:
    if after_thinking(text) == len(text) and text:
        return "There is no call in your reply, only thoughts."
    if "```" in text:
        return "There is no call in your reply: a fenced block is not run."
    return "There is no call in your reply."


def _of_one_form(parts: Sequence[Part], form: str) -> list[Part]:
    """Where a reply has calls of both formats, those of the protocol's own are meant: most often
    the others say the same again, and a command that runs twice may do harm."""
    own = any(part.form == form and part.function for part in parts)
    return [
        replace(part, function=None, problem=MIXED) if own and part.form != form else part
        for part in parts
    ]


def _called(call_id: str, part: Part, form: str, cut: str, tools: Sequence[Tool]) -> Call:
    if part.function is not None:
        return call_of(call_id, part.function, cut, tools)
    shape = "" if part.problem == MIXED else f"\n\n{SHAPES[form]}"
    return Call(id=call_id, tool=part.name, problem=f"{part.problem}{cut}{shape}")


def send(messages: Sequence[Message]) -> list[Wire]:
    """Results go back in tags too, those of one reply in one message: so do the templates of
    Hermes and Qwen, and some templates refuse two messages of one role in a row."""
    sent: list[Wire] = []
    answers: Wire | None = None
    for message in messages:
        if message.role != "tool":
            answers = None
            back = message.reply.raw if message.reply is not None else None
            sent.append(dict(back or {"role": message.role, "content": message.content}))
        elif answers is None:
            answers = {"role": "user", "content": _answer(message)}
            sent.append(answers)
        else:
            answers["content"] += "\n" + _answer(message)
    return sent


def _answer(message: Message) -> str:
    if not message.call_id:
        return message.content
    return f"<tool_response>\n{message.content}\n</tool_response>"
