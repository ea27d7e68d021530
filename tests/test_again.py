"""A run's own configuration, from its record alone, and what flags make of it."""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack
from threading import Event

import pytest

from swerun.again import again, changed_by, instances_of
from swerun.config import RunConfig, load_config
from swerun.engine.local import left
from swerun.engine.plan import rerun
from swerun.entrants import Setting, entrant
from swerun.errors import InputError
from swerun.instances.hub import Hub
from swerun.instances.selection import select
from swerun.instances.subsets import SHIPPED, dataset_hash, load_subset
from swerun.models.governor import Governors
from swerun.packaged import packaged
from swerun.question import question_of, run_wanted, session_of
from swerun.runs.store import open_or_create
from swerun.session import prepared, prepared_again
from tests.cli.test_auto import SUBMITTED
from tests.instances.hub_server import serving
from tests.instances.some_rows import parquet, v5
from tests.models.endpoint import answering, completion
from tests.test_revision import FILE

URL = "http://localhost:1/v1"
MODELS = """
- name: here
  model: org/served
  base_url: http://localhost:2/v1
  key: MY_KEY
  protocol: hermes
  context: 32000
  sampling: {temperature: 0.7}
  extra_body: {top_k: 20}
  prices: {input: 1, output: 2}
  limits: {rpm: 30}
"""


def asked(config, environment):
    """The model's question under a configuration, the chosen instances, and who it is."""
    with ExitStack() as open_:
        governors = Governors(config.jobs, config.endpoint_patience)
        setting = Setting(config, environment, open_, governors, Event())
        who = entrant(config.model[0], setting)
        chosen = select(load_subset(config.subset, config.split), config.selection)
        data = dataset_hash(chosen.subset.instances)
        return question_of(config, who, data, chosen.subset), chosen, who


@pytest.fixture
def begun(tmp_path):
    """begun(flag=value, ...) -> a run as `swerun run` begins it; a double underscore is a dot."""

    def begin(environment=None, **flags):
        given = {key.replace("__", "."): value for key, value in flags.items()}
        config = load_config(None, {"model": ["m"], "runs": tmp_path / "runs"} | given)
        question, chosen, who = asked(config, environment or {})
        store = open_or_create(config.runs, run_wanted(config, question, chosen))
        session = session_of(config, who, chosen)
        store.begin_session(session, [i.id for i in chosen.instances], config.samples)
        return store

    return begin


def forgotten(store):
    """The same run, as an earlier version has written it."""
    file = store.folder / "run.json"
    run = json.loads(file.read_text())
    for session in run["sessions"]:
        del session["configured"], session["changed"]
    file.write_text(json.dumps(run))
    return store


def question_now(run, environment=None):
    return asked(run.config, environment or {})[0]


def test_a_run_is_asked_the_same_again_by_its_record_alone(begun, tmp_path):
    (tmp_path / "prompt.md").write_text("Mend {{ task.id }}.")
    store = begun(
        base_url=URL,
        prompt=tmp_path / "prompt.md",
        protocol="hermes",
        tools="bash,edit",
        sampling__temperature=0.5,
        limits__steps=7,
        resources__memory="1g",
        network="bridge",
        samples=2,
        jobs=3,
        request_timeout=90,
        images__disk="60GB",
    )
    run = again(store, {}, {})
    assert changed_by(run, question_now(run)) == {}
    config = run.config
    assert (config.base_url, config.jobs, config.request_timeout) == (URL, 3, 90)
    assert (config.images.disk, config.samples, config.run) == (60 * 10**9, 2, store.name)


def test_what_a_models_file_said_is_kept_and_a_flag_overrides_it(begun, tmp_path):
    (tmp_path / "models.yaml").write_text(MODELS)
    file = {"model": ["here"], "models": str(tmp_path / "models.yaml")}
    store = begun({"MY_KEY": "k"}, **file)
    (tmp_path / "models.yaml").unlink()
    run = again(store, {}, {})
    assert changed_by(run, question_now(run, {"MY_KEY": "k"})) == {}
    assert (run.config.base_url, run.config.rpm) == ("http://localhost:2/v1", 30)
    run = again(store, {"sampling.temperature": 0.1, "limits.context": 16000}, {})
    assert changed_by(run, question_now(run, {"MY_KEY": "k"})) == {
        "sampling.temperature": (0.7, 0.1),
        "limits.context": (32000, 16000),
    }


