"""Sound, broken and flaky instances told apart in real containers, and what a run makes of it."""

from __future__ import annotations

import json
import shutil
import signal
import time

import pytest

from swerun.cli.validate import summary, table
from swerun.images.store import EngineImages
from swerun.instances.task_repo import load_task_repo
from swerun.packaged import packaged
from swerun.records import Soundness
from swerun.report.soundness import Validated
from tests.cli.swerun_process import containers_of

SAMPLE = packaged("instances/sample")
MODEL = "swerun-sample__cronline-14"
USELESS = (
    "diff --git a/NOTES b/NOTES\nnew file mode 100644\n--- /dev/null\n+++ b/NOTES\n"
    "@@ -0,0 +1 @@\n+nothing\n"
)
# about every second container loses the gold patch: their names are random
EVERY_SECOND = "case $(hostname) in *[02468ace]) git checkout -- cronline ;; esac"


@pytest.fixture
def subset(tmp_path, engine, base_image):
    """A task repo with one instance of each kind, in an image of the sample's."""
    model = next(i for i in load_task_repo(SAMPLE) if i.id == MODEL)
    EngineImages(engine, tmp_path / "images").ensure(model)
    folder = tmp_path / "kinds"
    for kind in ("sound", "broken", "flaky"):
        task = folder / "tasks" / f"made__{kind}-1"
        shutil.copytree(SAMPLE / "tasks" / MODEL, task, ignore=shutil.ignore_patterns("D*", "*.fi"))
        edit(task / "task.yaml", f"instance_id: {MODEL}", f"instance_id: {task.name}")
    shutil.copy(SAMPLE / "sweb.yaml", folder)
    (folder / "tasks" / "made__broken-1" / "gold.patch").write_text(USELESS)
    edit(
        folder / "tasks" / "made__flaky-1" / "eval.sh",
        "cd /testbed\n",
        f"cd /testbed\n{EVERY_SECOND}\n",
    )
    return folder


def edit(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.fixture
def validate(swerun, subset):
    def run(*args):
        done = swerun(
            *("instances", "validate", "--subset", str(subset), "--cache", "cache", "--json"), *args
        )
        assert done.returncode in {0, 1}, done.stderr
        return done, {each["instance_id"]: each for each in json.loads(done.stdout)}

    return run


@pytest.mark.docker
def test_an_instance_that_is_sound_is_told_from_one_that_is_broken(validate, swerun, subset):
    done, found = validate("-i", "made__sound-1", "-i", "made__broken-1")
    assert {name: each["soundness"] for name, each in found.items()} == {
        "made__broken-1": "broken",
        "made__sound-1": "sound",
    }
    assert done.returncode == 1
    broken = found["made__broken-1"]["deviations"]
    assert {(each["patch"], each["what"]) for each in broken} == {("gold", "FAILED, FAIL_TO_PASS")}
    done, found = validate("-i", "made__sound-1")
    assert (done.returncode, found["made__sound-1"]["gold"]) == (0, 1)
    assert "resolved" not in done.stderr, "what is known is not found out again"
    assert swerun.runs() == [], "it is no run of the user's"

    run = ("run", "--model", "gold", "--subset", str(subset), "--cache", "cache")
    done = swerun(*run, "--sound-only")
    assert done.returncode == 0, done.stderr
    assert "2 of 3 instances are left out\n  1 broken: made__broken-1 (gold: tests/" in done.stderr
    assert "1 not validated here: made__flaky-1\n" in done.stderr
    assert "kinds: 1 instance " in done.stdout
    done = swerun(*run, "--json")
    known = {row["instance_id"]: row["soundness"] for row in json.loads(done.stdout)[0]["rows"]}
    assert known == {"made__broken-1": "broken", "made__flaky-1": None, "made__sound-1": "sound"}


@pytest.mark.docker
def test_an_instance_that_comes_out_so_and_so_is_flaky(validate):
    for times in (2, 4, 8, 16, 32):  # the trials that there are count: they are added to
        done, found = validate("-i", "made__flaky-1", "-k", str(times), "--grade-jobs", "2")
        flaky = found["made__flaky-1"]
        assert (flaky["gold"], flaky["empty"]) == (times, times)
        assert done.returncode == (0 if flaky["soundness"] == "sound" else 1)
        if flaky["soundness"] == "flaky":
            break
    assert flaky["soundness"] == "flaky"
    assert {(e["patch"], e["of"]) for e in flaky["deviations"]} == {("gold", times)}
    assert all(0 < each["times"] < times for each in flaky["deviations"])


@pytest.mark.docker
def test_sound_only_says_what_to_run_where_nothing_was_validated(swerun, base_image):
    done = swerun(
        *("--model", "gold", "--sound-only", "-i", "*-14", "--memory", "1g", "--cache", "cache")
    )
    assert done.returncode == 2
    assert "none of 1 instances was validated on this machine" in done.stderr
    assert "swerun instances validate --subset sample --instance '*-14' --memory 1g" in done.stderr
    assert swerun.runs() == []


@pytest.mark.docker
def test_ctrl_c_keeps_what_is_done(swerun, subset, engine):
    (subset / "tasks" / "made__flaky-1" / "eval.sh").write_text(
        "sleep 600\n: '>>>>> Start Test Output'\n: '>>>>> End Test Output'\n"
    )
    stores = swerun.folder / "cache" / "soundness"
    with swerun.start(
        *("instances", "validate", "--subset", str(subset), "--cache", "cache"),
        *("-i", "made__flaky-1", "-i", "made__sound-1", "--grade-jobs", "4"),
    ) as process:
        try:
            until = time.monotonic() + 60
            while len(list(stores.glob("*/*/attempts/made__sound-1/1/attempt.json"))) < 2:
                assert time.monotonic() < until, "the sound one was never done"
                time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "2 instances: 1 sound, 1 not validated" in out
    names = {path.parent.name for path in stores.glob("*/*/run.json")}
    assert len(names) == 2
    assert [one for name in names for one in containers_of(engine, name)] == []


def a_validated(soundness, **changes):
    given = {"instance_id": f"a-{soundness}", "soundness": soundness, "gold": 1, "empty": 1}
    return Validated.model_validate(given | changes)


def test_the_table_has_a_row_an_instance_with_why():
    from rich.console import Console

    out = Console(width=100, record=True)
    out.print(
        table([a_validated(Soundness.SOUND), a_validated(None, gold=0, why="no [b]image[/b]")])
    )
    lines = [line.split() for line in out.export_text().splitlines()]
    assert lines[1:] == [
        ["a-sound", "sound", "1", "1"],
        ["a-None", "not", "validated", "0", "1", "no", "[b]image[/b]"],
    ]


def test_the_summary_counts_each_kind_that_there_is():
    kinds = [Soundness.SOUND, Soundness.FLAKY, None, Soundness.SOUND]
    found = [a_validated(kind) for kind in kinds]
    assert summary(found) == "4 instances: 2 sound, 1 flaky, 1 not validated"
    assert summary(found[:1]) == "1 instance: 1 sound"
