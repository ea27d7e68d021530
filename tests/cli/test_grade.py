"""`swerun grade` as a user has it: predictions of peers, graded in real containers."""

from __future__ import annotations

import gzip
import json
import os
import shutil

import pytest

from swerun.face import load_instances
from swerun.packaged import packaged
from swerun.records import END, START
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


@pytest.mark.docker
def test_the_same_patch_is_not_run_twice_unless_that_is_asked_for(swerun, base_image):
    def grade(*more):
        done = swerun("--model", "gold", "-i", IDS[0], "--json", "--run", "x", "--fresh", *more)
        (report,) = json.loads(done.stdout)
        assert (report["resolved"], done.returncode) == (1, 0), done.stderr
        folder = swerun.folder / "runs" / report["run"] / "attempts" / IDS[0] / "1" / "grades/1"
        record = json.loads((folder / "grade.json").read_text())
        evidence = [(folder / name).read_bytes() for name in ("eval.sh", "test_output.txt")]
        return report["cached"], record, evidence

    (first, made, evidence), (second, found, copied) = grade(), grade()
    assert (first, second, made["cached"], found["cached"]) == (0, 1, False, True)
    assert copied == evidence
    assert all(evidence)
    same = ("made_at", "made_on", "image_digest", "conditions", "tests", "exit_code")
    assert [made[key] for key in same] == [found[key] for key in same]
    assert made["image_digest"].startswith("sha256:")
    assert {**made["conditions"], "capabilities": 0} == {
        "memory": "4g",
        "cpus": min(2, os.cpu_count()),
        "pids": 512,
        "disk": "10g",
        "network": "none",
        "runtime": "",
        "capabilities": 0,
        "user": "",
        "environment": "",
    }
    assert grade("--no-cache")[0] == 0
    assert grade("--pids", "500")[0] == 0


@pytest.mark.docker
def test_saved_logs_are_judged_again_and_what_changed_is_shown(swerun, base_image):
    swerun("--model", "gold", "-i", IDS[0], "--run", "x")
    same = swerun("grade", "x", "--from-logs")
    assert (same.returncode, same.stdout) == (0, "1 log judged again: nothing changed\n")
    (log,) = swerun.folder.glob("runs/x/attempts/*/1/grades/1/test_output.txt")
    log.write_bytes(log.read_bytes().replace(b"PASSED tests", b"FAILED tests"))
    done = swerun("grade", "x", "--from-logs")
    assert done.returncode == 0, done.stderr
    assert "tests failed" in done.stdout
    assert IDS[0] in done.stdout
    assert done.stdout.endswith("1 log judged again: 1 changed\n")
    assert json.loads((swerun.folder / "runs/x/report.json").read_text())["resolved"] == 0
    again = json.loads(swerun("grade", "x", "--from-logs", "--json").stdout)
    assert again == {"judged": 1, "without": 0, "changes": []}
    other = swerun("grade", "x", "--from-logs", "--subset", str(a_smaller_subset(swerun.folder)))
    assert other.returncode == 2
    assert "was made of other instances" in other.stderr


def a_smaller_subset(folder):
    shutil.copytree(packaged("instances/sample"), folder / "smaller")
    shutil.rmtree(folder / "smaller" / "tasks" / IDS[1])
    return folder / "smaller"


def log_of(instance, status):
    expected = (*instance.answer.fail_to_pass, *instance.answer.pass_to_pass)
    results = "".join(f"{status} {name}\n" for name in expected)
    return f"{START}\n{results}{END}\n".encode()


@pytest.mark.parametrize("name", ["saved.log", "saved.log.gz"])
def test_a_saved_log_is_judged_without_an_engine_or_a_run(swerun, name):
    pack = gzip.compress if name.endswith(".gz") else bytes
    nowhere = {"DOCKER_HOST": "unix:///nowhere"}
    (swerun.folder / name).write_bytes(pack(log_of(INSTANCES[0], "PASSED")))
    done = swerun("grade", "--log", name, "-i", IDS[0], **nowhere)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{IDS[0]}: resolved\nFAIL_TO_PASS 2/2")
    disagreeing = swerun("grade", "--log", name, "-i", IDS[0], "--exit-code", "1", **nowhere)
    assert "no failure in it, but the tests exited with 1" in disagreeing.stdout
    (swerun.folder / name).write_bytes(pack(log_of(INSTANCES[0], "FAILED")))
    told = json.loads(swerun("grade", "--log", name, "-i", IDS[0], "--json", **nowhere).stdout)
    assert (told["resolved"], told["reason"]) == (False, "tests_failed")
    assert not swerun.runs()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--log", "nowhere.log", "-i", IDS[0]), "the log nowhere.log cannot be read"),
        (("--log", "preds.jsonl"), f"--log is of one instance, and {len(IDS)} are chosen"),
        (("preds.jsonl", "--log", "x"), "--log FILE judges that one log"),
        (("preds.jsonl", "--exit-code", "1"), "--exit-code is of the tests that printed --log"),
        (("norun", "--from-logs"), "there is no run 'norun'"),
        (("--from-logs",), "give PREDICTIONS, or --log FILE, or --from-logs with a RUN"),
        (("nowhere.json",), "nowhere.json cannot be read"),
        (("preds.jsonl", "-i", IDS[1]), "has no prediction for any of the 1 instances"),
        (("preds.jsonl", "--subset", "nosuch"), "nosuch"),
        (("preds.jsonl", "--eval-timeout", "0"), "--eval-timeout"),
        ((), "give PREDICTIONS, or --log FILE"),
    ],
)
def test_bad_input_is_found_before_any_work(swerun, args, said):
    predict(swerun.folder, [prediction(INSTANCES[0])])
    done = swerun("grade", *args)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert not swerun.runs()
