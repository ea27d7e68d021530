"""The models file: what it says, what is refused, and what becomes of it in a run."""

from __future__ import annotations

from contextlib import ExitStack
from threading import Event

import pytest

from swerun.config import load_config
from swerun.entrants import Setting, entrant
from swerun.errors import InputError
from swerun.models.governor import Governors
from swerun.models_file import load_models
from swerun.records import Sampling
from tests.models.endpoint import answering, completion

FULL = """
- name: qwen-here
  model: Qwen/Qwen3-Coder-30B-A3B-Instruct
  base_url: http://localhost:8000/v1
  key: MY_KEY
  protocol: qwen-xml
  api: chat
  stream: true
  sampling: {temperature: 0.7, top_p: 0.8, reasoning_effort: low}
  extra_body: {top_k: 20}
  context: 262144
  prices: {input: 0.5, cached_input: 0.1, output: 2}
  limits: {rpm: 60, tpm: 100000}
- name: openai/gpt-4-turbo
"""


@pytest.fixture
def file(tmp_path):
    """file(text) -> the path of a models file that holds it."""

    def written(text):
        path = tmp_path / "models.yaml"
        path.write_text(text)
        return path

    return written


@pytest.fixture
def made(file):
    """made(text, model, flag=value, ...) -> the entrant of that name; __ is a dot."""
    with ExitStack() as open_:

        def make(text, name, *others, **flags):
            given = {key.replace("__", "."): value for key, value in flags.items()}
            environment = given.pop("environment", {})
            config = load_config(None, {"model": (name, *others), "models": file(text), **given})
            governors = Governors(4, 60.0)
            return entrant(name, Setting(config, environment, open_, governors, Event()))

        yield make


def test_all_that_an_entry_can_say_is_read(file):
    entry, other = load_models(file(FULL))
    assert (entry.asked_for, entry.key, entry.stream) == (
        "Qwen/Qwen3-Coder-30B-A3B-Instruct",
        "MY_KEY",
        True,
    )
    assert (entry.context, entry.prices.output, entry.limits.rpm) == (262_144, 2, 60)
    assert other.asked_for == "openai/gpt-4-turbo"
    assert other.stream is None


def test_without_a_model_all_of_the_file_are_meant_and_with_one_those_that_are_named(file):
    path = file(FULL)
    assert load_config(None, {"models": path}).model == ("qwen-here", "openai/gpt-4-turbo")
    some = load_config(None, {"models": path, "model": ("gold", "qwen-here")})
    assert some.model == ("gold", "qwen-here")
    assert len(some.models) == 2