def test_no_secret_is_kept_and_what_is_missing_by_that_is_said(begun):
    store = begun(
        base_url="http://user:s3cret@localhost:1/v1?token=s3cret",
        images__index_url="https://user:s3cret@host/simple",
        images__build_args=["TOKEN=s3cret"],
    )
    assert "s3cret" not in (store.folder / "run.json").read_text()
    with pytest.raises(InputError, match="give all of it with --base-url"):
        again(store, {}, {})
    run = again(store, {"base_url": "http://user:s3cret@localhost:1/v1"}, {})
    assert changed_by(run, question_now(run)) == {}
    assert [said.split()[0] for said in run.warnings] == ["images.index_url", "images.build_args"]


@pytest.mark.parametrize(
    ("now", "base_url"),
    [
        ({}, URL),
        ({"OPENAI_BASE_URL": "http://elsewhere/v1"}, URL),
        ({"OPENAI_BASE_URL": f"{URL}?key=s3cret"}, None),  # the same: the variable has all of it
    ],
)
def test_the_address_that_a_variable_had_is_asked_again(begun, now, base_url):
    store = begun({"OPENAI_BASE_URL": URL})
    assert again(store, {}, now).config.base_url == base_url


def test_another_model_with_an_address_of_its_own_is_not_at_the_runs(begun):
    store = begun({"MY_KEY": "k"}, base_url=URL, api_key_env="MY_KEY")
    for name, there in (("other", (URL, "MY_KEY")), ("vllm/m", (None, None))):
        config = again(store, {"model": [name]}, {}).config
        assert (config.base_url, config.api_key_env) == there


def test_what_flags_change_of_the_question_is_told_by_key(begun):
    run = again(begun(base_url=URL), {"limits.steps": 3, "network": "bridge", "jobs": 1}, {})
    changed = changed_by(run, question_now(run))
    assert changed == {"limits.steps": (250, 3), "network": ("none", "bridge")}
    assert run.config.jobs == 1


def test_a_prompt_that_is_another_now_is_refused_unless_a_flag_says_so(begun, tmp_path):
    prompt = tmp_path / "prompt.md"
    prompt.write_text("Mend it.")
    store = begun(base_url=URL, prompt=prompt)
    prompt.write_text("Mend it well.")
    run = again(store, {"limits.steps": 3}, {})
    with pytest.raises(InputError, match="put that back as it was, or give --prompt"):
        changed_by(run, question_now(run))
    run = again(store, {"prompt": prompt}, {})
    assert list(changed_by(run, question_now(run))) == ["scaffold.prompt_hash"]


def test_a_run_of_an_earlier_version_says_which_flag_it_needs(begun, tmp_path):
    prompt = tmp_path / "prompt.md"
    prompt.write_text("Mend it.")
    plain = forgotten(begun(base_url=URL, limits__steps=7, protocol="hermes", run="plain"))
    run = again(plain, {}, {})
    assert changed_by(run, question_now(run)) == {}
    store = forgotten(begun(base_url=URL, prompt=prompt, run="prompted"))
    run = again(store, {}, {})
    with pytest.raises(InputError, match="Give --prompt FILE, or --no-tell-limits, as it was"):
        changed_by(run, question_now(run))
    run = again(store, {"prompt": prompt}, {})
    assert changed_by(run, question_now(run)) == {}


def test_data_that_is_other_than_the_runs_is_refused_with_the_difference(begun, tmp_path):
    store = begun(base_url=URL, selection__instances=["*"])
    record = store.record()
    question = record.question.model_copy(update={"dataset_hash": "feed"})
    run = again(store, {}, {})
    hub = Hub.of({}, tmp_path)
    assert instances_of(run, hub).name == "sample"
    gone = record.model_copy(update={"question": question, "selection": ("a__gone-1",)})
    with pytest.raises(InputError, match=r"feed -> \w{16}; it has no a__gone-1 any more"):
        instances_of(type(run)(store, gone, run.config, run.flags), hub)


