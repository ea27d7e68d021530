"""Who is measured: what a name resolves to, what is asked of an endpoint and when."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Event

import pytest

from swerun.config import load_config
from swerun.entrants import AUTO, Setting, entrant
from swerun.errors import EndpointError, InputError
from swerun.models.governor import Governors
from swerun.models.recording import recordings
from swerun.records import Limits
from tests.models.endpoint import Said, chunk, completion, parts, refused
from tests.models.test_tagged import HERMES

DEMO = "demo/handwritten"
RECORDED = recordings()["handwritten"]


@pytest.fixture
def made():
    """made(name, flag=value, ...) -> the entrant; a double underscore is a dot."""
    with ExitStack() as open_:

        def make(name, *others, **flags):
            given = {key.replace("__", "."): value for key, value in flags.items()}
            config = load_config(None, {"model": (name, *others), **given})
            governors = Governors(config.jobs, config.endpoint_patience)
            return entrant(name, Setting(config, {}, open_, governors, Event()))

        yield make


@pytest.mark.parametrize("name", ["gold", "empty", DEMO])
def test_what_needs_no_endpoint_of_the_users_has_nothing_to_be_checked(name, made):
    made(name).check()


def test_an_endpoint_is_asked_by_its_check_and_not_before(made, serve):
    server = serve(completion())
    who = made("m", base_url=server.url, sampling__temperature=0.5)
    assert who.base_url == f"{server.url} as m"
    assert server.asked == []
    who.check()
    assert server.asked[0].body["temperature"] == 0.5
    assert server.asked[0].body["tools"]


def test_an_endpoint_that_refuses_is_found_out_by_its_check(made, serve):
    who = made("m", base_url=serve(refused(401, "Wrong key.")).url)
    with pytest.raises(EndpointError, match="Wrong key"):
        who.check()


def test_what_there_is_to_be_said_of_an_endpoint_comes_from_its_check(made, serve):
    content = "<tool_call>\n<function=bash>"
    who = made("m", base_url=serve(completion({"content": content})).url)
    assert "does not parse" in who.check()


def test_of_auto_the_endpoint_is_asked_once_and_the_protocol_is_part_of_the_question(made, serve):
    server = serve(completion({"role": "assistant", "content": HERMES}))
    who = made("m", base_url=server.url, protocol="auto")
    assert server.asked == []
    settled = who.undecided.by(who.undecided.ask())
    assert len(server.asked) == 1
    assert settled.scaffold.protocol == "hermes"
    assert settled.scaffold == made("m", base_url=server.url, protocol="hermes").scaffold
    assert settled.note == f"protocol hermes, {AUTO}"
    assert settled.undecided is None


def test_auto_is_no_matter_of_a_recording(made):
    assert made(DEMO, protocol="auto").undecided is None


def test_a_name_that_leads_nowhere_is_found_out_without_asking_anybody(made):
    with pytest.raises(InputError, match="--base-url"):
        made("whatever")


def test_the_password_of_a_url_is_not_in_what_is_stored(made):
    who = made("m", base_url="http://user:s3cret@host:8000/v1?key=s3cret")
    assert who.base_url == "http://host:8000/v1 as m"
    assert "s3cret" not in repr(who)


SET = {
    "limits__steps": 3,
    "limits__tokens": 99,
    "limits__seconds": 99.0,
    "limits__command_seconds": 9.0,
    "limits__malformed": 2,
    "limits__observation_chars": 500,
    "sampling__temperature": 0.5,
    "sampling__top_p": 0.5,
    "sampling__max_tokens": 99,
    "sampling__seed": 1,
    "sampling__reasoning_effort": "low",
    "sampling__extra_body": {"top_k": 1},
    "protocol": "text",
    "limits__input_tokens": 99,
    "limits__output_tokens": 99,
    "limits__cost": 9.0,
    "limits__context": 9999,
    "tools": "bash,edit",
    "agent": "some:agent",
    "no_tell_limits": True,
}


@pytest.mark.parametrize("flag", SET)
def test_what_a_recording_sets_is_refused_and_named_where_it_is_given(flag, made):
    with pytest.raises(InputError, match=f"{DEMO}: the recording sets {flag.replace('__', '.')};"):
        made(DEMO, "gold", **{flag: SET[flag]})


def test_a_prompt_is_refused_by_a_recording_and_named_with_all_else(made, tmp_path):
    with pytest.raises(InputError, match=r"sets limits\.steps, sampling\.seed, prompt;"):
        made(DEMO, prompt=tmp_path / "p.md", limits__steps=3, sampling__seed=1)


def test_what_is_given_as_the_recording_has_it_is_not_refused(made):
    steps, protocol = RECORDED.limits.steps, RECORDED.protocol
    assert made(DEMO, limits__steps=steps, protocol=protocol).limits.steps == steps


def test_what_is_no_matter_of_a_recording_is_as_given(made):
    who = made(DEMO, limits__eval_seconds=77.0, resources__memory="1g", jobs=2)
    assert who.limits == RECORDED.limits.model_copy(update={"eval_seconds": 77.0})


def test_what_is_meant_for_a_live_model_is_not_meant_for_the_recording_beside_it(made):
    flags = {"limits__steps": 3, "sampling__seed": 1, "base_url": "http://host/v1"}
    beside = made(DEMO, "some-model", **flags)
    assert (beside.limits, beside.sampling) == (RECORDED.limits, RECORDED.sampling)
    assert beside.note.endswith("; limits.steps, sampling.seed as recorded")
    live = made("some-model", DEMO, **flags)
    assert (live.limits, live.sampling.seed) == (Limits(steps=3), 1)


def test_a_prompt_that_cannot_be_used_is_found_out_before_anybody_is_asked(made, tmp_path):
    (tmp_path / "p.md").write_text("{{ answer }}")
    with pytest.raises(InputError, match="'answer' is undefined"):
        made("m", base_url="http://host/v1", prompt=tmp_path / "p.md")


def test_how_an_endpoint_is_asked_is_as_the_flags_say(made, serve):
    server = serve(Said({"object": "response", "output": []}))
    flags = {"api": "responses", "sampling__reasoning_effort": "low"}
    who = made("m", base_url=server.url, **flags)
    assert who.scaffold.api == "responses"
    who.check()
    assert server.asked[0].path == "/v1/responses"
    assert server.asked[0].body["reasoning"] == {"effort": "low"}


def test_an_endpoint_may_be_asked_for_streams(made, serve):
    server = serve(parts(chunk("stop", content="Done.")))
    made("m", base_url=server.url, stream=True).check()
    assert server.asked[0].body["stream"] is True


def test_what_an_endpoint_has_no_word_for_is_found_out_without_asking_it(made):
    with pytest.raises(InputError, match=r"sampling\.seed"):
        made("m", base_url="https://api.anthropic.com/v1", sampling__seed=1)


LOCAL = "http://localhost:8000/v1"
PRICES = {"prices__input": 1, "prices__output": 2}


def test_the_toolset_is_offered_to_the_model_and_in_the_scaffold(made, serve):
    server = serve(completion())
    who = made("m", base_url=server.url, tools="bash,edit")
    who.check()
    offered = [tool["function"]["name"] for tool in server.asked[0].body["tools"]]
    assert offered == ["bash", "edit", "submit"]
    assert who.scaffold.tools == ("bash", "edit", "submit")
    assert who.scaffold.prompt_hash != made("m", base_url=server.url).scaffold.prompt_hash


def test_the_editor_and_fenced_text_exclude_each_other_also_where_the_protocol_is_found_out(made):
    with pytest.raises(InputError, match="--tools bash,edit: in the protocol text"):
        made("m", base_url=LOCAL, tools="bash,edit", protocol="text")
    undecided = made("m", base_url=LOCAL, tools="bash,edit", protocol="auto").undecided
    assert "text" not in undecided.protocols
    assert {undecided.by(protocol).scaffold.protocol for protocol in undecided.protocols} == {
        "tools",
        "hermes",
        "qwen-xml",
    }


@pytest.mark.parametrize(
    ("name", "base_url", "source"),
    [
        ("gpt-4o", "https://api.openai.com/v1", "openai/gpt-4o"),
        ("gpt-4o", LOCAL, None),  # whatever is called so there
        ("no-such-model-at-all", "https://api.openai.com/v1", None),
        ("gpt-4o", "https://nobody.example/v1", None),
    ],
)
def test_the_list_of_prices_is_asked_for_the_endpoint_and_its_model(made, name, base_url, source):
    price = made(name, base_url=base_url).price
    if source is None:
        assert price is None
    else:
        assert price.source.startswith("genai-prices ")
        assert price.source.endswith(source)
        assert 0 < price.cached < price.input < price.output


def test_a_price_that_was_given_counts_before_any_list(made):
    price = made("gpt-4o", base_url="https://api.openai.com/v1", **PRICES).price
    assert (price.input, price.output, price.cached) == (1, 2, None)
    assert price.source == "flags or a configuration"


@pytest.mark.parametrize(("key", "flag"), [("limits__cost", "--cost"), ("budget", "--budget")])
def test_a_limit_in_dollars_needs_a_price(made, key, flag):
    with pytest.raises(InputError, match=f"{flag}: nobody knows what m at {LOCAL} costs"):
        made("m", base_url=LOCAL, **{key: 5.0})
    assert made("m", base_url=LOCAL, **{key: 5.0}, **PRICES).price.output == 2
    for free in ("gold", DEMO):
        assert made(free, **({} if key == "limits__cost" else {key: 5.0})).price.output == 0


COMMAND = "command:/opt/agent --fix"


def test_an_agent_that_is_a_command_is_part_of_the_question_and_warns_without_a_network(made):
    who = made("m", base_url=LOCAL, agent=COMMAND)
    assert (who.scaffold.agent, who.scaffold.protocol) == (COMMAND, "none")
    assert "--network host" in who.check()
    assert made("m", base_url=LOCAL, agent=COMMAND, network="host").check() == ""


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"agent": "command:X_KEY=sk-0123456789abcdef0123 run"}, "there is a key in the command"),
        ({"agent": COMMAND, "tools": "bash,edit"}, "leave out --prompt, --tools"),
        ({"agent": COMMAND, "budget": 5.0, **PRICES}, "--budget: only its endpoint knows"),
        ({"agent": "nowhere_at_all:agent"}, "cannot be imported"),
        ({"agent": "neither"}, "agent: String should match pattern"),
        ({"agent": "command:"}, "agent: String should match pattern"),
    ],
)
def test_an_agent_that_cannot_be_is_refused(made, flags, said):
    with pytest.raises(InputError, match=said):
        made("m", base_url=LOCAL, **flags)
