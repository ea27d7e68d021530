"""Reads SWE-agent's trajectories: ID.traj, and preds.json or all_preds.jsonl beside their folders.

Its docs/usage/trajectories.md, types.py and agent/agents.py at 1.1. Of each turn the reply, the
action and the observation are kept, not its tokens nor an exit code; of the whole the sums. An
empty action is a reply that could not be used, or, where there was no query, its own last words.
"""

from __future__ import annotations

import re

from pydantic import JsonValue

from swerun.errors import InputError
from swerun.exchange.told import Told, Turn, called, steps_of, submitted
from swerun.exchange.values import amount, arguments, at, count, text
from swerun.peer import Peer
from swerun.records import Observation, Reply, Stop, Usage

STOPS = {
    "submitted": Stop.SUBMITTED,
    "exit_cost": Stop.COST,
    "exit_context": Stop.CONTEXT,
    "exit_format": Stop.MALFORMED,
    "exit_total_execution_time": Stop.CLOCK,
}
ENDED = re.compile(r"submitted \((\w+)\)")  # by itself, with what there was


def is_swe_agent(value: object) -> bool:
    return isinstance(at(value, "trajectory"), list) and isinstance(at(value, "info"), dict)


def told_by_swe_agent(value: object, where: str, instance_id: str) -> Told:
    """`instance_id` is what its file is called. Raises InputError."""
    turns, info = at(value, "trajectory"), at(value, "info")
    assert isinstance(turns, list)
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict):
            raise InputError(f"{where}: turn {number} of its trajectory is no object")
    turns = [turn for turn in turns if not _is_note(turn)]
    config = arguments(at(value, "replay_config"))
    prediction = submitted(info, where, instance_id, at(config, "agent", "model", "name"))
    ended = text(at(info, "exit_status"))
    spent = [amount(at(turn, "execution_time")) for turn in turns]
    return Told(
        prediction,
        _peer(config, info),
        steps_of(_turn(number, turn) for number, turn in enumerate(turns, start=1)),
        stop=STOPS.get(ENDED.sub(r"\1", ended)),
        ended=ended,
        usage=_usage(at(info, "model_stats")),
        cost=amount(at(info, "model_stats", "instance_cost")) or None,
        seconds=None if None in spent else round(sum(filter(None, spent)), 3),
    )


def _is_note(turn: object) -> bool:
    """What it says of itself when it gives up: there was no query for it."""
    return at(turn, "query") == [{}] and not text(at(turn, "action")).strip()


def _turn(number: int, turn: object) -> Turn:
    action = text(at(turn, "action")).strip()
    calls = (called(number, "", "bash", {"command": action}),) if action else ()
    reply = Reply(
        text=text(at(turn, "response")) or text(at(turn, "thought")),
        calls=calls,
        problem=None if action else "there is no action in it",
        usage=Usage(unreported=1),
    )
    made = Turn(reply)
    seconds = amount(at(turn, "execution_time")) or 0.0
    made.see(Observation(call_id="", text=text(at(turn, "observation")), seconds=round(seconds, 4)))
    return made


def _usage(stats: object) -> Usage | None:
    sent, received = count(at(stats, "tokens_sent")), count(at(stats, "tokens_received"))
    if not sent or received is None:
        return None
    return Usage(input_tokens=sent, output_tokens=received)


def _peer(config: object, info: object) -> Peer:
    """Its configuration is in what it keeps for replaying, in some versions."""
    version = text(at(info, "swe_agent_version"))
    known: dict[str, JsonValue] = {"scaffold.agent": f"SWE-agent {version}".strip()}
    model = at(config, "agent", "model")
    if isinstance(model, dict):
        known |= {f"sampling.{n}": model[n] for n in ("temperature", "top_p") if n in model}
        most = amount(model.get("per_instance_cost_limit"))
        calls = count(model.get("per_instance_call_limit"))
        known |= {"limits.cost": most or None} if most is not None else {}
        known |= {"limits.steps": calls} if calls else {}
    parser = text(at(config, "agent", "tools", "parse_function", "type"))
    if parser:
        known["scaffold.protocol"] = "tools" if parser == "function_calling" else parser
    seconds = amount(at(config, "agent", "tools", "execution_timeout"))
    whole = amount(at(config, "agent", "tools", "total_execution_timeout"))
    return Peer(known | {"limits.command_seconds": seconds, "limits.seconds": whole})
