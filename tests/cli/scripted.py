"""A model whose every reply is known before: the n-th is a command, or the submission."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.models.endpoint import Asked, Said, Silence, completion

USAGE = {"prompt_tokens": 1000, "completion_tokens": 10}


@dataclass
class Script:
    """What a server answers with; it is silent where a request comes for reply `silent_at`.

    `asked_for` is which replies it was asked for, by how many the conversation holds; what asks
    outside of a conversation, before a run, is not in it.
    """

    commands: Sequence[str]
    silent_at: int | None = None
    asked_for: list[int] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Said | Silence:
        number = sum(message["role"] == "assistant" for message in asked.body["messages"])
        if number or "<issue>" in json.dumps(asked.body):
            self.asked_for.append(number)
        if number == self.silent_at:
            return Silence()
        if number >= len(self.commands):
            return _calling("submit", {}, number)
        return _calling("bash", {"command": self.commands[number]}, number)


def _calling(tool: str, arguments: dict[str, str], number: int) -> Said:
    function = {"name": tool, "arguments": json.dumps(arguments)}
    call = {"id": f"call-{number}", "type": "function", "function": function}
    message = {"role": "assistant", "content": f"Reply {number}.", "tool_calls": [call]}
    return completion(message, finish="tool_calls", usage=USAGE)
