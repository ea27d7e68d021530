"""OpenHands' events, read as replies and what came of them.

Of its SDK (openhands/sdk/event at 1.11) they have a `kind`, and those of one reply one
`llm_response_id`; of before that (openhands/events/serialization/event.py) they are an `action` or
an `observation`, and those of one reply have one `tool_call_metadata.model_response.id`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from swerun.exchange.told import Turn, called, used
from swerun.exchange.values import arguments, at, count, moment, objects, said, text
from swerun.records import Observation, Reply, Usage

Event = Mapping[str, object]

# of before the SDK: what is no reply's doing
NO_REPLY = {
    "system",
    "recall",
    "change_agent_state",
    "condensation",
    "condensation_request",
    "null",
}
ARGUMENTS = ("command", "path", "code", "content", "file_text", "old_str", "new_str", "view_range")
SEEN = {"ObservationEvent", "AgentErrorEvent", "UserRejectObservation"}


@dataclass(slots=True)
class Reading:
    """Events in their order, as far as they were read."""

    usages: Mapping[str, Usage]  # by reply
    turns: list[Turn] = field(default_factory=list)
    replies: dict[str, Turn] = field(default_factory=dict)  # by id
    calls: dict[str, Turn] = field(default_factory=dict)
    actions: dict[str, str] = field(default_factory=dict)  # the call of each, by its number

    def add(self, event: Event) -> None:
        kind = text(event.get("kind"))
        if kind == "ActionEvent":
            self._called(event)
        elif kind == "MessageEvent":
            self._message(event, said(at(event, "llm_message", "content")))
        elif kind in SEEN:
            self._saw(event)
        elif not kind and isinstance(event.get("action"), str):
            self._acted(event)
        elif not kind and isinstance(event.get("observation"), str):
            self._observed(event)

    def _called(self, event: Event) -> None:
        own = at(event, "tool_call", "arguments")
        turn = self._turn(text(event.get("llm_response_id")), event, said(event.get("thought")))
        reasoning = text(event.get("reasoning_content"))
        self._call(turn, text(event.get("tool_call_id")), text(event.get("tool_name")), own)
        if reasoning:
            turn.reply = turn.reply.model_copy(update={"reasoning": reasoning})

    def _message(self, event: Event, content: str) -> None:
        """Of the agent, a reply without a call; of the user, after one, what it came to."""
        if event.get("source") == "agent":
            turn = self._turn(text(event.get("llm_response_id")), event, content)
            turn.reply = turn.reply.model_copy(update={"problem": "there is no call in it"})
        elif event.get("source") == "user" and self.turns:
            self.turns[-1].see(Observation(call_id="", text=content))

    def _saw(self, event: Event) -> None:
        seen = event.get("observation")
        content = said(at(seen, "content")) or text(at(seen, "output"))
        content = content or text(event.get("error")) or text(event.get("rejection_reason"))
        self._see(text(event.get("tool_call_id")), content, seen)

    def _acted(self, event: Event) -> None:
        action = text(event.get("action"))
        if action in NO_REPLY:
            return
        if action == "message":
            self._message(event, text(at(event, "args", "content")))
            return
        if event.get("source") != "agent":
            return
        metadata = event.get("tool_call_metadata")
        response = at(metadata, "model_response")
        choice = next(objects(at(response, "choices")), {})
        content = said(at(choice, "message", "content")) or text(at(event, "args", "thought"))
        turn = self._turn(text(at(response, "id")), event, content)
        if isinstance(response, dict):
            told = {"usage": used(at(response, "usage")), "model": text(at(response, "model"))}
            turn.reply = turn.reply.model_copy(update=told)
        call_id = text(at(metadata, "tool_call_id"))
        asked = [
            at(call, "function", "arguments")
            for call in objects(at(choice, "message", "tool_calls"))
            if call.get("id") == call_id
        ]
        own = {k: at(event, "args", k) for k in ARGUMENTS if at(event, "args", k) is not None}
        name = text(at(metadata, "function_name")) or action
        made = self._call(turn, call_id, name, asked[0] if asked else own)
        self.actions[str(event.get("id"))] = made

    def _observed(self, event: Event) -> None:
        call_id = text(at(event, "tool_call_metadata", "tool_call_id"))
        call_id = call_id or self.actions.get(str(event.get("cause")), "")
        self._see(call_id, text(event.get("content")), event.get("extras"))

    def _turn(self, reply_id: str, event: Event, content: str) -> Turn:
        """That of the reply, which several events may be of."""
        if reply_id and reply_id in self.replies:
            return self.replies[reply_id]
        usage = self.usages.get(reply_id, Usage(unreported=1))
        turn = Turn(Reply(text=content, usage=usage), moment(event.get("timestamp")))
        self.turns.append(turn)
        if reply_id:
            self.replies[reply_id] = turn
        return turn

    def _call(self, turn: Turn, call_id: str, name: str, own: object) -> str:
        call = called(len(self.calls) + 1, call_id, name, arguments(own))
        turn.reply = turn.reply.model_copy(update={"calls": (*turn.reply.calls, call)})
        self.calls[call.id] = turn
        return call.id

    def _see(self, call_id: str, content: str, seen: object) -> None:
        turn = self.calls.get(call_id) or (self.turns[-1] if self.turns and not call_id else None)
        if turn is None:  # of what nobody called
            return
        code = count(at(seen, "exit_code"))
        code = count(at(seen, "metadata", "exit_code")) if code is None else code
        late = at(seen, "timeout") is True
        turn.see(Observation(call_id=call_id, text=content, exit_code=code, timed_out=late))
