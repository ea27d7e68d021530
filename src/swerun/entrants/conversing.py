"""What entrants with an endpoint share: who answers, and the agent that asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from swerun.agent.tools import TOOLSETS
from swerun.entrants.entrant import Setting
from swerun.models.chat import ChatModel, Spoken
from swerun.models.endpoints import Endpoint
from swerun.models.exchange import connected
from swerun.models.patient import REPLY, PatientModel
from swerun.models.recorded import INSTANCE_HEADER
from swerun.ports import Model, Sandboxes, Solver
from swerun.records import Task
from swerun.scaffolding import Scaffolded
from swerun.solve import AgentSolver


def asked_of(endpoint: Endpoint, tools: str, setting: Setting) -> ChatModel:
    """What answers at `endpoint`, connected until the setting closes."""
    client = connected(endpoint)
    setting.open_.callback(client.close)
    return ChatModel(endpoint, client, TOOLSETS[tools])


def solver_of(
    made: Scaffolded, asked: ChatModel, setting: Setting
) -> Callable[[Sandboxes], Solver]:
    """A model for each conversation. Only a recorded endpoint is told which instance it is asked
    about: it has to look it up."""
    governor = setting.governors.of(asked.endpoint)
    limit = asked.endpoint.sampling.max_tokens

    def model_of(task: Task) -> Model:
        governor.refuse_if_shut()
        headers = ((INSTANCE_HEADER, task.id),) if asked.endpoint.is_recorded else ()
        model = replace(asked, headers=headers, spoken=Spoken())
        return PatientModel(model, governor, longest_reply=limit or REPLY)

    return lambda sandboxes: AgentSolver(
        sandboxes, made.agent, model_of, setting.cancel, made.hushed
    )
