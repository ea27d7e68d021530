"""What lies at a path is told by what is in it, and is read whole before anything is written."""

from __future__ import annotations

import json

import pytest

from swerun.errors import InputError
from swerun.exchange.peers import find
from tests.exchange.samples import DIFF, ID, mini, mini_1, openhands, openhands_0, swe_agent

OTHER = "org__repo-2"


def put(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def prediction(instance_id=ID, patch=DIFF, model="peer/m"):
    return {"instance_id": instance_id, "model_name_or_path": model, "model_patch": patch}


def trajectories(found):
    ids = frozenset(found.predictions.patches)
    return {t.prediction.instance_id: t for t in found.told(ids)}


def test_a_folder_of_mini_swe_agent(tmp_path):
    put(tmp_path / ID / f"{ID}.traj.json", mini())
    put(tmp_path / OTHER / f"{OTHER}.traj.json", mini(OTHER, ""))
    put(tmp_path / "preds.json", {i: prediction(i) for i in (ID, OTHER)})
    put(tmp_path / "exit_statuses_1.yaml", "instances_by_exit_status: {}")
    found = find(tmp_path)
    assert found.predictions.model == "peer/m"
    assert found.predictions.patches == {ID: DIFF.encode(), OTHER: DIFF.encode()}
    assert found.predictions.notes == (
        "1 of 2 trajectories ended with another patch than was given as a prediction, which is "
        f"what is graded: {OTHER}",
    )
    assert found.predictions.peer.scaffold.agent == "mini-swe-agent 2.4.6"
    assert {i: len(t.steps) for i, t in trajectories(found).items()} == {ID: 3, OTHER: 3}


def test_without_predictions_what_trajectories_ended_with_is_graded(tmp_path):
    put(tmp_path / f"{ID}.traj.json", mini())
    found = find(tmp_path)
    assert (found.predictions.model, found.predictions.patches) == ("org/m", {ID: DIFF.encode()})
    one = find(tmp_path / f"{ID}.traj.json", "mine")
    assert (one.predictions.model, one.predictions.patches) == ("mine", {ID: DIFF.encode()})


def test_predictions_without_a_trajectory_are_graded_and_said(tmp_path):
    put(tmp_path / f"{ID}.traj.json", mini())
    put(tmp_path / "preds.json", [prediction(), prediction(OTHER)])
    found = find(tmp_path)
    assert set(found.predictions.patches) == {ID, OTHER}
    assert found.predictions.notes == (f"no trajectory of 1 prediction: {OTHER}",)
    assert set(trajectories(found)) == {ID}


@pytest.mark.parametrize("name", ["preds.json", "all_preds.jsonl", None])
def test_a_folder_of_swe_agent(tmp_path, name):
    put(tmp_path / ID / f"{ID}.traj", swe_agent())
    put(tmp_path / ID / f"{ID}.pred", prediction(model="its-folder"))
    if name:
        put(tmp_path / name, prediction(model="its-folder"))
    found = find(tmp_path)
    assert (found.predictions.model, list(found.predictions.patches)) == ("its-folder", [ID])
    assert found.predictions.peer.scaffold.agent == "SWE-agent 1.1.0"
    assert len(trajectories(found)[ID].steps) == 2


@pytest.mark.parametrize("row", [openhands(), openhands_0()])
def test_an_output_of_openhands_by_its_folder_or_its_file(tmp_path, row):
    put(tmp_path / "output.jsonl", json.dumps(row) + "\n")
    put(tmp_path / "metadata.json", {})
    for path in (tmp_path, tmp_path / "output.jsonl"):
        found = find(path)
        assert (found.predictions.model, list(found.predictions.patches)) == ("OpenHands/m", [ID])
        assert trajectories(found)[ID].steps
        assert trajectories(found)[ID].prediction.where == f"{tmp_path / 'output.jsonl'}, line 1"


@pytest.mark.parametrize("name", ["preds.json", "all_preds.jsonl", f"{ID}.pred"])
def test_patches_alone_are_predictions_by_their_folder_or_their_file(tmp_path, name):
    path = put(tmp_path / name, prediction())
    for source in (tmp_path, path):
        found = find(source)
        assert (found.predictions.patches, found.predictions.peer) == ({ID: DIFF.encode()}, None)
        assert trajectories(found) == {}


def test_what_a_file_is_called_does_not_say_what_it_is(tmp_path):
    put(tmp_path / f"{ID}.traj", mini_1())
    put(tmp_path / f"{OTHER}.traj.json", swe_agent())
    found = find(tmp_path, "m")
    assert found.predictions.peer.scaffold.agent == "unknown", "they are two agents'"
    assert {i: len(t.steps) for i, t in trajectories(found).items()} == {ID: 3, OTHER: 2}


def test_of_two_trajectories_of_an_instance_the_one_that_was_submitted_counts(tmp_path):
    put(tmp_path / "a" / f"{ID}.traj.json", mini(submission="diff --git a/b b/b\n"))
    put(tmp_path / "b" / f"{ID}.traj.json", mini())
    with pytest.raises(InputError, match="has different patches for org__repo-1"):
        find(tmp_path)
    put(tmp_path / "preds.json", [prediction()])
    assert trajectories(find(tmp_path))[ID].prediction.where.endswith(f"b/{ID}.traj.json")


def test_trajectories_of_several_models_are_one_model_s_at_a_time(tmp_path):
    other = mini(OTHER)
    other["info"]["config"]["model"]["model_name"] = "org/n"
    put(tmp_path / f"{ID}.traj.json", mini())
    put(tmp_path / f"{OTHER}.traj.json", other)
    with pytest.raises(InputError, match=r"of 2 models: choose one with --model \(org/m, org/n\)"):
        find(tmp_path)
    found = find(tmp_path, "org/n")
    assert set(found.predictions.patches) == set(trajectories(found)) == {OTHER}
    other["instance_id"] = ID  # the same patch, of the same instance
    put(tmp_path / f"{OTHER}.traj.json", other)
    assert trajectories(find(tmp_path, "org/n"))[ID].prediction.model == "org/n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.traj.json", "{", "x.traj.json: it is not JSON"),
        ("x.traj.json", "[]", "x.traj.json: it is no trajectory"),
        ("x.traj", '{"trajectory": []}', "x.traj: it is no trajectory"),
        ("x.traj", "[" * 100_000, "x.traj: its values are nested too deeply"),
        ("output.jsonl", '{"history": [], "test_result": {}}', "line 1: instance_id is a name"),
        ("output.jsonl", json.dumps(openhands()) + "\n{", "output.jsonl, line 2: it is not JSON"),
        ("output.jsonl", json.dumps(openhands()) + "\n[]", "line 2: a prediction is an object"),
        ("x.txt", "", "is a folder with no .pred below it"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_file_and_line(tmp_path, name, text, said):
    put(tmp_path / name, text)
    with pytest.raises(InputError, match=said):
        find(tmp_path)


def test_bytes_that_are_no_text_are_told_with_their_line(tmp_path):
    good = json.dumps(openhands()).encode()
    (tmp_path / "output.jsonl").write_bytes(good + b"\n" + good.replace(b"I look", b"\xff"))
    with pytest.raises(InputError, match=r"output\.jsonl, line 2: it is not UTF-8"):
        find(tmp_path)


def test_a_path_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="there is no such file or folder"):
        find(tmp_path / "nowhere")


def test_only_the_trajectories_that_are_asked_for_are_told(tmp_path):
    for instance_id in (ID, OTHER):
        put(tmp_path / f"{instance_id}.traj.json", mini(instance_id))
    (only,) = find(tmp_path).told(frozenset({OTHER, "org__repo-3"}))
    assert only.prediction.instance_id == OTHER
