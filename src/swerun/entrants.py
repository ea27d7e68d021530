"""Who is measured: a live endpoint, a recorded one, or a patch that is given without any agent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import Event

from swerun.agent.loop import BashAgent
from swerun.agent.prompts import load_prompts
from swerun.agent.tools import TOOLS
from swerun.config import RunConfig
from swerun.errors import InputError
from swerun.models.chat import ChatModel, connected
from swerun.models.endpoints import Endpoint, resolve
from swerun.models.patient import PatientModel
from swerun.models.probe import probe
from swerun.models.recorded import INSTANCE_HEADER, serving
from swerun.models.recording import RecordingInfo, recordings, shipped
from swerun.ports import Model, Sandboxes, Solver
from swerun.records import Instance, Limits, Sampling, Scaffold, Task
from swerun.solve import AgentSolver, GivenPatch

GIVEN: Mapping[str, Callable[[Instance], bytes]] = {
    "gold": lambda instance: instance.answer.gold_patch.encode(),
    "empty": lambda instance: b"",  # noqa: ARG005
}
DEMO = "demo/"


@dataclass(frozen=True, slots=True)
class Entrant:
    """One model of a run, ready to solve. `note` is what has to be said wherever it is shown."""

    name: str
    limits: Limits
    sampling: Sampling
    scaffold: Scaffold | None  # None where no agent runs
    solver: Callable[[Sandboxes], Solver]
    base_url: str = ""
    note: str = ""


def entrant(
    name: str, config: RunConfig, environment: Mapping[str, str], open_: ExitStack, cancel: Event
) -> Entrant:
    """The entrant called `name`. What it needs open (a recorded endpoint) is open until `open_`.

    Raises InputError for a name that leads nowhere, EndpointError for an endpoint that does not
    answer: a small request is sent before any container starts.
    """
    if name in GIVEN:
        return Entrant(
            name=name,
            limits=config.limits,
            sampling=Sampling(),
            scaffold=None,
            solver=lambda _: GivenPatch(GIVEN[name]),
            note="no agent: the reference patch" if name == "gold" else "no agent: no patch",
        )
    if name.startswith(DEMO):
        return _recorded(name, open_, cancel)
    return _live(name, config, environment, open_, cancel)


def _recorded(name: str, open_: ExitStack, cancel: Event) -> Entrant:
    """Limits, sampling and protocol are those that the recording was made with."""
    there, wanted = recordings(), name.removeprefix(DEMO)
    if wanted not in there:
        known = ", ".join(DEMO + each for each in there)
        raise InputError(f"there is no recording {name}; there are {known}")
    info = there[wanted]
    url = open_.enter_context(serving(shipped() / wanted, wanted))
    endpoint = Endpoint(
        wanted, url, protocol=info.protocol, sampling=info.sampling, is_recorded=True
    )
    prompts = load_prompts(info.protocol)
    scaffold = prompts.scaffold()
    return Entrant(
        name=name,
        limits=info.limits,
        sampling=info.sampling,
        scaffold=scaffold,
        solver=_solver(BashAgent(prompts, info.limits), _asked(endpoint, open_), cancel),
        base_url=url,
        note=provenance(info, scaffold.prompt_hash),
    )


def provenance(info: RecordingInfo, prompt_hash: str) -> str:
    """What has to be said of a recording: whose it is, and that it is one."""
    if info.recorded_from == "handwritten":
        return "handwritten script, no model's score"
    said = f"recorded from {info.recorded_from} {info.quantisation} on {info.date}"
    return said if info.prompt_hash == prompt_hash else f"{said}, with another prompt"


def _live(
    name: str, config: RunConfig, environment: Mapping[str, str], open_: ExitStack, cancel: Event
) -> Entrant:
    endpoint = replace(
        resolve(
            name,
            base_url=config.base_url,
            api_key_env=config.api_key_env,
            environment=environment,
        ),
        protocol=config.protocol or "tools",
        sampling=config.sampling,
        request_timeout=config.request_timeout,
    )
    prompts = load_prompts(endpoint.protocol, config.prompt)
    asked = _asked(endpoint, open_)
    probe(endpoint, asked.client, cancel)
    return Entrant(
        name=name,
        limits=config.limits,
        sampling=config.sampling,
        scaffold=prompts.scaffold(),
        solver=_solver(BashAgent(prompts, config.limits), asked, cancel),
        base_url=f"{endpoint.base_url} as {endpoint.model}",
    )


def _asked(endpoint: Endpoint, open_: ExitStack) -> ChatModel:
    client = connected(endpoint)
    open_.callback(client.close)
    return ChatModel(endpoint, client, TOOLS)


def _solver(agent: BashAgent, asked: ChatModel, cancel: Event) -> Callable[[Sandboxes], Solver]:
    """Only a recorded endpoint is told which instance it is asked about: it has to look it up."""

    def model_of(task: Task) -> Model:
        if asked.endpoint.is_recorded:
            return PatientModel(replace(asked, headers=((INSTANCE_HEADER, task.id),)))
        return PatientModel(asked)

    return lambda sandboxes: AgentSolver(sandboxes, agent, model_of, cancel)
