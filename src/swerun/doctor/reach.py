"""How much an endpoint reads and writes: its context as it is served, and its longest reply."""

from __future__ import annotations

from collections.abc import Callable

from swerun.doctor import limits
from swerun.doctor.asking import Examined, short
from swerun.doctor.finding import Finding, bad, good, poor, unknown
from swerun.doctor.limits import Told
from swerun.errors import ContextLengthError, EndpointBusyError, EndpointError
from swerun.models.probe import LEAST_TOKENS, LIMITS, QUESTION
from swerun.models.protocols import Wire
from swerun.ports import Message

ENOUGH = 32_768  # tokens: a step adds up to 2,500 (10,000 characters), and 12 of them are few
ABSURD = 10_000_000  # tokens: more than any endpoint gives, so that it says how many it would
DEEPEST = 131_072  # tokens of the largest prompt that is sent, where that is asked for
CONTEXT_ADVICE = (
    "Serve more: --max-model-len of vLLM, --context-length of SGLang, -c of llama.cpp (its slots, "
    "-np, share it), OLLAMA_CONTEXT_LENGTH of ollama."
)


def cap(who: Examined) -> Finding:
    """How long a reply may be. An absurd limit costs nothing: it is refused, in words that say
    which is not, or the reply is as short as the question wants it."""
    given = who.given
    if any(given.get(name) for name in LIMITS):
        return _taken(who, given)
    try:
        who.ask(QUESTION, who.limited(ABSURD))
    except EndpointBusyError as error:
        return unknown(who.about, "output", short(error))
    except EndpointError as error:
        who.told = _both(who.told, limits.of_refusal(_words(who, error), ABSURD))
    if who.told.cap:
        return good(who.about, "output", f"up to {who.told.cap:,} tokens in a reply")
    return unknown(who.about, "output", "no limit of its own: a reply ends with the context")


def _words(who: Examined, error: EndpointError) -> str:
    """The endpoint's own, without its address, whose port is a number too."""
    return str(error).removeprefix(who.model.endpoint.where).partition(": ")[2]


def _both(first: Told, second: Told) -> Told:
    """What either tells; where they differ the first is believed."""
    known = first if first.context else second
    return Told(known.context, first.cap or second.cap, known.where)


def _taken(who: Examined, given: Wire) -> Finding:
    asked = ", ".join(f"{name} {given[name]}" for name in LIMITS if given.get(name))
    try:
        who.ask(QUESTION, given)
    except EndpointBusyError as error:
        return unknown(who.about, "output", short(error))
    except EndpointError as error:
        return bad(who.about, "output", f"{asked}: {short(error)}", "Give a lower --max-tokens.")
    return good(who.about, "output", f"it takes {asked}")


def context(who: Examined) -> Finding:
    tokens, where = _served(who)
    if tokens is None and who.is_deep:
        return _plumbed(who)
    if tokens is None:
        hint = "--deep finds it out, with prompts of up to 131,072 tokens."
        return unknown(who.about, "context", "the server does not say how much it serves", hint)
    said = f"{tokens:,} tokens, by {where}"
    if tokens < ENOUGH:
        return poor(who.about, "context", said, CONTEXT_ADVICE)
    return good(who.about, "context", said)


def _served(who: Examined) -> tuple[int | None, str]:
    """The context as it is served, from whoever tells it best."""
    sources: tuple[Callable[[], Told], ...] = (
        lambda: limits.of_props(who.fetch_of_root("/props")),
        lambda: limits.of_running(who.fetch_of_root("/api/ps"), who.name),
        lambda: limits.of_loaded(who.fetch_of_root("/api/v0/models"), who.name),
        lambda: limits.of_modelfile(who.fetch_of_root("/api/show", {"model": who.name})),
    )
    if who.told.context:
        return who.told.context, who.told.where
    for source in sources:
        told = source()
        if told.context:
            return told.context, told.where
    return None, ""


def _plumbed(who: Examined) -> Finding:
    """By prompts of twice the length each time, until one is refused or is not read whole."""
    taken, size = 0, 4096
    while size <= DEEPEST:
        text = f"{who.mark}\n" + "a b c d e f g h " * (size // 8) + "\nSay ok."
        try:
            answer = who.ask(Message("user", text), who.limited(LEAST_TOKENS))
        except ContextLengthError:
            break
        except EndpointError as error:
            return unknown(who.about, "context", f"{taken:,} tokens and more: {short(error)}")
        read = answer.usage.input_tokens
        if read and read < size * 0.7:
            said = f"of a prompt of about {size:,} tokens it read {read:,}, without a word"
            return poor(who.about, "context", said, CONTEXT_ADVICE)
        taken, size = read or size, size * 2
    said = f"a prompt of {taken:,} tokens is taken, one of {size:,} is not tried or not taken"
    if taken < ENOUGH:
        return poor(who.about, "context", said, CONTEXT_ADVICE)
    return good(who.about, "context", said)
