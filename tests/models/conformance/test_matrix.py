"""Every endpoint as it is documented: each protocol, in one piece and as a stream, each failure.

A request with a field that the endpoint's documentation does not have is refused, and fails here.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from threading import Event
from typing import get_args

import pytest

from swerun.agent.tools import TOOLS
from swerun.errors import ContextLengthError, EndpointBusyError, EndpointError
from swerun.models.chat import ChatModel
from swerun.models.endpoints import Endpoint, refuse_unsendable
from swerun.models.exchange import connected
from swerun.models.presets import MODELS, PRESETS, preset_of, quirks_of
from swerun.ports import Message
from swerun.records import Sampling
from tests.models.conformance.script import TURNS, WRITTEN
from tests.models.conformance.server import WAIT, Failure, conforming
from tests.models.conformance.spec import Spec
from tests.models.conformance.specs import FIELD, SPECS

ASKED = (Message("system", "You fix issues."), Message("user", "It is broken: \u00e9."))
TEXTS = {"hermes": ("hermes", "text"), "qwen3_coder": ("qwen-xml", "text"), "none": ("text",)}
SOON = 0.05  # seconds, for what stalls


@dataclass(frozen=True, slots=True)
class Case:
    spec: Spec
    protocol: str
    api: str
    stream: bool

    def __str__(self) -> str:
        how = "stream" if self.stream else "whole"
        return f"{self.spec.name}, {self.protocol}, {self.api}, {how}"


def protocols(spec: Spec) -> tuple[str, ...]:
    return TEXTS.get(spec.tools, ("tools", "text"))


CASES = [
    Case(spec, protocol, api, stream)
    for spec in SPECS
    for protocol in protocols(spec)
    for api in (("chat", "responses") if spec.responses else ("chat",))
    for stream in ((True,) if spec.only_streams else (False, True))
]


def endpoint(case: Case, url: str, **given) -> Endpoint:
    quirks = quirks_of(preset_of(case.spec.prefix), case.spec.model)
    sampling = case.spec.sampling
    if case.api == "responses":
        sampling = sampling.model_copy(update={"seed": None})
    made = {
        "protocol": case.protocol,
        "api": case.api,
        # a model that only streams is found out by its name
        "stream": case.stream and not case.spec.only_streams,
        "sampling": sampling,
        "preset": case.spec.prefix,
        "quirks": quirks,
    }
    built = Endpoint(case.spec.model, url, **(made | given))
    refuse_unsendable(built)
    return built


@pytest.fixture(scope="module")
def at():
    """at(case, *failures) -> its server, from the beginning, and a client for it. One each for all
    tests: to make them takes longer than to ask."""
    with ExitStack() as open_:
        made = {}

        def begun(case, *failures):
            if case.spec.name not in made:
                server = open_.enter_context(conforming(case.spec))
                client = connected(Endpoint(case.spec.model, server.url))
                open_.callback(client.close)
                made[case.spec.name] = server, client
            server, client = made[case.spec.name]
            server.begin(case.protocol, *failures)
            return server, client

        yield begun


def ask(case, server, client, messages=ASKED, **given):
    model = ChatModel(endpoint(case, server.url, **given), client, TOOLS)
    return model.reply(messages, deadline=None, cancel=Event())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_conversation_is_held_and_nothing_is_sent_that_is_not_documented(case, at):
    server, client = at(case)
    model = ChatModel(endpoint(case, server.url), client, TOOLS)
    messages, replies = list(ASKED), []
    for _ in TURNS:
        reply = model.reply(messages, deadline=None, cancel=Event())
        replies.append(reply)
        messages.append(Message("assistant", reply.text, reply=reply))
        messages += [Message("tool", "a.py", call_id=call.id) for call in reply.calls]
    assert server.refusals == []
    assert server.asked == len(TURNS)
    for number, (reply, turn) in enumerate(zip(replies, TURNS, strict=True)):
        assert [(c.tool, dict(c.arguments), c.problem) for c in reply.calls] == [
            (turn.tool, dict(turn.arguments), None)
        ]
        usage = reply.usage
        assert (usage.input_tokens, usage.output_tokens, usage.unreported) == (100 + number, 20, 0)
        assert (usage.cached_tokens, usage.reasoning_tokens) == (64, 5)
        assert reply.model == case.spec.model
        said = turn.text if case.protocol == "tools" else WRITTEN[case.protocol](turn)
        assert reply.text == said
        shown = case.spec.reasoning or (case.api == "responses" and case.spec.seals)
        assert reply.reasoning == (turn.thought if shown else "")


FAILURES = [each for each in get_args(Failure) if each != "none"]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_fails_may_be_asked_once_more_and_nothing_of_it_is_kept(case, failure, at):
    server, client = at(case, failure)
    soon = {"stall_timeout": SOON} if case.stream else {"request_timeout": SOON}
    with pytest.raises(EndpointBusyError) as caught:
        ask(case, server, client, **(soon if failure == "stall" else {}))
    assert caught.value.wait == (float(WAIT) if failure == "rate limit" else None)
    if failure == "stall":
        assert ("in the middle of a reply" if case.stream else "Timeout") in str(caught.value)
    reply = ask(case, server, client)
    assert [call.tool for call in reply.calls] == ["bash"]
    assert reply.usage.total == 120
    assert (server.asked, server.served, server.refusals) == (2, 1, [])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_conversation_longer_than_the_context_is_said_to_be_so(case, at):
    long = (ASKED[0], Message("user", "word " * case.spec.context))
    with pytest.raises(ContextLengthError):
        ask(case, *at(case), long)


@pytest.mark.parametrize("case", [case for case in CASES if case.spec.output_cap], ids=str)
def test_a_limit_above_what_a_model_can_write_is_refused_in_its_words(case, at):
    with pytest.raises(EndpointError, match="at most 4096 completion tokens") as caught:
        ask(case, *at(case), sampling=Sampling(max_tokens=8192))
    assert not caught.value.retry


@pytest.mark.parametrize("case", [case for case in CASES if case.spec.only_streams], ids=str)
def test_a_model_that_only_streams_refuses_another_way_and_the_flag_is_named(case, at):
    as_if_unknown = preset_of(case.spec.prefix).quirks
    with pytest.raises(EndpointError, match=r"stream.* --stream") as caught:
        ask(case, *at(case), quirks=as_if_unknown)
    assert not caught.value.retry


@pytest.mark.parametrize("case", [case for case in CASES if case.spec.no_tools], ids=str)
def test_a_server_that_parses_no_tool_calls_refuses_them(case, at):
    with pytest.raises(EndpointError, match="tool"):
        ask(case, *at(case), protocol="tools")


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_a_server_that_is_asked_for_what_it_does_not_know_refuses_it(spec, at):
    """Else the whole matrix would prove nothing."""
    case = Case(spec, protocols(spec)[0], "chat", stream=bool(spec.only_streams))
    server, client = at(case)
    with pytest.raises(EndpointError):
        ask(case, server, client, sampling=Sampling(extra_body={"invented": 1}))
    assert "invented" in str(server.refusals)


def test_every_preset_and_every_model_with_quirks_of_its_own_is_in_the_table():
    assert {spec.prefix for spec in SPECS} == {preset.prefix for preset in PRESETS}
    for row in MODELS:
        usual = preset_of(row.prefixes[0]).quirks
        specs = [spec for spec in SPECS if spec.prefix in row.prefixes]
        assert any(quirks_of(preset_of(s.prefix), s.model) != usual for s in specs), row


@pytest.mark.parametrize("named", ["Qwen3-Coder-480B", "qwen3-coder-30b", "Qwen2.5-Coder",
    "Qwen-7B", "llama", "qwen3-omni-flash", "claude-3-5-sonnet", "gpt-4-turbo", "gpt-4-0613",
    "gpt-3.5-turbo"])  # fmt: skip
def test_the_models_of_the_fields_own_table_are_here(named):
    assert any(named.lower() in spec.model.lower() for spec in FIELD)
