"""What a peer's file says of one attempt, in swerun's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from swerun.errors import InputError
from swerun.exchange.values import at, count, text
from swerun.peer import Peer
from swerun.predictions import Prediction, check_id
from swerun.records import Call, Observation, Reply, Step, Stop, Usage


@dataclass(frozen=True, slots=True)
class Told:
    """`usage` is that of the whole, where there is no more than that; `stop` is None where swerun
    has no word for how it `ended`."""

    prediction: Prediction
    peer: Peer
    steps: tuple[Step, ...] = ()
    stop: Stop | None = None
    ended: str = ""
    usage: Usage | None = None
    cost: float | None = None  # dollars
    seconds: float | None = None


def submitted(info: object, where: str, instance_id: str, model: object) -> Prediction:
    """The patch that mini-swe-agent and SWE-agent keep as `info.submission`. Raises InputError."""
    check_id(instance_id, where)
    submission = at(info, "submission")
    if not isinstance(submission, str | None):
        raise InputError(f"{where}: info.submission is no text")
    return Prediction(
        where=where,
        instance_id=instance_id,
        patch=(submission or "").encode(errors="replace"),
        model=text(model),
        is_null=submission is None,
    )


@dataclass(slots=True)
class Turn:
    """A reply, and what came of it, as a peer's file is read."""

    reply: Reply
    at: datetime | None = None
    observations: list[Observation] = field(default_factory=list)

    def see(self, observation: Observation) -> None:
        """What one of its calls came to: the first that has nothing yet, where it does not say."""
        seen = {each.call_id for each in self.observations}
        waiting = [call.id for call in self.reply.calls if call.id not in seen]
        if not observation.call_id and waiting:
            observation = observation.model_copy(update={"call_id": waiting[0]})
        self.observations.append(observation)


def called(number: int, call_id: str, tool: str, arguments: Mapping[str, object] | None) -> Call:
    """The `number`-th call of a trajectory; what is wrong with it is said where nothing is known of
    its arguments."""
    if arguments is None:
        return Call(id=call_id or f"call_{number}", tool=tool, problem="its arguments are not JSON")
    return Call.model_validate(
        {"id": call_id or f"call_{number}", "tool": tool, "arguments": arguments}
    )


def used(usage: object) -> Usage:
    """Tokens as endpoints report them, of completions or responses, or as OpenHands does."""
    read, wrote = _first(usage, "prompt", "input"), _first(usage, "completion", "output")
    if read is None or wrote is None:
        return Usage(unreported=1)
    cached = [at(usage, f"{kind}_tokens_details", "cached_tokens") for kind in ("prompt", "input")]
    thought = [
        at(usage, f"{kind}_tokens_details", "reasoning_tokens") for kind in ("completion", "output")
    ]
    cached.append(at(usage, "cache_read_tokens"))
    thought.append(at(usage, "reasoning_tokens"))
    return Usage(
        input_tokens=read,
        cached_tokens=max(count(each) or 0 for each in cached),
        output_tokens=wrote,
        reasoning_tokens=max(count(each) or 0 for each in thought),
    )


def _first(usage: object, *kinds: str) -> int | None:
    known = (count(at(usage, f"{kind}_tokens")) for kind in kinds)
    return next((number for number in known if number is not None), None)


def steps_of(turns: Iterable[Turn]) -> tuple[Step, ...]:
    return tuple(
        Step(index=index, at=turn.at, reply=turn.reply, observations=tuple(turn.observations))
        for index, turn in enumerate(turns)
    )
