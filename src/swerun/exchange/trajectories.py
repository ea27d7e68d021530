"""Writes trajectories as mini-swe-agent does: its `trajectory_format` mini-swe-agent-1.1.

See mini.py for that format. What it has no place for is in `info.swerun`. What is not known is left
out: so are the prompts, where they cannot be made again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from swerun.exchange.counting import counting
from swerun.exchange.folders import File
from swerun.ports import Message
from swerun.records import Attempt, Call, Observation, Reply, RunRecord, Step, Stop, Usage
from swerun.runs.questions import flat
from swerun.runs.store import RunStore
from swerun.version import __version__

Opening = Callable[[str], Sequence[Message]]  # by instance the messages before its first reply
FORMAT = "mini-swe-agent-1.1"
NATIVE = "tools"  # the protocol whose calls are the endpoint's own
ENDED = {
    Stop.SUBMITTED: "Submitted",
    Stop.STEPS: "LimitsExceeded",
    Stop.COST: "LimitsExceeded",
    Stop.TOKENS: "LimitsExceeded",
    Stop.CLOCK: "TimeExceeded",
    Stop.CONTEXT: "ContextWindowExceededError",
    Stop.MALFORMED: "RepeatedFormatError",
}
# by key of a question, where mini-swe-agent has it
CONFIG = {
    "limits.steps": ("agent", "step_limit"),
    "limits.cost": ("agent", "cost_limit"),
    "limits.seconds": ("agent", "wall_time_limit_seconds"),
    "limits.malformed": ("agent", "max_consecutive_format_errors"),
    "limits.command_seconds": ("environment", "timeout"),
}


@dataclass(frozen=True, slots=True)
class Trajectory:
    """An attempt with its steps and its patch; `opening` is what was said before the first step."""

    run: RunRecord
    attempt: Attempt
    steps: Sequence[Step]
    patch: str
    opening: Sequence[Message] = ()


def trajectories(store: RunStore, opening: Opening = lambda _: ()) -> Iterator[Trajectory]:
    """Of the attempts that count; their patches as predictions have them."""
    run = store.record()
    for attempt in counting(store):
        number = attempt.solved_in or attempt.attempt
        steps = list(store.steps(attempt.instance_id, number))
        patch = store.patch(attempt.instance_id, attempt.attempt).decode(errors="replace")
        said = opening(attempt.instance_id) if steps else ()
        yield Trajectory(run, attempt, steps, patch, said)


def mini_files(store: RunStore, opening: Opening = lambda _: ()) -> Iterator[File]:
    """A folder as mini-swe-agent leaves it: ID/ID.traj.json, and preds.json."""
    submitted = dict[str, Mapping[str, str]]()
    for each in trajectories(store, opening):
        instance_id = each.attempt.instance_id
        submitted[instance_id] = {
            "model_name_or_path": each.run.model,
            "instance_id": instance_id,
            "model_patch": each.patch,
        }
        if each.steps:
            yield File(f"{instance_id}/{instance_id}.traj.json", written(each))
    yield File("preds.json", json.dumps(submitted, indent=2).encode())


def written(trajectory: Trajectory) -> bytes:
    run, attempt = trajectory.run, trajectory.attempt
    stats: dict[str, object] = {"api_calls": attempt.steps}
    if attempt.cost is not None:
        stats["instance_cost"] = attempt.cost
    ended = attempt.imported.ended if attempt.imported else ""
    info = {
        "model_stats": stats,
        "config": _config(run),
        "exit_status": ended or ENDED.get(attempt.stop or Stop.GIVEN, str(attempt.stop or "")),
        "submission": trajectory.patch,
        "swerun": {
            "version": __version__,
            "run": run.name,
            "attempt": attempt.attempt,
            "stop": attempt.stop,
            "question": run.question.model_dump(mode="json"),
        },
    }
    scaffold = run.question.scaffold
    is_native = scaffold is not None and scaffold.protocol == NATIVE
    messages: list[dict[str, object]] = [
        {"role": each.role, "content": each.content} for each in trajectory.opening
    ]
    for step in trajectory.steps:
        messages += _messages(step, is_native=is_native)
    end = {"exit_status": info["exit_status"], "submission": trajectory.patch}
    messages.append({"role": "exit", "content": trajectory.patch, "extra": end})
    whole = {
        "info": info,
        "messages": messages,
        "trajectory_format": FORMAT,
        "instance_id": attempt.instance_id,
    }
    return json.dumps(whole, indent=2).encode()


def _config(run: RunRecord) -> dict[str, object]:
    known, scaffold = flat(run.question), run.question.scaffold
    sections: dict[str, dict[str, object]] = {"agent": {}, "environment": {}}
    for key, (section, name) in CONFIG.items():
        if key in known:
            sections[section][name] = known[key]
    sampling = {k.partition(".")[2]: v for k, v in known.items() if k.startswith("sampling.")}
    kind = f"swerun.{scaffold.agent}" if scaffold else "swerun"
    return {
        **sections,
        "agent_type": kind,
        "model": {"model_name": run.model, "model_kwargs": sampling},
    }


def _messages(step: Step, *, is_native: bool) -> Iterator[dict[str, object]]:
    reply = step.reply
    extra: dict[str, object] = {
        "actions": [_action(call) for call in reply.calls if call.problem is None],
        "response": _response(reply),
    }
    if step.at:
        extra["timestamp"] = step.at.timestamp()
    said: dict[str, object] = {"role": "assistant", "content": reply.text, "extra": extra}
    if reply.reasoning:
        said["reasoning_content"] = reply.reasoning
    if is_native and reply.calls:
        said["tool_calls"] = [_tool_call(call) for call in reply.calls]
    yield said
    for seen in step.observations:
        yield _seen(seen, is_native=is_native)


def _action(call: Call) -> dict[str, object]:
    """A command; a call of another tool as a line that could be one, and as it is."""
    command = call.arguments.get("command")
    if call.tool == "bash" and set(call.arguments) == {"command"}:
        return {"command": command, "tool_call_id": call.id}
    shown = f"{call.tool} {json.dumps(dict(call.arguments))}" if call.arguments else call.tool
    own: Mapping[str, JsonValue] = call.arguments
    return {"command": shown, "tool_call_id": call.id, "tool": call.tool, "arguments": dict(own)}


def _tool_call(call: Call) -> dict[str, object]:
    function = {"name": call.tool, "arguments": json.dumps(dict(call.arguments))}
    return {"id": call.id, "type": "function", "function": function}


def _response(reply: Reply) -> dict[str, object]:
    made: dict[str, object] = {"model": reply.model}
    if reply.finish_reason:
        made["choices"] = [{"finish_reason": reply.finish_reason}]
    if not reply.usage.unreported:
        made["usage"] = _usage(reply.usage)
    return made


def _usage(usage: Usage) -> dict[str, object]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _seen(seen: Observation, *, is_native: bool) -> dict[str, object]:
    extra: dict[str, object] = {"returncode": seen.exit_code}
    if seen.timed_out:
        extra["exception_info"] = "timed out"
    if not seen.call_id:
        extra["interrupt_type"] = "FormatError"
    message: dict[str, object] = {"role": "user", "content": seen.text, "extra": extra}
    if seen.call_id:
        message["tool_call_id"] = seen.call_id
        message["role"] = "tool" if is_native else "user"
    return message
