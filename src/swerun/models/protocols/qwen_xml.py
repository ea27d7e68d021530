"""A call as Qwen3-Coder writes it:

    <tool_call>
    <function=bash>
    <parameter=command>
    ls
    </parameter>
    </function>
    </tool_call>

By its chat template and its own parser (huggingface.co/Qwen/Qwen3-Coder-30B-A3B-Instruct:
chat_template.jinja, qwen3coder_tool_parser.py). It looks like XML and is none: values are raw, so
`&&` and `<` stand for themselves, entities stay as they are, and of a value's ends one line end
each is not part of it. Only CDATA around a whole value is taken off: no command begins with that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from swerun.models.protocols.calls import Function
from swerun.models.protocols.part import Part
from swerun.ports import Tool

SHAPE = (
    "<tool_call>\n<function=bash>\n<parameter=command>\nls\n</parameter>\n</function>\n</tool_call>"
)
NO_END = "The call has no end: close it with </parameter>, </function> and </tool_call>."
NO_PARAMETER = "Inside <function=...> there is something that is no <parameter=NAME>."
TWICE = "`{key}` is given twice."
OPENING = r"<function(?:=|\s+name=)"
HEAD = re.compile(OPENING + r"""\s*["']?([^\s"'<>]{1,64})["']?\s*>""")
PARAMETER = re.compile(r"""\s*<parameter(?:=|\s+name=)\s*["']?([^\s"'<>]{1,64})["']?\s*>""")
VALUE_ENDS = "</parameter>"
ENDING = re.compile(r"\s*(?:</function>)?\s*(?:</tool_call>)?")
# what comes after a value's end: one inside of a value, of a file that is written, has other things
AFTER_VALUE = re.compile(r"\s*(?:<parameter[=\s]|</function>|</tool_call>|<tool_call>|\Z)")
CDATA = re.compile(r"\s*<!\[CDATA\[(.*)\]\]>\s*", re.DOTALL)


def part(text: str, start: int, tools: Sequence[Tool]) -> Part:
    """The call that begins at `start`, with `<function`."""
    head = HEAD.match(text, start)
    if head is None:
        return _broken(text, start, "", NO_END)
    name, at, arguments = head[1], head.end(), dict[str, object]()
    tool = next((t for t in tools if t.name == name), None)
    while parameter := PARAMETER.match(text, at):
        key, begin = parameter[1], parameter.end()
        end = _value_end(text, begin)
        if end is None:
            return _broken(text, start, name, NO_END)
        if key in arguments:
            return _broken(text, start, name, TWICE.format(key=key))
        arguments[key] = _typed(_trimmed(text[begin:end]), key, tool)
        at = end + len(VALUE_ENDS) if text.startswith(VALUE_ENDS, end) else end
    return _ended(text, start, at, name, arguments)


def _ended(text: str, start: int, at: int, name: str, arguments: dict[str, object]) -> Part:
    """What is left of the call once its parameters are read."""
    ending = ENDING.match(text, at)
    end = ending.end() if ending else at
    closed = ending is not None and "</" in ending[0]
    if arguments and (closed or not text[at:].strip()):
        return Part("qwen-xml", start, end, name, Function(name, json.dumps(arguments)))
    if closed:
        return Part("qwen-xml", start, end, name, Function(name, "{}"))
    closing = text.find("</function>", at)
    inner = text[at:closing].strip() if closing >= 0 else ""
    if inner.startswith("{") and not arguments:  # as Llama 3.1 has it
        ending = ENDING.match(text, closing)
        end = ending.end() if ending else closing
        return Part("qwen-xml", start, end, name, Function(name, inner))
    return _broken(text, start, name, NO_PARAMETER if closing >= 0 else NO_END)


def _broken(text: str, start: int, name: str, problem: str) -> Part:
    """Up to where the next call may begin."""
    ends = [text.find(tag, start + 1) for tag in ("</tool_call>", "<tool_call>", "<function=")]
    end = min((e for e in ends if e >= 0), default=len(text))
    return Part("qwen-xml", start, end, name, problem=problem)


def _value_end(text: str, begin: int) -> int | None:
    first = at = text.find(VALUE_ENDS, begin)
    while at >= 0:
        if AFTER_VALUE.match(text, at + len(VALUE_ENDS)):
            return at
        at = text.find(VALUE_ENDS, at + 1)
    if first >= 0:
        return first
    closing = text.find("</function>", begin)  # some leave the value's own end out
    return closing if closing >= 0 else None


def _trimmed(value: str) -> str:
    whole = CDATA.fullmatch(value)
    if whole:
        value = whole[1]
    return value.removeprefix("\r").removeprefix("\n").removesuffix("\n").removesuffix("\r")


def _typed(value: str, key: str, tool: Tool | None) -> object:
    """A value of another type than a string is JSON, if it can be read as such."""
    schema = tool.parameters.get("properties", {}).get(key, {}) if tool else {}
    if schema.get("type", "string") == "string":
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
