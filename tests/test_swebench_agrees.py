"""The official harness (5.0.2, in an environment of its own) reads the sample and agrees."""

from __future__ import annotations

import json
import os
import subprocess
import venv
from pathlib import Path

import pytest

from swerun.images.store import EngineImages
from swerun.instances.subsets import load_instances
from swerun.packaged import packaged

pytestmark = [pytest.mark.docker, pytest.mark.index]
PINNED = "swebench==5.0.2"
HOME = Path(__file__).parent.parent / ".cache" / PINNED
SAMPLE = packaged("instances/sample")
INSTANCES = load_instances("sample")


@pytest.fixture(scope="module")
def swebench(tmp_path_factory):
    if not (HOME / "installed").exists():
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([HOME / "bin" / "pip", "install", "-q", PINNED], check=True)
        (HOME / "installed").touch()
    folder = tmp_path_factory.mktemp("swebench")

    def run(*args: object) -> str:
        done = subprocess.run(
            [HOME / "bin" / "swebench", *map(str, args)],
            cwd=folder,
            capture_output=True,
            text=True,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run.folder = folder
    return run


@pytest.fixture(scope="module")
def parquet(swebench, engine, base_image):
    images = EngineImages(engine, cache=swebench.folder)
    for instance in INSTANCES:
        images.ensure(instance)
    swebench("dataset", "build", SAMPLE, "-o", "built")
    (made,) = swebench.folder.glob("built/**/test.parquet")
    return made


def resolved(swebench, run_id):
    reports = swebench.folder.glob(f"logs/**/{run_id}/**/report.json")
    return {
        instance_id
        for path in reports
        for instance_id, row in json.loads(path.read_text()).items()
        if row["resolved"]
    }


def test_it_finds_nothing_wrong_with_the_sample(swebench):
    said = swebench("dataset", "check", SAMPLE)
    assert "error" not in said.lower()
    assert "warning" not in said.lower()


def test_it_resolves_every_gold_patch(swebench, parquet):
    swebench("eval", parquet, "--gold", "--run-id", "gold")
    assert resolved(swebench, "gold") == {instance.id for instance in INSTANCES}


def test_it_resolves_no_patch_that_changes_nothing_of_use(swebench, parquet):
    idle = "diff --git a/NOTES b/NOTES\nnew file mode 100644\n--- /dev/null\n+++ b/NOTES\n"
    idle += "@@ -0,0 +1 @@\n+x\n"
    predictions = swebench.folder / "idle.jsonl"
    rows = (
        {"instance_id": i.id, "model_name_or_path": "idle", "model_patch": idle} for i in INSTANCES
    )
    predictions.write_text("".join(json.dumps(row) + "\n" for row in rows))
    swebench("eval", parquet, "--predictions", predictions, "--run-id", "idle")
    assert resolved(swebench, "idle") == set()
