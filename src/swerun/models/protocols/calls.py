"""What is common to all protocols: a reply understood, and a call that is checked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from swerun.ports import Tool
from swerun.records import Call

Wire = dict[str, Any]
# what an endpoint takes back of an assistant's message, beside its calls; strict ones refuse
# anything else, and some refuse the empty list of calls that others serve
SAID = ("role", "content", "reasoning_content", "reasoning")
CUT = " It was cut off at the limit on the length of a reply: write less in one."
# JSON Schema's names, as Python reads them and as a model is told of them; bool is an int to Python
TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "a string"),
    "integer": ((int,), "a whole number"),
    "number": ((int, float), "a number"),
    "boolean": ((bool,), "true or false"),
    "array": ((list,), "a list"),
    "object": ((dict,), "an object"),
}


@dataclass(frozen=True, slots=True)
class Read:
    """An assistant's message understood: what goes back as it was said, and the calls in it.

    `problem` says why there is no call, in words for the model.
    """

    raw: Mapping[str, Any]
    calls: tuple[Call, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A call as it was served: a name, and arguments that are JSON if all is well."""

    name: str
    text: str

    def arguments(self) -> Mapping[str, Any]:
        """Raises ValueError that says what is wrong with them.

        Line ends inside of strings are taken as they are: they are not JSON, and mean themselves.
        """
        try:
            arguments = json.loads(self.text, strict=False)
            json.dumps(arguments, ensure_ascii=False).encode()  # halves of surrogate pairs fail
        except (ValueError, RecursionError) as error:
            raise ValueError(f"The arguments are not JSON: {error}.") from error
        if not isinstance(arguments, dict):
            raise ValueError("The arguments are not a JSON object.")  # noqa: TRY004
        return arguments

    def sendable(self) -> Wire:
        """It as later requests carry it: servers that parse the arguments again (vLLM, llama.cpp)
        refuse them all where that gives no object."""
        try:
            arguments = self.arguments()
        except ValueError:
            return {"name": self.name, "arguments": json.dumps({"malformed": self.text})}
        return {"name": self.name, "arguments": _strict(self.text, arguments)}


def _strict(text: str, arguments: Mapping[str, Any]) -> str:
    """`text` as it was said, where a strict reader takes it too."""
    try:
        json.loads(text)
    except ValueError:
        return json.dumps(arguments, ensure_ascii=False)
    return text


def call_of(call_id: str, function: Function, cut: str, tools: Sequence[Tool]) -> Call:
    """A call whose arguments are what the tool asks for, or that says what is wrong with it."""
    name = function.name
    tool = next((t for t in tools if t.name == name), None)
    if tool is None:
        names = ", ".join(t.name for t in tools)
        problem = f"There is no tool {name[:100]!r}; there are {names}."
        return Call(id=call_id, tool=name, problem=problem)
    try:
        arguments = function.arguments()
    except ValueError as error:
        return Call(id=call_id, tool=name, problem=f"{error}{cut}")
    wrong = _wrong(arguments, tool)
    if wrong:
        return Call(id=call_id, tool=name, problem=wrong + cut)
    return Call(id=call_id, tool=name, arguments=arguments)


def _wrong(arguments: Mapping[str, Any], tool: Tool) -> str:
    """What of the arguments is missing, or of another type than the tool says."""
    required = tool.parameters.get("required", ())
    for key, schema in tool.parameters.get("properties", {}).items():
        if arguments.get(key) is None and key not in required:
            continue  # null is how some leave out what is optional
        kinds, words = TYPES.get(schema.get("type"), ((object,), "the tool says"))
        value = arguments.get(key)
        if not isinstance(value, kinds) or (isinstance(value, bool) and int in kinds):
            return f"`{key}` has to be given, as {words}."
    return ""


def own_ids(given: Iterable[str]) -> list[str]:
    """The ids of a reply's calls, with a new one for each that is missing or not the first."""
    ids = list(given)
    free = (f"call_{number}" for number in count(1) if f"call_{number}" not in ids)
    return [one if one and one not in ids[:i] else next(free) for i, one in enumerate(ids)]


def said(message: Mapping[str, Any]) -> Wire:
    """What goes back of a message, without its calls."""
    kept = {key: message[key] for key in SAID if message.get(key) is not None}
    return {"role": "assistant", "content": ""} | kept


def text_of(message: Mapping[str, Any]) -> str:
    return str(message.get("content") or "")


def after_thinking(text: str) -> int:
    """Where a text's thoughts end, and what it says begins; its length where it is all thoughts.

    Templates of thinking models open the block themselves, so that only its end is in the text.
    """
    opened, end = text.lstrip().startswith("<think>"), text.find("</think>")
    if end < 0:
        return len(text) if opened else 0
    before = text.rfind("<tool_call>", 0, end)
    inside_call = before >= 0 and text.find("</tool_call>", before, end) < 0
    return 0 if inside_call and not opened else end + len("</think>")
