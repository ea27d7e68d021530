"""An agent of the user's own: `module:attribute`, a callable that makes one."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from swerun.agent.prompts import Prompts
from swerun.errors import InputError
from swerun.ports import Agent
from swerun.records import Limits

MARK = 8  # hex digits
EXPECTED = "it has to be a callable that takes prompts and limits, and returns what has `solve`"


@dataclass(frozen=True, slots=True)
class Own:
    """What makes the agent. `name` says which one it is, as the scaffold has it: its module's file
    is part of that, so that a changed agent makes another run."""

    name: str
    make: Callable[[Prompts, Limits], Agent]

    def made(self, prompts: Prompts, limits: Limits) -> Agent:
        """Raises InputError where it makes no agent."""
        try:
            agent = self.make(prompts, limits)
        except TypeError as error:
            raise InputError(f"--agent {self.name}: {EXPECTED}: {error}") from error
        if not callable(getattr(agent, "solve", None)):
            raise InputError(f"--agent {self.name}: {EXPECTED}; it returned {type(agent).__name__}")
        return agent


def own_agent(named: str, folder: Path) -> Own:
    """The agent that `module:attribute` names; modules are looked for in `folder` too, after all
    else. Raises InputError."""
    module_name, _, attribute = named.partition(":")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InputError(f"--agent {named}: {module_name} cannot be imported: {error}") from error
    make = getattr(module, attribute, None)
    if not callable(make):
        there = ", ".join(name for name in vars(module) if not name.startswith("_"))
        raise InputError(f"--agent {named}: {EXPECTED}; {module_name} has {there or 'nothing'}")
    source = Path(module.__file__).read_bytes() if module.__file__ else b""
    return Own(f"{named}@{hashlib.sha256(source).hexdigest()[:MARK]}", make)
