"""A scripted turn as a response, in one piece and in parts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.models.conformance.rules import SEAL
from tests.models.conformance.script import WRITTEN, Turn, usage
from tests.models.conformance.spec import Spec

Wire = dict[str, Any]


def reply(spec: Spec, turn: Turn, number: int, protocol: str, *, sealed: bool) -> Wire:
    text = turn.text if protocol == "tools" else WRITTEN[protocol](turn)
    said = {"type": "output_text", "text": text, "annotations": []}
    output: list[Wire] = []
    if spec.seals or spec.reasoning:
        summary = [{"type": "summary_text", "text": turn.thought}]
        output.append({"type": "reasoning", "id": f"rs_{number}", "summary": summary})
        if sealed:
            output[-1]["encrypted_content"] = SEAL.format(number)
    message = {"type": "message", "role": "assistant", "status": "completed", "content": [said]}
    output.append({"id": f"msg_{number}", **message})
    if protocol == "tools":
        call = {"call_id": f"call-{number}", "name": turn.tool, "arguments": turn.json}
        kind = {"type": "function_call", "status": "completed"}
        output.append({"id": f"fc_{number}", **kind, **call})
    used = usage(number)
    return {
        "id": f"resp_{number}",
        "object": "response",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "model": spec.model,
        "output": output,
        "usage": {
            "input_tokens": used["prompt_tokens"],
            "input_tokens_details": used["prompt_tokens_details"],
            "output_tokens": used["completion_tokens"],
            "output_tokens_details": used["completion_tokens_details"],
        },
    }


def parts(spec: Spec, response: Mapping[str, Any], *, asked: bool) -> Iterator[str]:
    """platform.openai.com/docs/api-reference/responses-streaming"""
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    yield _event("response.created", response=begun)
    yield _event("response.in_progress", response=begun)
    for index, item in enumerate(response["output"]):
        yield _event("response.output_item.added", output_index=index, item=item)
        yield _event("response.output_text.delta", output_index=index, delta="...")
        yield _event("response.output_item.done", output_index=index, item=item)
    yield _event("response.completed", response=response)


def _event(kind: str, **more: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"
