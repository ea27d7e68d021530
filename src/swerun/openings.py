"""The prompts that a run's conversations began with, made again: a run keeps but their hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from swerun.agent.prompts import Prompts, load_prompts
from swerun.agent.tools import EDIT
from swerun.errors import InputError
from swerun.instances.hub import Hub
from swerun.instances.subsets import dataset_hash, load_subset
from swerun.ports import Message
from swerun.records import Question, RunRecord
from swerun.revision import pinned, unpinned


def openings(run: RunRecord, hub: Hub) -> Callable[[str], Sequence[Message]]:
    """By instance the messages before the first reply.

    Raises InputError where they cannot be made as they were: of another agent, of a prompt of the
    user's or of an earlier swerun, of instances that are not to be had any more.
    """
    prompts = _prompts(run.question)
    subset = load_subset(unpinned(run.subset), None, pinned(run.source), hub)
    if dataset_hash(subset.instances) != run.question.dataset_hash:
        raise InputError(f"{run.subset} has other instances now than the run was made of")
    tasks = {instance.id: instance.task for instance in subset.instances}
    return lambda instance_id: prompts.opening(tasks[instance_id], run.question.limits)


def _prompts(question: Question) -> Prompts:
    """Those of ours that have the run's hash."""
    scaffold, limits = question.scaffold, question.limits
    if scaffold is None:
        raise InputError("there was no agent")
    if any(key.startswith("limits.") for key in question.unknown):
        raise InputError("nobody knows which limits the agent was told of")
    tools = "bash,edit" if EDIT.name in scaffold.tools else "bash"
    for tell_limits in (True, False):
        prompts = load_prompts(
            scaffold.protocol, None, limits, tools=tools, tell_limits=tell_limits
        )
        if prompts.scaffold().prompt_hash == scaffold.prompt_hash:
            return prompts
    raise InputError("the agent's prompt is none that this swerun has")
