"""A call as JSON in `<tool_call>`: `{"name": ..., "arguments": {...}}`.

The format of NousResearch's Hermes models (github.com/NousResearch/Hermes-Function-Calling), and
by the chat templates of Qwen2.5 and Qwen3 theirs too; vLLM's parser `hermes` reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from swerun.models.protocols.calls import Function
from swerun.models.protocols.part import Part
from swerun.ports import Tool

SHAPE = '<tool_call>\n{"name": "bash", "arguments": {"command": "ls"}}\n</tool_call>'
NO_END = "The call has no end: close its JSON, and then it, with </tool_call>."
NOT_JSON = "The call is not JSON: {error}, near {near!r}."
NO_NAME = "The call has no `name`: it is a JSON object with `name`, a string, and `arguments`."
# line ends inside of strings are taken as they are: they are not JSON, and mean themselves
DECODER = json.JSONDecoder(strict=False)
# what may stand between the JSON and the closing tag: some close one brace too many, or a fence
ENDING = re.compile(r"[\s}`]*(?:</tool_call>|</tools>|(?=<tool_call>)|\Z)")
BORDER = re.compile(r"</tool_call>|</tools>|(?=<tool_call>)")
# Qwen2.5-Coder asks for a tool in a fence or in no tags at all
# (github.com/hanXen/vllm-qwen2.5-coder-tool-parser)
UNTAGGED = re.compile(r"(?:\A\s*|</think>\s*|```(?:json|tool_call)?\s*)(?=\{\s*\"name\"\s*:)")


def part(text: str, start: int, at: int) -> Part:
    """The call whose tag is at `start`, and whose JSON should begin at `at`."""
    try:
        value, end = DECODER.raw_decode(text, at)
    except ValueError as error:
        return _broken(text, start, error)
    except RecursionError:
        border = BORDER.search(text, at)
        end = border.end() if border else len(text)
        return Part("hermes", start, end, problem="The call's JSON is nested too deep.")
    ending = ENDING.match(text, end)
    name, function = _function(value)
    problem = None if function else NO_NAME
    return Part("hermes", start, ending.end() if ending else end, name, function, problem)


def _broken(text: str, start: int, error: ValueError) -> Part:
    border = BORDER.search(text, start + 1)
    if border is None:
        return Part("hermes", start, len(text), problem=NO_END)
    message, place = getattr(error, "msg", str(error)), getattr(error, "pos", start)
    near = text[max(start, place - 20) : min(place + 20, border.start())]
    return Part("hermes", start, border.end(), problem=NOT_JSON.format(error=message, near=near))


def _function(value: object) -> tuple[str, Function | None]:
    """`parameters` is Llama's word for the arguments; some write them as a string of JSON."""
    given: Mapping[str, Any] = value if isinstance(value, dict) else {}
    if isinstance(given.get("function"), dict):
        given = given["function"]
    name = given.get("name")
    if not isinstance(name, str) or not name.strip():
        return "", None
    arguments = given.get("arguments", given.get("parameters"))
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return name.strip(), Function(name.strip(), text.strip() or "{}")


def untagged(text: str, begin: int, tools: Sequence[Tool]) -> Part | None:
    """A call of a tool that there is, without its tags: the first such thing in the text."""
    opening = UNTAGGED.search(text, begin)
    if opening is None:
        return None
    found = part(text, opening.start(), opening.end())
    return found if found.name in {tool.name for tool in tools} else None
