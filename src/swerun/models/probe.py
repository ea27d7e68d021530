"""Small requests that find out, before anything is started, whether an endpoint would do its work.

The first is what a run sends, tools and sampling and all, but for a question of a few words and a
lower limit on tokens. Where tools are offered the question asks for a call, and a call that comes
back as text shows a server that parses none. Where a limit was given, a second one carries it as
it is: one that is larger than the context has every request of a run refused. It ends after a few
seconds, because limits are checked before anything is written: an endpoint that is still writing
has taken it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from threading import Event
from typing import TYPE_CHECKING

from swerun.errors import ContextLengthError, EndpointBusyError, EndpointError
from swerun.models.chat import ChatModel
from swerun.models.completions import Completion
from swerun.models.endpoints import Endpoint
from swerun.models.protocols import Wire, protocol_of
from swerun.models.refusals import refusal
from swerun.ports import Message

if TYPE_CHECKING:
    from openai import APIStatusError

LONGEST = 120.0  # seconds: a server that loads its model on the first request takes a while
WRITING = 10.0  # seconds: one that has answered already refuses sooner
LEAST_TOKENS = 16  # the least that some endpoints take
LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
ALWAYS = ("model", "tools", "stream", "stream_options", "store", "include")  # sent by any run
QUESTION = Message("user", "Say ok.")
CALL = Message("user", "Call the tool `bash` with the command `true`. Say nothing else.")
ABOUT_LIMIT = re.compile(r"\bmax\w*[_ ](?:\w+[_ ])?tokens?\b|\btokens? limit", re.IGNORECASE)
ABOUT_TOOLS = re.compile(r"\btools?\b|\btool[_-]|--jinja", re.IGNORECASE)
ECHO = re.compile(r"""['"]input['"]\s*:""")  # pydantic's, of servers that repeat the whole request
NO_TOOLS = {400, 404, 422, 500, 501}  # vLLM and Ollama, OpenRouter, FastAPI, llama.cpp
TOOLS_HINT = (
    " --protocol text needs no tool calls of a server. They need --enable-auto-tool-choice "
    "--tool-call-parser NAME of vLLM, and --jinja of llama.cpp."
)
# the parsers' names: docs.vllm.ai/en/latest/features/tool_calling,
# docs.sglang.io/advanced_features/tool_parser
PARSERS = {
    "hermes": "vLLM: --enable-auto-tool-choice --tool-call-parser hermes; "
    "SGLang: --tool-call-parser qwen25; llama.cpp: --jinja",
    "qwen-xml": "vLLM: --enable-auto-tool-choice --tool-call-parser qwen3_coder; "
    "SGLang: --tool-call-parser qwen3_coder; llama.cpp: --jinja",
}


def probe(model: ChatModel, cancel: Event, *, writing: float = WRITING) -> str:
    """What there is to be said of the endpoint, if anything. Raises EndpointError, in the
    endpoint's words, for one that is not there or refuses.

    Anything that shows it is there and would do its work counts as an answer: also a rate limit,
    or a 400 about a limit on tokens that no request of the run carries. `writing` is how long, in
    seconds, a limit that was given is waited for to be refused.
    """
    given = model.settings()
    small = given | lowered(given, model.endpoint.limit)
    as_given = small == given
    answer = _ask(model, small, cancel, as_given=as_given)
    if not as_given and any(given.get(name) for name in LIMITS):
        _wait_for_refusal(model, given, cancel, writing)
    is_native = model.endpoint.protocol == "tools"
    return unparsed(protocol_of(answer.message)) if answer and is_native else ""


def unparsed(protocol: str) -> str:
    """What is to be said of a server that leaves calls of this format in a reply's text."""
    if protocol not in PARSERS:
        return ""
    return (
        f"the server does not parse the model's tool calls: they come as text, and are read from "
        f"it. Better let it parse them ({PARSERS[protocol]}), or say --protocol {protocol}."
    )


def lowered(given: Wire, usual: str) -> Wire:
    """The limits that were given, lowered; one of ours where none was."""
    limits = {name: given[name] for name in LIMITS if isinstance(given.get(name), int)}
    lowered = {name: min(limit, LEAST_TOKENS) for name, limit in limits.items()}
    return lowered or {usual: LEAST_TOKENS}


def _wait_for_refusal(model: ChatModel, given: Wire, cancel: Event, writing: float) -> None:
    from openai import APITimeoutError

    try:
        _ask(model, given, cancel, as_given=True, timeout=writing)
    except EndpointError as error:
        if not isinstance(error.__cause__, APITimeoutError | TimeoutError):
            raise


def _ask(
    model: ChatModel, given: Wire, cancel: Event, *, as_given: bool, timeout: float = LONGEST
) -> Completion | None:
    """The endpoint's answer; None where it is busy, or says no to what no other request holds."""
    from openai import APIStatusError

    endpoint = model.endpoint
    question = CALL if "tools" in given else QUESTION
    try:
        return model.ask([question], given, deadline=None, cancel=cancel, timeout=timeout)
    except EndpointError as said:
        error = said.__cause__
        if isinstance(error, APIStatusError):
            _judge(endpoint, error, given, as_given=as_given)
            return None
        raise translated(endpoint, said) from error


def translated(endpoint: Endpoint, said: EndpointError) -> EndpointError:
    """What went wrong with a first request, in words for somebody who has just given its address;
    statuses are left as they are."""
    from openai import APIConnectionError, APIStatusError

    error = said.__cause__
    if isinstance(error, APIConnectionError | TimeoutError):
        why = endpoint.hushed(str(error.__cause__ or error))
        return EndpointError(
            f"{endpoint.where} does not answer: {why.rstrip('.')}. "
            "Is the server running, and is this its address?"
        )
    if isinstance(said, EndpointBusyError) and not isinstance(error, APIStatusError):
        return EndpointError(f"{said}. Does the URL end in /v1?")  # a page, most often
    return said


def _judge(
    endpoint: Endpoint, error: APIStatusError, given: Mapping[str, object], *, as_given: bool
) -> None:
    """Raise what the run's own requests would be refused with."""
    status, text = error.status_code, ECHO.split(error.response.text)[0]
    said = refusal(endpoint, status, error.response.text, error.response.headers)
    if isinstance(said, ContextLengthError) or (status == 400 and ABOUT_LIMIT.search(text)):
        if as_given:
            limits = ", ".join(f"{name} {given[name]}" for name in LIMITS if name in given)
            raise EndpointError(f"{said} This run sends {limits}: see --max-tokens.") from error
    elif endpoint.protocol == "tools" and refuses_tools(status, text):
        raise EndpointError(f"{said}{TOOLS_HINT}") from error
    elif not isinstance(said, EndpointBusyError):
        ours = ", ".join(name for name in given if name not in {*LIMITS, *ALWAYS})
        hint = f" It was sent {ours}." if ours and status in {400, 422} else ""
        raise EndpointError(f"{said}{hint}") from error


def refuses_tools(status: int, text: str) -> bool:
    """Whether an error is about tools being offered at all."""
    return status in NO_TOOLS and bool(ABOUT_TOOLS.search(ECHO.split(text)[0]))
