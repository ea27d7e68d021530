"""A model's endpoint, examined by small requests: would a run get out of it what is in it?"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from difflib import get_close_matches
from threading import Event

from swerun.doctor import limits
from swerun.doctor.asking import Examined, short
from swerun.doctor.finding import Finding, bad, good, poor, unknown
from swerun.doctor.reach import cap, context
from swerun.errors import EndpointError, EndpointShutError
from swerun.models.chat import ChatModel
from swerun.models.completions import Completion
from swerun.models.decide import decided
from swerun.models.probe import LEAST_TOKENS, PARSERS, QUESTION, TOOLS_HINT, translated
from swerun.ports import Message

LINES = 200  # of a prompt that is long enough to be cached: OpenAI and others begin at 1,024 tokens
COUNTING = Message("user", "Count from 1 to 100 in digits, separated by spaces.")
COUNTED = 128  # tokens
CACHE_ADVICE = (
    "vLLM: --enable-prefix-caching, and --enable-prompt-tokens-details to have it reported. "
    "Without a cache each step is read from its beginning."
)


def examined(
    about: str, model: ChatModel, cancel: Event, *, mark: str, is_deep: bool = False
) -> Iterator[Finding]:
    """Each finding about a model as it is made. What keeps all else from being found out ends it.

    Raises CancelledError.
    """
    who = Examined(about, model, cancel, mark, is_deep)
    listing = yield from _listing(who)
    if listing is not None:
        yield _presence(who, listing)
        who.told = limits.of_entry(listing, limits.listed(listing, who.name) or who.name)
    answer = yield from _answer(who)
    if answer is None:
        return
    yield _calls(who)
    yield cap(who)
    yield context(who)
    yield _stream(who)
    yield _usage(who, answer)
    yield _cache(who)
    yield _speed(who)


def _listing(who: Examined) -> Generator[Finding, None, object]:
    """What models there are; None where it is not said."""
    try:
        listing = who.fetch("/models")
    except EndpointShutError as error:
        yield bad(who.about, "key", str(error))
        return None
    except EndpointError as error:
        yield unknown(who.about, "models", f"there is no list of its models: {short(error)}")
        return None
    return listing


def _presence(who: Examined, listing: object) -> Finding:
    there = limits.ids_in(listing)
    found = limits.listed(listing, who.name)
    if found:
        return good(who.about, "model", f"it is in the list of {len(there)}, as {found}")
    near = get_close_matches(who.name, there, n=3) or there[:3]
    return poor(
        who.about,
        "model",
        f"{who.name} is not in the list of {len(there)}",
        f"There are {', '.join(near) or 'none'}.",
    )


def _answer(who: Examined) -> Generator[Finding, None, Completion | None]:
    """The reply to the smallest question there is; None where none comes."""
    began = who.clock()
    try:
        answer = who.ask(QUESTION, who.limited(LEAST_TOKENS))
    except EndpointError as error:
        said = translated(who.model.endpoint, error)
        yield bad(who.about, "answer", str(said))
        return None
    seconds = who.clock() - began
    served = f", and calls itself {answer.model}" if answer.model not in {"", who.name} else ""
    yield good(who.about, "answer", f"it answers after {seconds:.2f} seconds{served}")
    return answer


def _calls(who: Examined) -> Finding:
    asked = replace(who.model, endpoint=replace(who.model.endpoint, protocol="tools"))
    try:
        protocol = decided(asked, who.cancel)
    except EndpointError as error:
        return unknown(who.about, "tool calls", short(error), "--protocol text needs none.")
    if protocol == "tools":
        return good(who.about, "tool calls", "the server parses them")
    if protocol == "text":
        return poor(who.about, "tool calls", "none came, or tools are refused", TOOLS_HINT.strip())
    return poor(
        who.about,
        "tool calls",
        f"they come as text ({protocol}): the server does not parse them",
        f"{PARSERS[protocol]}; or say --protocol {protocol}.",
    )


def _stream(who: Examined) -> Finding:
    """Whether replies come in parts, which lets a stalled one be noticed."""
    endpoint = replace(who.model.endpoint, stream=True)
    asked = replace(who, model=replace(who.model, endpoint=endpoint))
    try:
        answer = asked.ask(QUESTION, asked.limited(LEAST_TOKENS))
    except EndpointError as error:
        return poor(who.about, "stream", short(error), "Do without --stream.")
    counts = "without" if answer.usage.unreported else "with"
    only = "; it knows no other way" if endpoint.quirks.only_streams else ""
    return good(who.about, "stream", f"it streams, {counts} usage{only}")


def _usage(who: Examined, answer: Completion) -> Finding:
    if answer.usage.unreported:
        advice = "Tokens and cost of a run will not be known."
        return poor(who.about, "usage", "tokens are not reported", advice)
    usage = answer.usage
    said = (
        f"{usage.input_tokens} tokens read and {usage.output_tokens} written, of a small question"
    )
    return good(who.about, "usage", said)


def _cache(who: Examined) -> Finding:
    """The same prompt twice: of the second one the beginning should come out of a cache."""
    lines = "".join(f"{who.mark}: line {number} says nothing.\n" for number in range(LINES))
    prompt = Message("user", f"{lines}\nSay ok.")
    try:
        who.ask(prompt, who.limited(LEAST_TOKENS))
        usage = who.ask(prompt, who.limited(LEAST_TOKENS)).usage
    except EndpointError as error:
        return unknown(who.about, "prefix cache", short(error))
    if usage.cached_tokens:
        said = f"{usage.cached_tokens:,} of {usage.input_tokens:,} tokens came out of it"
        return good(who.about, "prefix cache", said)
    return unknown(who.about, "prefix cache", "no hit is reported", CACHE_ADVICE)


def _speed(who: Examined) -> Finding:
    began = who.clock()
    try:
        usage = who.ask(COUNTING, who.limited(COUNTED)).usage
    except EndpointError as error:
        return unknown(who.about, "speed", short(error))
    seconds = max(who.clock() - began, 1e-3)
    if not usage.output_tokens:
        return unknown(who.about, "speed", f"a short reply takes {seconds:.1f} seconds")
    speed = usage.output_tokens / seconds
    return good(who.about, "speed", f"{speed:.0f} tokens a second, of one conversation alone")
