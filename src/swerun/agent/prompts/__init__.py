"""The prompts, which are files, and the fingerprint of what a model is told."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from swerun.agent.tools import EDIT, TOOLS, TOOLSETS
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
    tools: tuple[Tool, ...] = TOOLS

    def opening(self, task: Task, limits: Limits) -> list[Message]:
        """The two messages a conversation begins with."""
        from jinja2 import Environment, StrictUndefined

        jinja = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 -- no HTML
        jinja.filters["tojson"] = json.dumps  # jinja's own escapes what HTML would, and sorts
        seen = {"task": task, "limits": limits, "protocol": self.protocol}
        told = seen | {"tools": [_function(tool) for tool in self.tools]}
        return [
            Message("system", jinja.from_string(self.system).render(told).strip()),
            Message("user", jinja.from_string(self.instance).render(seen).strip()),
        ]

    def scaffold(self) -> Scaffold:
        """What of the agent is part of a run's question."""
        tools = [[tool.name, tool.description, tool.parameters] for tool in self.tools]
        told = json.dumps([self.system, self.instance, self.protocol, tools], sort_keys=True)
        return Scaffold(
            prompt_hash=hashlib.sha256(told.encode()).hexdigest()[:16],
            protocol=self.protocol,
            tools=tuple(tool.name for tool in self.tools),
        )


def _function(tool: Tool) -> dict[str, Any]:
    """A tool as chat templates list it."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


ONLY_COMMANDS = "text"  # the protocol whose calls are a command and nothing else

# what a prompt is tried with: a mistake in it is found before a run and not in each attempt
TRIAL = Task(id="a__b-1", repo="a/b", base_commit="0" * 40, problem_statement="A.", image="a")


def load_prompts(
    protocol: str,
    instance: Path | None = None,
    limits: Limits | None = None,
    *,
    tools: str = "bash",
    tell_limits: bool = True,
) -> Prompts:
    """Ours, or with `instance` a file of the user's in place of the instance prompt, which is tried
    with the `limits` of the run.

    Where the protocol leaves it to the prompt how a tool is called, a file named after it says so,
    below the system prompt; a tool that not all have is told of there too, and limits that not all
    have in the instance prompt. The others' prompts, and so their hashes, have no part in that.
    Raises InputError where the user's file cannot be read, is no template, or asks for what there
    is not, and for tools that the protocol does not carry.
    """
    offered = TOOLSETS[tools]
    if EDIT in offered and protocol == ONLY_COMMANDS:
        raise InputError(
            f"--tools {tools}: in the protocol {protocol} a call is a command and nothing else. "
            "--protocol hermes and qwen-xml need no tool calls of a server either"
        )
    system = _ours("system") + (_ours("edit") if EDIT in offered else "") + _ours(protocol)
    if instance is None:
        told = _limits(limits or Limits()) if tell_limits else ""
        return Prompts(system, _ours("instance") + told + _ours("closing"), protocol, offered)
    if not tell_limits:
        raise InputError(f"--no-tell-limits: {instance} tells what it tells; leave one of them out")
    prompts = Prompts(system, _read(instance), protocol, offered)
    _try(prompts, instance, limits or Limits())
    return prompts


def _ours(name: str) -> str:
    """The file of that name, "" where there is none."""
    file = files(__name__) / f"{name}.md"
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _limits(limits: Limits) -> str:
    spending = (limits.tokens, limits.input_tokens, limits.output_tokens, limits.cost)
    said = [_ours("limits"), _ours("spending") if any(spending) else ""]
    return "".join(each.strip() + " " for each in said if each)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the prompt {file} cannot be read: {error}") from error


def _try(prompts: Prompts, file: Path, limits: Limits) -> None:
    from jinja2 import TemplateError

    # what Python raises in an expression of a template comes through as it is
    mistakes = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
    try:
        prompts.opening(TRIAL, limits)
    except mistakes as error:
        seen = "it sees `task`, `limits` and `protocol`"
        raise InputError(f"the prompt {file} cannot be used: {error} ({seen})") from error