def test_the_file_may_be_named_in_the_configuration(file, tmp_path):
    configuration = tmp_path / "c.yaml"
    configuration.write_text(f"models: {file(FULL)}\n")
    assert len(load_config(configuration, {}).models) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- name: a\n  bas_url: http://h/v1\n", r"entry 1 \(a\): bas_url: .*did you mean base_url"),
        ("- name: a\n- nmae: b\n", r"entry 2: nmae: .*did you mean name"),
        ("- name: a\n  sampling: {temprature: 1}\n", r"did you mean sampling\.temperature"),
        ("- name: a\n  limits: {rpn: 1}\n", r"did you mean limits\.rpm"),
        ("- name: a\n  prices: {input: 1}\n", r"prices\.output: Field required"),
        ("- name: a\n  api: soap\n", r"entry 1 \(a\): api: .*got 'soap'"),
        ("- name: a\n  key: my key\n", r"entry 1 \(a\): key: "),
        ("- text\n", "entry 1: "),
        ("- name: a\n- name: a\n", "two models called 'a'"),
        ("name: a\n", "is not a list of models"),
        ("[]\n", "is not a list of models"),
        ("- [\n", "cannot be read"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_its_entry(text, said, file):
    path = file(text)
    with pytest.raises(InputError, match=said) as caught:
        load_config(None, {"models": path})
    assert str(path) in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        load_config(None, {"models": tmp_path / "nowhere.yaml"})


SECRETS = {
    "key": "sk-or-v1-a1B2c3D4e5F6g7H8",
    "key: ": "gsk_a1B2c3D4e5F6g7H8i9J0k1",
    "base_url": "http://user:pa55word@host/v1",
    "base_url: ": "http://host/v1?key=a1b2c3d4e5f6",
    "model": "sk-proj-a1B2c3D4e5F6g7H8i9J0",
}


@pytest.mark.parametrize(("where", "secret"), SECRETS.items(), ids=SECRETS)
def test_a_secret_in_the_file_is_refused_and_not_repeated(where, secret, file):
    path = file(f"- name: a\n  {where.rstrip(': ')}: {secret}\n")
    with pytest.raises(InputError, match="looks like a secret") as caught:
        load_models(path)
    assert secret not in str(caught.value)


def test_a_secret_deep_in_an_extra_body_is_refused(file):
    text = "- name: a\n  extra_body: {auth: [{token: sk-a1B2c3D4e5F6g7H8i9J0}]}\n"
    with pytest.raises(InputError, match=r"extra_body\.auth\.token: this looks like a secret"):
        load_models(file(text))


@pytest.mark.parametrize(
    "name", ["Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8", "gpt-4-turbo-2024-04-09", "claude-3-5"]
)
def test_the_name_of_a_model_is_no_secret(name, file):
    assert load_models(file(f"- name: {name}\n"))[0].name == name


# in a run


def test_an_entry_becomes_an_entrant_with_what_it_says(made):
    who = made(FULL, "qwen-here", environment={"MY_KEY": "secret"}, protocol="text")
    assert who.name == "qwen-here"
    assert who.base_url == "http://localhost:8000/v1 as Qwen/Qwen3-Coder-30B-A3B-Instruct"
    assert who.asked_for == "Qwen/Qwen3-Coder-30B-A3B-Instruct"
    assert who.scaffold.protocol == "qwen-xml"
    assert who.sampling == Sampling(
        temperature=0.7, top_p=0.8, reasoning_effort="low", extra_body={"top_k": 20}
    )
    assert (who.limits.context, who.price.input) == (262_144, 0.5)
    assert who.governor.pace.requests.per_minute == 60


def test_what_an_entry_leaves_out_is_as_the_flags_say(made):
    text = "- name: a\n  base_url: http://host/v1\n  sampling: {top_p: 0.8}\n"
    who = made(text, "a", protocol="text", sampling__temperature=0.5)
    assert who.scaffold.protocol == "text"
    assert who.sampling == Sampling(temperature=0.5, top_p=0.8)


def test_a_flag_that_says_otherwise_than_an_entry_is_refused(made):
    text = "- name: a\n  base_url: http://host/v1\n  sampling: {temperature: 0.7}\n"
    with pytest.raises(InputError, match=r"a has a sampling\.temperature of its own .*0\.7"):
        made(text, "a", sampling__temperature=0.0)
    assert made(text, "a", sampling__temperature=0.7).sampling.temperature == 0.7


def test_models_beside_the_file_are_as_ever(made):
    who = made(FULL, "m", "qwen-here", base_url="http://host/v1", sampling__temperature=0.5)
    assert who.asked_for == ""
    assert who.sampling == Sampling(temperature=0.5)


def test_a_key_that_is_not_set_is_named_by_its_variable(made):
    with pytest.raises(InputError, match="MY_KEY"):
        made(FULL, "qwen-here")


def test_a_name_that_is_nowhere_is_told_what_the_file_has(made):
    with pytest.raises(InputError, match="models file has qwen-here, openai/gpt-4-turbo"):
        made(FULL, "qwen-hree")


def test_two_entries_at_one_endpoint_are_asked_each_by_its_own_sampling(made):
    with answering(completion()) as server:
        at = f"model: m, base_url: '{server.url}', sampling"
        text = f"- {{name: a, {at}: {{temperature: 0.1}}}}\n"
        text += f"- {{name: b, {at}: {{temperature: 0.9}}}}\n"
        for name in ("a", "b"):
            made(text, name).check()
        sent = [(asked.body["model"], asked.body["temperature"]) for asked in server.asked]
    assert sent == [("m", 0.1), ("m", 0.9)]
