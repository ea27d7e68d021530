"""Which protocol an endpoint's model and server speak together, found out by one request.

Tools are offered, and the question can only be answered by a call. A call that the server parsed
is native; one in the text of the reply has the model's own format, which its prompt may then show;
where tools are refused, or answered by mere words, fenced text is left.
"""

from __future__ import annotations

from threading import Event

from swerun.errors import CancelledError, EndpointBusyError, EndpointError
from swerun.models.chat import ChatModel
from swerun.models.probe import ABOUT_LIMIT, CALL, LIMITS, refuses_tools, translated
from swerun.models.protocols import protocol_of

ROOM = 2048  # tokens: a model that thinks first needs some before it comes to the call
TRIES = 5
LONGEST = 60.0  # seconds of one wait for an endpoint that is busy


def decided(model: ChatModel, cancel: Event) -> str:
    """The protocol's name; `model` is asked as one that speaks `tools`.

    Raises EndpointError where the answer says nothing, or none comes.
    """
    given = model.settings()
    has_limit = any(given.get(name) for name in LIMITS)
    asked = given if has_limit else given | {model.endpoint.limit: ROOM}
    for number in range(TRIES):
        try:
            answer = model.ask([CALL], asked, deadline=None, cancel=cancel)
        except EndpointError as error:
            if _refuses(error):
                return "text"
            if asked is not given and _is_about_limit(error):
                asked = given
                continue
            _wait_or_raise(model, error, number, cancel)
            continue
        protocol = protocol_of(answer.message)
        if protocol == "text" and answer.finish == "length":
            break
        return protocol
    raise EndpointError(
        f"--protocol auto: {model.endpoint.where} did not come to an answer that shows whether it "
        "calls tools. Say --protocol tools, text, hermes or qwen-xml."
    )


def _wait_or_raise(model: ChatModel, error: EndpointError, number: int, cancel: Event) -> None:
    from openai import APIStatusError

    is_busy = isinstance(error, EndpointBusyError) and isinstance(error.__cause__, APIStatusError)
    if not is_busy:
        raise translated(model.endpoint, error) from error
    wait = getattr(error, "wait", None)
    if cancel.wait(min(LONGEST, 2.0**number if wait is None else wait)):
        raise CancelledError("the run was stopped while an endpoint was busy")


def _refuses(error: EndpointError) -> bool:
    from openai import APIStatusError

    cause = error.__cause__
    return isinstance(cause, APIStatusError) and refuses_tools(
        cause.status_code, cause.response.text
    )


def _is_about_limit(error: EndpointError) -> bool:
    from openai import APIStatusError

    cause = error.__cause__
    if not isinstance(cause, APIStatusError) or cause.status_code != 400:
        return False
    return bool(ABOUT_LIMIT.search(cause.response.text))