def test_the_same_data_may_be_elsewhere_now(begun, tmp_path):
    store = begun(base_url=URL)
    file = store.folder / "run.json"
    record = json.loads(file.read_text())
    record["sessions"][0]["configured"]["keys"] |= {"subset": "org/name", "revision": "abc"}
    file.write_text(json.dumps(record))
    assert again(store, {}, {}).config.revision == "abc"
    shutil.copytree(packaged(SHIPPED["sample"]), tmp_path / "here")
    run = again(store, {"subset": str(tmp_path / "here")}, {})
    assert instances_of(run, Hub.of({}, tmp_path)).source == str(tmp_path / "here")
    assert changed_by(run, question_now(run)) == {}


@pytest.mark.parametrize(
    ("unknown", "command"), [([], "grade PREDICTIONS"), (["network"], "import PATH")]
)
def test_patches_of_a_file_are_no_configuration_to_be_run_again(begun, unknown, command):
    store = begun(base_url=URL)
    file = store.folder / "run.json"
    record = json.loads(file.read_text())
    record["question"] |= {"predictions": "feed", "unknown": unknown}
    file.write_text(json.dumps(record))
    with pytest.raises(InputError, match=f"swerun {command} --run {store.name}"):
        again(store, {}, {})


def test_other_rules_of_grading_are_told_and_not_refused(begun):
    run = again(begun(base_url=URL), {}, {})
    asked_now = question_now(run).model_copy(update={"grading": "0"})
    assert list(changed_by(run, asked_now)) == ["grading"]


class Session:
    """What a rerun is told, and which instances there are for it, up to where it would begin."""

    def __init__(self, environment):
        self.environment, self.said, self.planned = environment, [], []

    def run(self, config):
        with prepared(config, self.environment, Event(), self.said.append) as session:
            return session.entries[0][0].store

    def again(self, store, flags=()):
        run = again(store, dict(flags), self.environment)
        self.said.clear()

        def plan(store, instances, changed):
            return rerun([(instances[i], 1) for i in instances], {}, changed, replaces=False)

        with prepared_again(run, self.environment, Event(), self.said.append, plan) as session:
            ((work, who),) = session.entries
            return work, who, store.record().sessions[-1]


@pytest.mark.docker
def test_a_rerun_is_of_the_commit_that_the_run_began_with(tmp_path):
    with serving() as hub:
        session = Session({"HF_ENDPOINT": hub.url})
        commit = hub.push("org/name", {FILE: parquet(v5("a"))})
        given = {"runs": tmp_path / "runs", "cache": tmp_path / "cache"}
        store = session.run(RunConfig(model=("empty",), subset="org/name@main", **given))
        hub.push("org/name", {FILE: parquet(v5("a"), v5("b"))})
        work, _, newest = session.again(store)
        assert [planned.instance.id for planned in left(work)] == ["a"]
        assert session.said[0] == f"org/name is org/name@{commit}"
        assert newest.changed == {}
        work, _, newest = session.again(store, {"limits.eval_seconds": 9.0})
        assert left(work)[0].changed == newest.changed == {"limits.eval_seconds": (1800.0, 9.0)}
        assert again(store, {}, {}).config.limits.eval_seconds == 1800  # the run's own, not that


@pytest.mark.docker
def test_a_protocol_that_was_found_out_is_not_asked_for_again(tmp_path):
    with answering(completion({"content": SUBMITTED})) as server:
        given = {"runs": tmp_path / "runs", "cache": tmp_path / "cache", "protocol": "auto"}
        session = Session({})
        config = RunConfig(model=("m",), base_url=server.url, **given)
        store = session.run(config)
        so_far = len(server.asked)
        _, who, newest = session.again(store, {"limits.steps": 3})
        assert (who.scaffold.protocol, newest.changed) == ("qwen-xml", {"limits.steps": (250, 3)})
        assert not any("tools" in asked.body for asked in server.asked[so_far:])
