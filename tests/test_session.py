"""From a configuration to runs: what a question is, what runs are called, what containers get."""

from __future__ import annotations

import os
from threading import Event

import pytest

from swerun.config import RunConfig
from swerun.errors import InputError
from swerun.images.build import Settings
from swerun.question import fingerprint_of, recording_name, run_name
from swerun.records import ImageOptions, Limits, Resources, Sampling
from swerun.session import prepared
from swerun.workbench import check_runtime, fitting, grading_profile, said_of_cores
from tests.images.subset import a_subset
from tests.report.test_summary import a_run

QUESTION = a_run().question


def asked(**changes):
    return fingerprint_of(QUESTION.model_copy(update=changes))


def test_a_question_is_the_same_whatever_the_order_of_its_keys():
    one, other = {"top_k": 1, "min_p": 0}, {"min_p": 0, "top_k": 1}
    assert asked(sampling=Sampling(extra_body=one)) == asked(sampling=Sampling(extra_body=other))


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "other"},
        {"dataset_hash": "1"},
        {"sampling": Sampling(temperature=0)},
        {"limits": Limits(steps=3)},
        {"resources": Resources(memory="1g")},
        {"resources": Resources(disk="1g")},
        {"resources": Resources(runtime="runsc")},
        {"network": "bridge"},
        {"grading": "2"},
    ],
)
def test_whatever_changes_a_score_makes_another_question(changes):
    assert asked(**changes) != asked()


def test_a_run_is_called_after_its_model_its_subset_and_its_question():
    config = RunConfig(model=("org/m:free",), subset="instances/sample")
    assert run_name(config, "org/m:free", "0123456789") == "org-m-free--sample--01234567"


def test_a_name_that_is_given_serves_one_model_or_is_made_longer_for_several():
    assert run_name(RunConfig(model=("a",), run="x"), "a", "0") == "x"
    assert run_name(RunConfig(model=("a", "b"), run="x"), "b", "0") == "x--b"


@pytest.mark.parametrize("name", ["..", ".", "../up", ".hidden"])
def test_no_run_is_written_anywhere_but_below_the_runs_folder(name):
    with pytest.raises(InputError, match=r"begins with '.'"):
        run_name(RunConfig(model=("a",), run=name), "a", "0")


def test_two_models_have_two_recordings():
    names = ["demo/handwritten", "a/x", "b/x"]
    assert [recording_name(name) for name in names] == ["handwritten", "a-x", "b-x"]


def test_that_tests_may_skip_for_want_of_cores_is_said():
    assert said_of_cores(2) == said_of_cores(8) == ""
    assert said_of_cores(1).startswith("containers get 1 core: tests that ask")
    assert said_of_cores(1.5).startswith("containers get 1.5 cores: tests that ask")


def test_a_container_gets_no_more_cores_than_there_are():
    assert fitting(Resources(), 1).cpus == 1
    assert fitting(Resources(), 2) == Resources()
    assert fitting(Resources(cpus=1.5), 2).cpus == 1.5
    with pytest.raises(InputError, match="--cpus 64: the engine has 2 cores"):
        fitting(Resources(cpus=64), 2)


def test_a_runtime_that_the_engine_does_not_have_is_refused_before_anything_starts():
    check_runtime(Resources(), {})
    check_runtime(Resources(runtime="runc"), {"runc": {}})
    with pytest.raises(InputError, match="--runtime runsc: the engine has kata, runc"):
        check_runtime(Resources(runtime="runsc"), {"runc": {}, "kata": {}})


def test_a_grading_is_told_of_the_way_out_what_builds_are(tmp_path):
    outside = Settings(
        network="host",  # of builds alone
        arguments={"A": "1"},
        variables={"PIP_INDEX_URL": "http://index.example"},
        proxies={"HTTPS_PROXY": "http://proxy.example"},
        ca_bundle=tmp_path / "ca.pem",
    )
    profile = grading_profile(Resources(), "bridge", outside)
    assert profile.environment == {
        "PIP_INDEX_URL": "http://index.example",
        "HTTPS_PROXY": "http://proxy.example",
    }
    assert (profile.network, profile.ca_bundle) == ("bridge", tmp_path / "ca.pem")


@pytest.mark.docker
@pytest.mark.parametrize("disk", [None, "1GB"])
def test_a_budget_knows_what_is_left_to_do_and_in_which_order(tmp_path, engine, disk):
    subset = a_subset(tmp_path / "subset", ["org/a:1", "org/b:1", "org/c:1"])
    task = subset / "tasks" / "made__1" / "task.yaml"
    task.write_text(task.read_text().replace("version: '0'", "version: '9'"))
    task = subset / "tasks" / "made__2" / "task.yaml"
    task.write_text(task.read_text().replace("version: '1'", "version: '0'"))
    config = RunConfig(
        model=("empty",),
        subset=str(subset),
        samples=2,
        images=ImageOptions(disk=disk),
        runs=tmp_path / "runs",
        cache=tmp_path / "cache",
    )
    with prepared(config, os.environ, Event()) as session:
        ((work, _),) = session.entries
        room = work.bench.images._room
        if disk is None:
            assert room is None
            return
        assert room.limit == 1e9
        assert dict(room._due) == {"org/a:1": 2, "org/b:1": 2, "org/c:1": 2}
        assert list(room._place) == ["org/a:1", "org/c:1", "org/b:1"]
        assert work.bench.images.run == work.store.label()
