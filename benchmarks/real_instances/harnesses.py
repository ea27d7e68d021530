"""The official harness and swerun, each as its command, on the same rows and images."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from swerun.runs.store import open_run

# It applies, and changes nothing that any test sees: neither harness runs an empty patch.
IDLE = (
    "diff --git a/SWERUN_IDLE b/SWERUN_IDLE\nnew file mode 100644\n--- /dev/null\n"
    "+++ b/SWERUN_IDLE\n@@ -0,0 +1 @@\n+This changes nothing.\n"
)
STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) - ", re.MULTILINE)
RUNTIME = re.compile(r"Test runtime: ([\d_.]+) seconds")


@dataclass(frozen=True, slots=True)
class Setting:
    """`work` is the folder that the harnesses write in, `swebench` the official one's command."""

    subset: Path
    work: Path
    swebench: Path
    jobs: int

    def predictions(self, names: Sequence[str]) -> Path:
        """A file with the idle patch for each instance."""
        path = self.work / "idle.jsonl"
        row = {"model_name_or_path": "idle", "model_patch": IDLE}
        lines = [json.dumps({"instance_id": name, **row}) for name in names]
        path.write_text("".join(f"{line}\n" for line in lines))
        return path


@dataclass(frozen=True, slots=True)
class Verdict:
    """One harness on one patch; `failing` are expected tests that did not come out as they must."""

    resolved: bool | None  # None: it gave none
    failing: frozenset[str]
    eval_seconds: float
    seconds: float  # of the whole grading, from the container's creation to its removal


@dataclass(frozen=True, slots=True)
class Side:
    """One harness on all patches; `seconds` is what its whole command took."""

    verdicts: Mapping[str, Verdict]
    seconds: float


def official(setting: Setting, run: str, names: Sequence[str], patches: Path | None) -> Side:
    what = ["--predictions", patches] if patches else ["--gold"]
    asked = [setting.swebench, "eval", setting.subset, *what, "-j", setting.jobs, "--run-id", run]
    seconds = _timed(asked, setting.work, {"HF_HUB_OFFLINE": "1"})
    folder = setting.work / "logs" / "run_evaluation" / run / ("idle" if patches else "gold")
    return Side({name: _official_verdict(folder / name, name) for name in names}, seconds)


def _official_verdict(folder: Path, name: str) -> Verdict:
    log = (folder / "run_instance.log").read_text()
    stamps = STAMP.findall(log)
    first, last = datetime.fromisoformat(stamps[0]), datetime.fromisoformat(stamps[-1])
    runtime = RUNTIME.search(log)
    report = folder / "report.json"
    said = json.loads(report.read_text())[name] if report.is_file() else {}
    tests = said.get("tests_status", {})
    expected = [tests.get(group, {}) for group in ("FAIL_TO_PASS", "PASS_TO_PASS")]
    return Verdict(
        resolved=said.get("resolved"),
        failing=frozenset(test for group in expected for test in group.get("failure", [])),
        eval_seconds=float(runtime[1].replace("_", "")) if runtime else 0.0,
        seconds=(last - first).total_seconds(),
    )


def ours(setting: Setting, run: str, names: Sequence[str], patches: Path | None) -> Side:
    what = ["grade", patches] if patches else ["run", "--model", "gold"]
    asked = [sys.executable, "-m", "swerun", *what, "--subset", setting.subset, "--no-cache"]
    asked += ["--grade-jobs", setting.jobs, "--runs", "runs", "--run", run]
    seconds = _timed(asked, setting.work, {})
    attempts = {a.instance_id: a for a in open_run(run, setting.work / "runs").attempts()}
    verdicts = {}
    for name in names:
        grade = attempts[name].grade
        verdicts[name] = Verdict(
            resolved=grade.resolved if grade else None,
            failing=frozenset(test.name for test in grade.failing) if grade else frozenset(),
            eval_seconds=grade.eval_seconds if grade else 0.0,
            seconds=grade.seconds if grade else 0.0,
        )
    return Side(verdicts, seconds)


def _timed(asked: Sequence[object], folder: Path, environment: Mapping[str, str]) -> float:
    began = time.monotonic()
    # what it thinks of the patches may be in its exit code, and is read from what it wrote
    subprocess.run(
        [str(word) for word in asked],
        check=False,
        cwd=folder,
        env=os.environ | environment,
        stdout=sys.stderr,
    )
    return time.monotonic() - began
