"""Reads mini-swe-agent's trajectories: ID.traj.json, and preds.json beside their folders.

Its docs/usage/output_files.md, agents/default.py and models/ at 2.4.6; `trajectory_format` is
mini-swe-agent-1.1 there, mini-swe-agent-1 in its first version. A reply is an assistant's message
or a whole response, its commands are in `extra.actions` and what they printed in the messages that
follow. Of a reply that it could not use its second version keeps the response with its complaint
alone; its first has neither actions nor exit codes but in the text. A cost of 0 is what it writes
where it does not know.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import JsonValue

from swerun.errors import InputError
from swerun.exchange.told import Told, Turn, called, steps_of, submitted, used
from swerun.exchange.values import (
    amount,
    arguments,
    at,
    count,
    moment,
    objects,
    said,
    seconds_between,
    text,
)
from swerun.peer import Peer
from swerun.records import Call, Observation, Reply, Stop

FENCED = re.compile(r"```(?:bash|mswea_bash_command)\s*\n(.*?)\n```", re.DOTALL)
RETURNED = re.compile(
    r"\s*(?:<exception>.*?</exception>\s*)?<returncode>(-?\d{1,9})</returncode>", re.DOTALL
)
OWN = ("scaffold", "sampling", "limits")  # what of a question an agent has its part in
SAMPLED = ("temperature", "top_p", "max_tokens", "seed", "reasoning_effort")
STOPS = {
    "Submitted": Stop.SUBMITTED,
    "TimeExceeded": Stop.CLOCK,
    "RepeatedFormatError": Stop.MALFORMED,
    "ContextWindowExceededError": Stop.CONTEXT,
}


def is_mini(value: object) -> bool:
    return isinstance(at(value, "messages"), list) and isinstance(at(value, "info"), dict)


def told_by_mini(value: object, where: str, instance_id: str) -> Told:
    """`instance_id` is what its file is called, where it has no other. Raises InputError."""
    messages, info = at(value, "messages"), at(value, "info")
    assert isinstance(messages, list)
    for number, message in enumerate(messages, start=1):
        if not isinstance(message, dict):
            raise InputError(f"{where}: message {number} is no object")
    own_id = text(at(value, "instance_id")) or instance_id
    model = at(info, "config", "model", "model_name")
    prediction = submitted(info, where, own_id, model)
    steps = steps_of(_turns(messages, text(at(info, "submission"))))
    ended = text(at(info, "exit_status"))
    return Told(
        prediction,
        _peer(info),
        steps,
        stop=_stop(info, ended, len(steps)),
        ended=ended,
        cost=amount(at(info, "model_stats", "instance_cost")) or None,
        seconds=seconds_between([_when(message) for message in messages]),
    )


def _turns(messages: Sequence[Mapping[str, object]], submission: str) -> Iterator[Turn]:
    turn: Turn | None = None
    calls = 0
    for position, message in enumerate(messages, start=1):
        complaint = at(message, "extra", "interrupt_type") == "FormatError"
        refused = at(message, "extra", "response") if complaint else None
        if message.get("role") == "assistant" or message.get("object") == "response":
            if turn:
                yield turn
            turn = Turn(_reply(message, calls), _when(message))
            calls += len(turn.reply.calls)
        elif isinstance(refused, dict):
            if turn:
                yield turn
            turn = Turn(_refused(refused, said(message.get("content"))), _when(message))
            turn.see(Observation(call_id="", text=said(message.get("content"))))
        elif turn and not _is_end(message, submission, last=position == len(messages)):
            turn.see(_observation(message))
    if turn:
        yield turn


def _is_end(message: Mapping[str, object], submission: str, *, last: bool) -> bool:
    if text(message.get("role")) in {"exit", "system"} or at(message, "extra", "exit_status"):
        return True
    return last and message.get("role") == "user" and message.get("content") == submission


def _reply(message: Mapping[str, object], before: int) -> Reply:
    """`before` is how many calls there were so far: ids are numbered where there are none."""
    response = at(message, "extra", "response")
    whole = response if isinstance(response, dict) else message
    choice = next(objects(at(whole, "choices")), {})
    outputs = list(objects(message.get("output")))
    texts = [said(item.get("content")) for item in outputs if item.get("type") == "message"]
    content = said(message.get("content")) or "\n".join(filter(None, texts))
    calls = tuple(_calls(message, content, before))
    return Reply(
        text=content,
        calls=calls,
        problem=None if calls else "there is no command in it",
        reasoning=text(message.get("reasoning_content")),
        finish_reason=text(at(choice, "finish_reason")),
        usage=used(at(whole, "usage")),
        model=text(at(whole, "model")),
    )


def _refused(response: Mapping[str, object], problem: str) -> Reply:
    """One whose message was not kept, but in the response that it came with."""
    message = at(next(objects(response.get("choices")), {}), "message")
    own = message if isinstance(message, dict) else response
    reply = _reply({**own, "extra": {"response": response}}, 0)
    wrong = tuple(call.model_copy(update={"problem": problem}) for call in reply.calls)
    return reply.model_copy(update={"calls": wrong, "problem": problem})


def _calls(message: Mapping[str, object], content: str, before: int) -> Iterator[Call]:
    """A call that is not among the actions was not run."""
    given = [*objects(message.get("tool_calls"))]
    given += [i for i in objects(message.get("output")) if i.get("type") == "function_call"]
    actions = at(message, "extra", "actions")
    ran = {text(action.get("tool_call_id")) for action in objects(actions)}
    for number, each in enumerate(given, start=before + 1):
        call_id = text(each.get("call_id")) or text(each.get("id"))
        function = each.get("function", each)
        own = arguments(at(function, "arguments"))
        call = called(number, call_id, text(at(function, "name")), own)
        is_run = actions is None or call_id in ran or call.problem
        yield call if is_run else call.model_copy(update={"problem": "it was not run"})
    for number, action in enumerate(() if given else objects(actions), start=before + 1):
        tool, command = text(action.get("tool")) or "bash", {"command": text(action.get("command"))}
        own = arguments(action["arguments"]) if "arguments" in action else command
        yield called(number, text(action.get("tool_call_id")), tool, own)
    commands = FENCED.findall(content) if actions is None and not given else []
    if len(commands) == 1:
        yield called(before + 1, "", "bash", {"command": commands[0].strip()})


def _observation(message: Mapping[str, object]) -> Observation:
    """Of -1 it says that the command was not run, or not to its end."""
    shown = said(message.get("content")) or said(message.get("output"))
    code: object = at(message, "extra", "returncode")
    if code is None and (found := RETURNED.match(shown)):
        code = int(found[1])
    why = text(at(message, "extra", "exception_info"))
    return Observation(
        call_id=text(message.get("tool_call_id")) or text(message.get("call_id")),
        text=shown,
        exit_code=code if isinstance(code, int) and code != -1 else None,
        timed_out="timed out" in why,
    )


def _when(message: Mapping[str, object]) -> datetime | None:
    return moment(at(message, "extra", "timestamp")) or moment(message.get("timestamp"))


def _stop(info: object, ended: str, steps: int) -> Stop | None:
    """It has one word for two limits; where the steps are not used up it is the other."""
    own = text(at(info, "swerun", "stop"))
    if own in set(Stop):
        return Stop(own)
    most = count(at(info, "config", "agent", "step_limit"))
    if ended != "LimitsExceeded" or most is None:
        return STOPS.get(ended)
    return Stop.STEPS if 0 < most <= steps else Stop.COST


def _peer(info: object) -> Peer:
    """Of what swerun wrote, all that it had; 0 is no limit to mini-swe-agent."""
    own = at(info, "swerun", "question")
    if isinstance(own, dict):
        return Peer({f"{part}.{name}": value for part in OWN for name, value in _items(own, part)})
    version, config = text(at(info, "mini_version")), at(info, "config")
    known: dict[str, JsonValue] = {"scaffold.agent": f"mini-swe-agent {version}".strip()}
    if not isinstance(config, dict):
        return Peer(known)
    if isinstance(kwargs := at(config, "model", "model_kwargs"), dict):
        known |= {f"sampling.{name}": kwargs.get(name) for name in SAMPLED}
    kind, agent = text(at(config, "model_type")).lower(), at(config, "agent")
    templates = [at(agent, f"{name}_template") for name in ("system", "instance")]
    if all(isinstance(each, str) for each in templates):
        told = json.dumps(templates).encode()
        known["scaffold.prompt_hash"] = hashlib.sha256(told).hexdigest()[:16]
    if (most := amount(at(agent, "cost_limit"))) is not None:
        known["limits.cost"] = most or None
    return Peer(
        known
        | {
            "scaffold.protocol": "text" if "textbased" in kind or version[:2] == "1." else "tools",
            "scaffold.tools": ["bash"],
            "scaffold.api": "responses" if "response" in kind else "chat",
            "limits.steps": count(at(agent, "step_limit")),
            "limits.seconds": count(at(agent, "wall_time_limit_seconds")),
            "limits.malformed": count(at(agent, "max_consecutive_format_errors")),
            "limits.command_seconds": amount(at(config, "environment", "timeout")),
            **dict.fromkeys(("limits.tokens", "limits.input_tokens", "limits.output_tokens")),
        }
    )


def _items(question: object, part: str) -> Iterator[tuple[str, JsonValue]]:
    section = at(question, part)
    yield from section.items() if isinstance(section, dict) else ()
