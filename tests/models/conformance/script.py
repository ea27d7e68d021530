"""What the model behind a conformance server says, and how each protocol writes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply: a thought, a text, a call."""

    thought: str
    text: str
    tool: str
    arguments: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> str:
        return json.dumps(self.arguments)


TURNS = (
    Turn("I look first.", "Let me see.", "bash", {"command": "ls -a\necho 'é \"x\"'"}),
    Turn("Now the file.", "And now:", "bash", {"command": "cat a.py"}),
    Turn("That is all.", "Done.", "submit"),
)


def fenced(turn: Turn) -> str:
    return f"{turn.text}\n```bash\n{turn.arguments.get('command', turn.tool)}\n```"


def hermes(turn: Turn) -> str:
    call = json.dumps({"name": turn.tool, "arguments": dict(turn.arguments)})
    return f"{turn.text}\n<tool_call>\n{call}\n</tool_call>"


def qwen3_coder(turn: Turn) -> str:
    given = "".join(
        f"<parameter={name}>\n{value}\n</parameter>\n" for name, value in turn.arguments.items()
    )
    inner = f"<function={turn.tool}>\n{given}</function>"
    return f"{turn.text}\n<tool_call>\n{inner}\n</tool_call>"


WRITTEN = {"text": fenced, "hermes": hermes, "qwen-xml": qwen3_coder}


def usage(turn: int) -> dict[str, Any]:
    return {
        "prompt_tokens": 100 + turn,
        "completion_tokens": 20,
        "total_tokens": 120 + turn,
        "prompt_tokens_details": {"cached_tokens": 64},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
