"""The prompts, which are files, and the fingerprint of what a model is told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from swerun.agent.tools import TOOLS
from swerun.errors import InputError
from swerun.ports import Message, Tool
from swerun.records import Limits, Scaffold, Task


@dataclass(frozen=True, slots=True)
class Prompts:
    """Jinja templates; they see `task` (a Task, never an Answer), `limits` and `protocol`, and the
    system prompt sees `tools` too: as functions in JSON Schema."""

    system: str
    instance: str
    protocol: str

    def opening(self, task: Task, limits: Limits) -> list[Message]:
        """The two messages a conversation begins with."""
        from jinja2 import Environment, StrictUndefined

        jinja = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 -- no HTML
        jinja.filters["tojson"] = json.dumps  # jinja's own escapes what HTML would, and sorts
        seen = {"task": task, "limits": limits, "protocol": self.protocol}
        told = seen | {"tools": [_function(tool) for tool in TOOLS]}
        return [
            Message("system", jinja.from_string(self.system).render(told).strip()),
            Message("user", jinja.from_string(self.instance).render(seen).strip()),
        ]

    def scaffold(self) -> Scaffold:
        """What of the agent is part of a run's question."""
        tools = [[tool.name, tool.description, tool.parameters] for tool in TOOLS]
        told = json.dumps([self.system, self.instance, self.protocol, tools], sort_keys=True)
        return Scaffold(
            prompt_hash=hashlib.sha256(told.encode()).hexdigest()[:16],
            protocol=self.protocol,
            tools=tuple(tool.name for tool in TOOLS),
        )


def _function(tool: Tool) -> dict[str, Any]:
    """A tool as chat templates list it."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


# what a prompt is tried with: a mistake in it is found before a run and not in each attempt
TRIAL = Task(id="a__b-1", repo="a/b", base_commit="0" * 40, problem_statement="A.", image="a")


def load_prompts(
    protocol: str, instance: Path | None = None, limits: Limits | None = None
) -> Prompts:
    """Ours, or with `instance` a file of the user's in place of the instance prompt.

    Where the protocol leaves it to the prompt how a tool is called, a file named after it says so,
    below the system prompt; the others' prompts, and so their hashes, have no part in that.
    Raises InputError where that file cannot be read, is no template, or asks for what there is
    not; it is tried with the `limits` of the run.
    """
    ours = files(__name__)
    system = (ours / "system.md").read_text(encoding="utf-8")
    if (shape := ours / f"{protocol}.md").is_file():
        system += shape.read_text(encoding="utf-8")
    if instance is None:
        return Prompts(system, (ours / "instance.md").read_text(encoding="utf-8"), protocol)
    from jinja2 import TemplateError

    # what Python raises in an expression of a template comes through as it is
    mistakes = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
    try:
        prompts = Prompts(system, instance.read_text(encoding="utf-8"), protocol)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the prompt {instance} cannot be read: {error}") from error
    try:
        prompts.opening(TRIAL, limits or Limits())
    except mistakes as error:
        seen = "it sees `task`, `limits` and `protocol`"
        raise InputError(f"the prompt {instance} cannot be used: {error} ({seen})") from error
    return prompts
