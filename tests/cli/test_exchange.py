"""Reports for others and runs of others, as a user has them: processes and real containers."""

from __future__ import annotations

import json

import pytest

from swerun.instances.subsets import load_instances
from tests.cli.swerun_process import containers_of
from tests.exchange.samples import mini
from tests.exchange.test_peers import prediction, put
from tests.exchange.test_swebench import instances_in
from tests.fakes import files_below
from tests.test_swebench_agrees import parquet, swebench  # noqa: F401 -- fixtures

INSTANCES = {instance.id: instance for instance in load_instances("sample")}
IDS = list(INSTANCES)
RESOLVED, EMPTY = "swerun-sample__polykit-9", "swerun-sample__cronline-19"
IDLE = "diff --git a/NOTES b/NOTES\nnew file mode 100644\n--- /dev/null\n+++ b/NOTES\n"
IDLE += "@@ -0,0 +1 @@\n+x\n"
BROKEN = "diff --git a/nowhere b/nowhere\n--- a/nowhere\n+++ b/nowhere\n@@ -1 +1 @@\n-a\n+b\n"


def gold(instance_id):
    return INSTANCES[instance_id].answer.gold_patch


def outcomes(report):
    return {row["instance_id"]: (row["outcome"], row["steps"]) for row in report["rows"]}


@pytest.mark.docker
def test_what_a_run_hands_to_others_comes_back_with_the_same_verdicts(swerun, base_image):
    chosen = ("-i", RESOLVED, "-i", EMPTY)
    done = swerun("--model", "demo/handwritten", *chosen, "--run", "own", "--json")
    assert done.returncode == 0, done.stderr
    (own,) = json.loads(done.stdout)
    assert outcomes(own) == {RESOLVED: ("resolved", 5), EMPTY: ("no_patch", 5)}
    page = swerun("report", "own", "--md").stdout
    assert page.startswith("### demo/handwritten on sample: 1/2 = 50.0 % resolved\n")
    assert f"| no patch: submitted | 1 | {EMPTY} |" in page
    wrote = swerun(
        *("report", "own", "--json", "--swebench", "sb"),
        *("--submission", "sub", "--trajectories", "trajs"),
    )
    assert (wrote.returncode, json.loads(wrote.stdout)["resolved"]) == (0, 1), wrote.stderr
    assert "- metadata.yaml, info.authors: who made the submission" in wrote.stderr
    sb = json.loads((swerun.folder / "sb" / "demo__handwritten.own.json").read_text())
    assert (sb["resolved_ids"], sb["empty_patch_ids"]) == ([RESOLVED], [EMPTY])
    assert instances_in(swerun.folder / "sb")[RESOLVED]["resolved"] is True
    assert {"metadata.yaml", f"trajs/{EMPTY}.traj.json", f"logs/{RESOLVED}/report.json"} <= set(
        files_below(swerun.folder / "sub")
    )
    back = swerun("import", "trajs", "--run", "back", "--json")
    assert back.returncode == 0, back.stderr
    (report,) = json.loads(back.stdout)
    assert (report["model"], outcomes(report)) == ("demo/handwritten", outcomes(own))
    compared = json.loads(swerun("compare", "own", "back", "--json").stdout)
    (pair,) = compared["pairs"]
    assert (pair["both"], pair["neither"]) == (1, 1)
    assert pair["unlike"] == ["back was made elsewhere, and nobody knows network"]


@pytest.mark.docker
def test_another_agents_trajectories_become_a_run_that_is_graded_shown_and_compared(
    swerun, engine, base_image
):
    one, two = IDS[:2]
    for instance_id, patch in ((one, gold(one)), (two, IDLE)):
        put(
            swerun.folder / "mini" / instance_id / f"{instance_id}.traj.json",
            mini(instance_id, patch),
        )
    opened = swerun("import", "mini", "--no-grade", DOCKER_HOST="unix:///nowhere")
    assert opened.returncode == 0, opened.stderr
    assert "its grades are open" in opened.stderr
    (run,) = swerun.runs()
    assert list(swerun.attempts()) == []
    done = swerun("import", "mini", "--json")
    assert done.returncode == 0, done.stderr
    assert swerun.runs() == [run]
    (report,) = json.loads(done.stdout)
    assert outcomes(report) == {one: ("resolved", 3), two: ("unresolved", 3)}
    assert (report["cost"], report["cost_all"], report["missing"]) == (0.06, 0, len(IDS) - 2)
    assert report["note"] == "by mini-swe-agent 2.4.6, imported from mini"
    assert containers_of(engine, run.name) == []
    shown = swerun("show", run.name, one).stdout
    assert "bash cat a" in shown
    assert "made elsewhere; it ended: Submitted" in shown
    why = json.loads(swerun("why", run.name, "--json").stdout)
    assert {tally["what"] for tally in why["causes"]} == {"resolved", "unresolved: not fixed"}
    assert swerun("--model", "empty", "-i", one, "--run", "e").returncode == 0
    (pair,) = json.loads(swerun("compare", run.name, "e", "--json").stdout)["pairs"]
    assert (pair["only_a"], pair["neither"]) == (1, 0)
    assert any("was made elsewhere, and nobody knows" in line for line in pair["unlike"])


@pytest.mark.docker
@pytest.mark.index
def test_swebench_writes_the_same_of_the_same_predictions_key_by_key(swerun, swebench, parquet):  # noqa: F811
    patches = dict(zip(IDS, [gold(IDS[0]), IDLE, BROKEN, ""], strict=False))
    rows = [prediction(instance_id, patch) for instance_id, patch in patches.items()]
    path = put(swerun.folder / "preds.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    done = swerun("grade", "preds.jsonl", "--run", "r", "--json")
    assert done.returncode == 0, done.stderr
    assert swerun("report", "r", "--swebench", "ours").returncode == 0
    ours = json.loads((swerun.folder / "ours" / "peer__m.r.json").read_text())
    swebench("eval", parquet, "--predictions", path, "--run-id", "r")
    theirs = json.loads((swebench.folder / "peer__m.r.json").read_text())
    of_their_engine = {"unstopped_instances", "unstopped_containers", "unremoved_images"}
    assert ours == {key: value for key, value in theirs.items() if key not in of_their_engine}
    assert (len(ours["resolved_ids"]), len(ours["error_ids"])) == (1, 1)
    assert instances_in(swerun.folder / "ours") == instances_in(swebench.folder)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("import", "nowhere"), "nowhere cannot be read: there is no such file or folder"),
        (("import", "bad.traj.json"), "bad.traj.json: it is no trajectory"),
        (("import", "mini", "-i", IDS[1]), "has no prediction for any of the 1 instances"),
        (("report", "norun", "--swebench", "out"), "there is no run 'norun'"),
        (("report", "norun", "--md", "--json"), "--md and --json are two ways"),
    ],
)
def test_bad_input_is_told_and_leaves_nothing(swerun, args, said):
    put(swerun.folder / "bad.traj.json", [])
    put(swerun.folder / "mini" / f"{IDS[0]}.traj.json", mini(IDS[0]))
    done = swerun(*args, DOCKER_HOST="unix:///nowhere")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert not (swerun.folder / "runs").exists()
    assert not (swerun.folder / "out").exists()
