"""The shapes of requests, and nothing beside: what a server knows no field for is refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, create_model

from tests.models.conformance.spec import Spec


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Function(Strict):
    name: str
    arguments: str


class Call(Strict):
    id: str = Field(min_length=1)
    type: Literal["function"]
    function: Function


class Said(Strict):
    """A system's or a user's message."""

    role: Literal["system", "user"]
    content: str


class Result(Strict):
    role: Literal["tool"]
    tool_call_id: str
    content: str


class Offered(Strict):
    name: str
    description: str
    parameters: dict[str, Any]


class ToolOnOffer(Strict):
    type: Literal["function"]
    function: Offered


class UsageAsked(Strict):
    include_usage: Literal[True]


TYPES: dict[str, Any] = {
    "model": str,
    "stream": bool,
    "tools": Annotated[list[ToolOnOffer], Field(min_length=1)],
    "temperature": float | int,
    "top_p": float | int,
    "max_tokens": int,
    "max_completion_tokens": int,
    "seed": int,
    "random_seed": int,
    "reasoning_effort": str,
    "stream_options": UsageAsked,
}


def _role(message: Any) -> str:
    role = str(message.get("role"))
    return role if role in {"assistant", "tool"} else "said"


def chat_request(spec: Spec) -> type[BaseModel]:
    """The requests that the endpoint of `spec` takes."""
    own = dict.fromkeys([*spec.assistant_takes], (Any, None))
    call = create_model("Call", __base__=Call, **dict.fromkeys(spec.call_extra, (Any, None)))
    assistant = create_model(
        "Assistant",
        __base__=Strict,
        role=(Literal["assistant"], ...),
        content=(str | None, None),
        tool_calls=(Annotated[list[call], Field(min_length=1)] | None, None),  # type: ignore[valid-type]
        **own,
    )
    message = Annotated[
        Annotated[assistant, Tag("assistant")]  # type: ignore[valid-type]
        | Annotated[Result, Tag("tool")]
        | Annotated[Said, Tag("said")],
        Discriminator(_role),
    ]
    fields = {name: (TYPES[name], None) for name in spec.takes - {"model", "messages"}}
    return create_model(
        "Request", __base__=Strict, model=(str, ...), messages=(list[message], ...), **fields
    )


class OutputText(Strict):
    type: Literal["output_text"]
    text: str
    annotations: list[Any]


class MessageItem(Strict):
    type: Literal["message"]
    role: Literal["system", "user", "assistant"]
    content: str | list[OutputText]
    id: str | None = None
    status: str | None = None


class CallItem(Strict):
    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: str | None = None


class ResultItem(Strict):
    type: Literal["function_call_output"]
    call_id: str
    output: str


class ReasoningItem(Strict):
    type: Literal["reasoning"]
    id: str
    summary: list[Any]
    content: list[Any] | None = None
    encrypted_content: str | None = None
    status: str | None = None


class Effort(Strict):
    effort: str


class FunctionTool(Offered):
    type: Literal["function"]
    strict: bool  # by default it is true, and then the schema has to be more than it is


Item = Annotated[MessageItem | CallItem | ResultItem | ReasoningItem, Field(discriminator="type")]


class ResponsesRequest(Strict):
    """platform.openai.com/docs/api-reference/responses/create"""

    model: str
    input: list[Item]
    store: Literal[False]
    tools: list[FunctionTool] | None = None
    include: list[Literal["reasoning.encrypted_content"]] | None = None
    temperature: float | int | None = None
    top_p: float | int | None = None
    max_output_tokens: int | None = None
    reasoning: Effort | None = None
    stream: bool = False
