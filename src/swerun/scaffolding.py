"""Which agent drives a model, and what of it is part of a run's question."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from swerun.agent.command import PREFIX, CommandAgent
from swerun.agent.loop import BashAgent
from swerun.agent.own import own_agent
from swerun.agent.prompts import load_prompts
from swerun.agent.tools import EDIT, TOOLSETS
from swerun.config import RunConfig
from swerun.errors import InputError
from swerun.models.endpoints import Endpoint
from swerun.models.protocols import PROTOCOLS
from swerun.models_file import looks_secret
from swerun.ports import Agent
from swerun.records import Limits, Price, Question, Scaffold

NO_NETWORK = (
    "the agent is a command in a container without network, and cannot ask the endpoint from there:"
    " --network host reaches one on this machine, --network bridge one elsewhere"
)


@dataclass(frozen=True, slots=True)
class Scaffolded:
    """An agent that is ready to solve. `warning` is what there is to be said of it, `hushed` takes
    out of its patch what it was told and is to be told nobody."""

    agent: Agent
    scaffold: Scaffold
    warning: str = ""
    hushed: Callable[[str], str] = lambda text: text


def scaffolded(
    config: RunConfig,
    endpoint: Endpoint,
    limits: Limits,
    price: Price | None,
    clock: Callable[[], float],
) -> Scaffolded:
    """The agent that `config` asks for, which speaks to `endpoint` by its protocol. Raises
    InputError for a prompt, an agent or tools that cannot be used."""
    if is_command(config):
        return _commanded(config, endpoint, limits)
    prompts = load_prompts(
        endpoint.protocol,
        config.prompt,
        limits,
        tools=config.tools,
        tell_limits=not config.no_tell_limits,
    )
    scaffold = prompts.scaffold().model_copy(update={"api": endpoint.api})
    if config.agent is None:
        longest = endpoint.sampling.max_tokens
        agent: Agent = BashAgent(prompts, limits, clock, price=price, longest_reply=longest)
        return Scaffolded(agent, scaffold)
    own = own_agent(config.agent, Path.cwd())
    scaffold = scaffold.model_copy(update={"agent": own.name})
    return Scaffolded(own.made(prompts, limits), scaffold)


def rebuilt(question: Question) -> Agent:
    """The agent of a run, for its recorded steps to be done again with nobody to ask.

    The prompts are ours, whatever they were: nobody reads them. Raises InputError where no steps
    can be done again.
    """
    scaffold, limits = stepwise(question.scaffold), question.limits
    if question.predictions:
        raise InputError("its attempts were made elsewhere, by an agent that is not swerun's")
    offered = {tuple(tool.name for tool in tools): name for name, tools in TOOLSETS.items()}
    prompts = load_prompts(scaffold.protocol, None, limits, tools=offered[scaffold.tools])
    if ":" not in scaffold.agent:
        return BashAgent(prompts, limits)
    named, _, _ = scaffold.agent.partition("@")
    return own_agent(named, Path.cwd()).made(prompts, limits)


def stepwise(scaffold: Scaffold | None) -> Scaffold:
    """One whose attempts have steps that can be done again one by one. Raises InputError."""
    if scaffold is None:
        raise InputError("no agent ran: the patches were given, so there are no steps to do again")
    if scaffold.agent.startswith(PREFIX):
        raise InputError(
            "the agent is a command in the container: what it did there is one step, of which no "
            "part can be done again"
        )
    return scaffold


def is_command(config: RunConfig) -> bool:
    return bool(config.agent) and str(config.agent).startswith(PREFIX)


def carrying(tools: str) -> Sequence[str]:
    """The protocols that have room for the calls of these tools."""
    has_arguments = EDIT in TOOLSETS[tools]
    return [name for name in PROTOCOLS if not (has_arguments and name == "text")]


def _commanded(config: RunConfig, endpoint: Endpoint, limits: Limits) -> Scaffolded:
    if config.continue_attempts:
        raise InputError("--continue-attempts: what a command did in a container is one step, so "
                         "there is no step to go on from")  # fmt: skip
    command = str(config.agent).removeprefix(PREFIX)
    words = re.split(r"""[\s='"]+""", command)
    if any(map(looks_secret, words)) or endpoint.hushed_reply(command) != command:
        raise InputError("--agent: there is a key in the command, and it would be stored: the "
                         "command finds the endpoint's in OPENAI_API_KEY")  # fmt: skip
    if config.prompt or config.tools != RunConfig.model_fields["tools"].default:
        raise InputError(
            "--agent command: has its own prompt and tools; leave out --prompt, --tools"
        )
    variables = {
        "OPENAI_BASE_URL": endpoint.base_url,
        "OPENAI_API_KEY": endpoint.api_key or "none",
        "SWERUN_MODEL": endpoint.model,
    }
    scaffold = Scaffold(agent=str(config.agent), prompt_hash="", protocol="none", tools=())
    agent = CommandAgent(command, limits, variables, endpoint.hushed)
    warning = NO_NETWORK if config.network == "none" else ""
    return Scaffolded(agent, scaffold, warning, endpoint.hushed_reply)
