"""Reads OpenHands' output.jsonl: an attempt a line, its events in `history`.

OpenHands/benchmarks, benchmarks/utils/models.py, and before that All-Hands-AI/OpenHands,
evaluation/utils/shared.py: EvalOutput in both. In the oldest ones `history` has pairs of an action
and what came of it. Tokens are by reply in `metrics.token_usages`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from swerun.exchange.openhands_events import Event, Reading
from swerun.exchange.told import Told, steps_of, used
from swerun.exchange.values import amount, at, count, moment, objects, seconds_between, text
from swerun.peer import Peer
from swerun.predictions import prediction_of
from swerun.records import Stop
from swerun.written import Written

SAMPLED = {
    "temperature": "temperature",
    "top_p": "top_p",
    "max_output_tokens": "max_tokens",
    "reasoning_effort": "reasoning_effort",
}
FINISH = "finish"


def is_openhands(value: object) -> bool:
    """A line of it; one of an attempt that failed has no more than an empty result."""
    return isinstance(at(value, "history"), list) or isinstance(at(value, "test_result"), dict)


def told_by_openhands(written: Written) -> Told:
    """Raises InputError for a line that is no prediction."""
    row = written.value
    events = list(_flat(at(row, "history")))
    by_reply = objects(at(row, "metrics", "token_usages"))
    reading = Reading({text(usage.get("response_id")): used(usage) for usage in by_reply})
    for event in events:
        reading.add(event)
    whole = used(at(row, "metrics", "accumulated_token_usage"))
    error = text(at(row, "error"))
    last = reading.turns[-1].reply.calls if reading.turns else ()
    finished = any(call.tool == FINISH for call in last)
    return Told(
        prediction_of(written),
        _peer(at(row, "metadata")),
        steps_of(reading.turns),
        stop=_stop(error, finished=finished),
        ended=error or (FINISH if finished else ""),
        usage=whole if whole.total else None,
        cost=amount(at(row, "metrics", "accumulated_cost")) or None,
        seconds=seconds_between([moment(event.get("timestamp")) for event in events]),
    )


def _flat(history: object) -> Iterator[Event]:
    """Its events, also where they are pairs of an action and what came of it."""
    for each in history if isinstance(history, list) else ():
        yield from objects(each if isinstance(each, list) else [each])


def _stop(error: str, *, finished: bool) -> Stop | None:
    lowered = error.lower()
    if "maximum iteration" in lowered or "max iteration" in lowered:
        return Stop.STEPS
    if "budget" in lowered:
        return Stop.COST
    return Stop.SUBMITTED if finished and not error else None


def _peer(metadata: object) -> Peer:
    version = text(at(metadata, "openhands_sdk_version"))
    kind = text(at(metadata, "agent_class")) or text(at(metadata, "agent_type"))
    words = ["OpenHands", version, kind if kind != "default" else ""]
    known: dict[str, JsonValue] = {"scaffold.agent": " ".join(filter(None, words))}
    llm = at(metadata, "llm") or at(metadata, "llm_config")
    if isinstance(llm, dict):
        known |= {f"sampling.{ours}": llm[name] for name, ours in SAMPLED.items() if name in llm}
        if isinstance(llm.get("native_tool_calling"), bool):
            known["scaffold.protocol"] = "tools" if llm["native_tool_calling"] else "text"
    known["limits.steps"] = count(at(metadata, "max_iterations"))
    return Peer(known)
