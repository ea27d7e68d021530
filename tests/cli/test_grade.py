"""`swerun grade` as a user has it: predictions of peers, graded in real containers."""

from __future__ import annotations

import json

import pytest

from swerun.face import load_instances
from tests.cli.swerun_process import containers_of

INSTANCES = load_instances("sample")
IDS = [instance.id for instance in INSTANCES]


def prediction(instance, patch=None, model="peer/m"):
    gold = instance.answer.gold_patch
    return {
        "instance_id": instance.id,
        "model_name_or_path": model,
        "model_patch": gold if patch is None else patch,
    }


def predict(folder, rows, name="preds.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return name


@pytest.mark.docker
def test_predictions_are_graded_as_a_run_like_any_other(swerun, engine, base_image):
    rows = [prediction(INSTANCES[0]), prediction(INSTANCES[1], "")]
    foreign = {"instance_id": "org__other-1", "model_patch": "x", "model_name_or_path": "peer/m"}
    name = predict(swerun.folder, [*rows, foreign])
    done = swerun("grade", name, "--json")
    assert done.returncode == 0, done.stderr
    (report,) = json.loads(done.stdout)
    assert (report["model"], report["n"], report["missing"]) == ("peer/m", 2, len(IDS) - 2)
    assert report["outcomes"] == {"resolved": 1, "no_patch": 1}
    assert report["stops"] == {"given": 2}
    assert "1 prediction is for an instance that the subset does not have: org__other-1" in (
        done.stderr
    )
    (run,) = swerun.runs()
    assert containers_of(engine, run.name) == []
    assert run.name in swerun("list").stdout
    again = swerun("grade", name, "--json")
    assert json.loads(again.stdout) == [report]
    assert len(list(swerun.attempts())) == 2


@pytest.mark.docker
def test_other_patches_are_another_question_and_more_of_a_selection_is_the_same(swerun, base_image):
    both = [prediction(i, "") for i in INSTANCES[:2]]
    name = predict(swerun.folder, both)
    swerun("grade", name, "-i", IDS[0])
    swerun("grade", name, "-i", IDS[1])
    (run,) = swerun.runs()
    assert len(list(swerun.attempts())) == 2
    predict(swerun.folder, [both[0], prediction(INSTANCES[1], "x")])
    refused = swerun("grade", name, "--run", run.name)
    assert refused.returncode == 2
    assert "predictions: " in refused.stderr
    swerun("grade", name)
    assert len(swerun.runs()) == 2


@pytest.mark.docker
def test_the_table_says_how_many_instances_had_no_prediction(swerun, base_image):
    done = swerun("grade", predict(swerun.folder, [prediction(INSTANCES[0], "")]))
    assert f"no prediction, not in N │ {len(IDS) - 1} " in done.stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("nowhere.json",), "the predictions nowhere.json cannot be read"),
        (("preds.jsonl", "-i", IDS[1]), "has no prediction for any of the 1 instances"),
        (("preds.jsonl", "--subset", "nosuch"), "nosuch"),
        (("preds.jsonl", "--eval-timeout", "0"), "--eval-timeout"),
        ((), "PREDICTIONS"),
    ],
)
def test_bad_input_is_found_before_any_work(swerun, args, said):
    predict(swerun.folder, [prediction(INSTANCES[0])])
    done = swerun("grade", *args)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert not swerun.runs()
