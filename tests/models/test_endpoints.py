"""Which endpoint a name means, and which key goes there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from swerun.errors import InputError
from swerun.models.endpoints import Endpoint, refuse_unsendable, resolve
from swerun.models.presets import MODELS, PRESETS, Quirks, preset_of
from swerun.records import Sampling

KEYS = {preset.key: f"key of {preset.prefix}" for preset in PRESETS if preset.key}


def resolved(model, *, base_url=None, api_key_env=None, **environment):
    return resolve(model, base_url=base_url, api_key_env=api_key_env, environment=environment)


def test_with_a_base_url_the_name_is_sent_as_it_is_and_no_preset_applies():
    made = resolved("openai/gpt-oss-20b", base_url="http://localhost:9/v1/")
    assert (made.model, made.base_url) == ("openai/gpt-oss-20b", "http://localhost:9/v1")
    assert made.api_key is None


def test_a_base_url_comes_before_the_one_of_the_environment():
    made = resolved("m", base_url="http://a/v1", OPENAI_BASE_URL="http://b/v1")
    assert made.base_url == "http://a/v1"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.prefix)
def test_a_preset_sends_its_own_key_and_no_other(preset):
    made = resolved(f"{preset.prefix}/some/name", OPENAI_BASE_URL="http://b/v1", **KEYS)
    assert (made.model, made.base_url) == ("some/name", preset.base_url)
    assert made.api_key == (KEYS[preset.key] if preset.key else None)


@pytest.mark.parametrize("preset", [p for p in PRESETS if p.key], ids=lambda preset: preset.prefix)
@pytest.mark.parametrize("held", ["nothing", "", " \n"])
def test_a_preset_without_its_key_says_which_variable_is_missing(preset, held):
    others = {name: key for name, key in KEYS.items() if name != preset.key}
    environment = others if held == "nothing" else others | {preset.key: held}
    with pytest.raises(InputError, match=preset.key):
        resolved(f"{preset.prefix}/m", **environment)


@pytest.mark.parametrize("model", ["openai/m", "vllm/m", "some/m"])
def test_the_variable_that_is_named_is_the_one_whose_key_is_sent(model):
    given = {**KEYS, "MY_KEY": "mine", "OPENAI_BASE_URL": "http://b/v1"}
    assert resolved(model, api_key_env="MY_KEY", **given).api_key == "mine"


@pytest.mark.parametrize("base_url", [None, "http://a/v1"])
def test_a_variable_that_is_named_and_empty_is_refused(base_url):
    with pytest.raises(InputError, match="MY_KEY"):
        resolved("openai/m", base_url=base_url, api_key_env="MY_KEY", MY_KEY="", **KEYS)


@pytest.mark.parametrize("model", ["m", "Qwen/Qwen3-8B", "openai/", "openai"])
def test_where_no_preset_matches_the_endpoint_is_that_of_the_environment(model):
    made = resolved(model, OPENAI_BASE_URL="http://b:1/v1/", **KEYS)
    assert (made.model, made.base_url) == (model, "http://b:1/v1")
    assert made.api_key == KEYS["OPENAI_API_KEY"]


def test_an_endpoint_that_is_given_gets_the_usual_key_and_needs_none():
    assert resolved("m", base_url="http://a/v1", **KEYS).api_key == KEYS["OPENAI_API_KEY"]
    assert resolved("m", base_url="http://a/v1").api_key is None


@pytest.mark.parametrize("model", ["m", "Qwen/Qwen3-8B", "opneai/gpt", "openai/", ""])
def test_a_name_that_leads_nowhere_is_told_every_way_there_is(model):
    with pytest.raises(InputError) as caught:
        resolved(model, **KEYS)
    for way in ("--base-url", "OPENAI_BASE_URL", "gold", *(f"{p.prefix}/" for p in PRESETS)):
        assert way in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000/v1",
        "ftp://localhost/v1",
        "http://",
        "http:///v1",
        "http://:8000/v1",
        "http://[::1/v1",
        "http://localhost:port/v1",
        "http://localhost:99999/v1",
        "http://local host/v1",
    ],
)
def test_what_is_no_url_is_refused_with_the_shape_of_one(url):
    for given in ({"base_url": url}, {"OPENAI_BASE_URL": url}):
        with pytest.raises(InputError, match=r"http://localhost:8000/v1"):
            resolved("m", **given)


@pytest.mark.parametrize("written", ["sk-1\n", "sk-1\r\n", " sk-1 "])
def test_the_end_of_a_line_is_no_part_of_a_key(written):
    assert resolved("m", base_url="http://a/v1", OPENAI_API_KEY=written).api_key == "sk-1"


@pytest.mark.parametrize("key", ["sk\n1", "sk\u20111", "sk-\u00e4", "sk\x001"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(key):
    with pytest.raises(InputError, match="OPENAI_API_KEY") as caught:
        resolved("m", base_url="http://a/v1", OPENAI_API_KEY=key)
    assert key not in str(caught.value)


def test_hushing_takes_out_the_key_and_nothing_where_there_is_none():
    assert Endpoint("m", "u", api_key="sk-1").hushed("Bearer sk-1.") == "Bearer [the key]."
    assert Endpoint("m", "u").hushed("Bearer sk-1.") == "Bearer sk-1."


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://user:s3cret@host:8000/v1", "http://host:8000/v1"),
        ("https://s3cret@host/v1", "https://host/v1"),
        ("https://user:s3cret@[::1]:8000/v1", "https://[::1]:8000/v1"),
        ("https://host/v1?key=s3cret", "https://host/v1"),
        ("https://host/v1/@cf/models", "https://host/v1/@cf/models"),
    ],
)
def test_what_is_shown_of_an_endpoint_has_no_password_and_no_query(url, shown):
    made = resolved("m", base_url=url)
    assert (made.where, made.address) == (f"m at {shown}", shown)
    assert "s3cret" not in repr(made)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cret@host:port/v1",
        "http://user:s3/cret@host/v1",
        "user:s3cret@host:8000/v1",
        "http://local host/v1?key=s3cret",
        "http://local host/v1?key=a@s3cret",
        "http://user:pa?s3cret@local host/v1",
    ],
)
def test_a_password_in_what_is_no_url_is_not_repeated(url):
    with pytest.raises(InputError, match=r"http://localhost:8000/v1") as caught:
        resolved("m", base_url=url)
    assert "s3" not in str(caught.value)


def test_hushing_takes_out_every_secret_of_the_url_and_leaves_what_is_none():
    made = Endpoint("m", "http://user:p%40ss@h/v1?api-version=7&key=a1b2c3d4e5", api_key="sk-1")
    said = "user p@ss p%40ss dXNlcjpwQHNz a1b2c3d4e5 sk-1 7"
    assert made.hushed(said) == "user" + " [the key]" * 5 + " 7"
    assert Endpoint("m", "http://t0ken@h/v1").hushed("of t0ken") == "of [the key]"


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("localhost:8000", True),
        ("LOCALHOST", True),
        ("gpu.localhost", True),
        ("127.0.0.1:8000", True),
        ("127.9.9.9", True),
        ("user:pw@127.0.0.1:80", True),
        ("[::1]:8000", True),
        ("0.0.0.0:8000", True),
        ("localhost.example", False),
        ("mylocalhost", False),
        ("127.0.0.1.example", False),
        ("10.0.0.1", False),
        ("api.openai.com", False),
    ],
)
def test_an_endpoint_is_local_if_its_host_is_this_machine(host, is_local):
    assert Endpoint("m", f"http://{host}/v1").is_local is is_local


# quirks


@pytest.mark.parametrize("row", [*PRESETS, *MODELS], ids=str)
def test_every_row_says_where_it_is_documented(row):
    assert all("." in page and "/" in page for page in row.source.split(", "))


def test_quirks_go_with_the_host_however_somebody_came_to_it():
    mistral = preset_of("mistral")
    for made in (
        resolved("mistral/m", **KEYS),
        resolved("m", base_url=mistral.base_url),
        resolved("m", OPENAI_BASE_URL=mistral.base_url),
    ):
        assert (made.preset, made.quirks) == ("mistral", mistral.quirks)


@pytest.mark.parametrize("url", ["http://localhost:8000/v1", "https://models.example/v1"])
def test_what_is_no_presets_host_has_no_quirks(url):
    made = resolved("m", base_url=url)
    assert (made.preset, made.quirks) == ("", Quirks())


@pytest.mark.parametrize(
    ("model", "streams"),
    [
        ("dashscope/qwen3-omni-flash", True),
        ("dashscope-cn/qwen3-omni-flash-2025-09-15", True),
        ("dashscope/qwq-plus", True),
        ("dashscope/qwen3-235b-a22b-thinking-2507", True),
        ("dashscope/qwen3-coder-plus", False),
        ("vllm/Qwen/Qwen3-Omni-30B-A3B-Instruct", False),
    ],
)
def test_models_that_only_stream_are_known_by_their_names(model, streams):
    assert resolved(model, **KEYS).streams is streams


def test_whoever_wants_a_stream_gets_one():
    assert Endpoint("m", "http://h/v1", stream=True).streams
    assert not Endpoint("m", "http://h/v1").streams


@pytest.mark.parametrize(
    ("model", "given", "said"),
    [
        ("mistral/m", {"api": "responses"}, "mistral is asked by --api chat"),
        ("anthropic/m", {"sampling": Sampling(seed=1)}, r"sampling\.seed: anthropic"),
        ("anthropic/m", {"sampling": Sampling(reasoning_effort="low")}, r"sampling\.reasoning_eff"),
        (
            "openai/m",
            {"api": "responses", "sampling": Sampling(seed=0)},
            r"sampling\.seed: the Responses API",
        ),
        ("vllm/m", {"sampling": Sampling(extra_body={"stream": True})}, "`stream`"),
        ("vllm/m", {"sampling": Sampling(extra_body={"messages": []})}, "`messages`"),
    ],
)
def test_what_an_endpoint_would_refuse_or_pass_over_is_refused_before(model, given, said):
    with pytest.raises(InputError, match=said):
        refuse_unsendable(replace(resolved(model, **KEYS), **given))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.prefix)
def test_what_an_endpoint_takes_is_not_refused(preset):
    made = resolved(f"{preset.prefix}/m", **KEYS)
    sampling = Sampling(temperature=0, top_p=1, max_tokens=9, extra_body={"top_k": 1})
    for api in preset.apis:
        refuse_unsendable(replace(made, api=api, sampling=sampling))


def test_a_word_in_the_place_of_a_key_is_left_in_what_a_model_says():
    assert Endpoint("m", "u", api_key="EMPTY").hushed_reply("if EMPTY:") == "if EMPTY:"
    key = "sk-0123456789abcdef"
    assert Endpoint("m", "u", api_key=key).hushed_reply(f"if {key}:") == "if [the key]:"
