"""What the official harness and swerun make of the cheats of tests/grading/cheats.

    python benchmarks/cheats.py --swebench DIR/bin/swebench [-c 'product-*' ...] [-j 2] [--work DIR]

Each cheat becomes an instance of its own, on the image of the sample's instance that it is for.
Both harnesses run as their commands. Prints a table in Markdown; all that they wrote stays below
`--work`. The exit code is 1 where swerun resolves a cheat.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

from swerun.images.store import EngineImages
from swerun.instances.subsets import load_instances
from swerun.records import Attempt, Instance
from swerun.runs.store import open_run
from swerun.sandbox.client import connect

CHEATS = Path(__file__).parents[1] / "tests" / "grading" / "cheats"
RUN = "cheats"


def main() -> int:
    given = arguments()
    work = given.work.absolute()
    work.mkdir(parents=True, exist_ok=True)
    with (CHEATS / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows = [row for row in rows if any(fnmatch(row["cheat"], glob) for glob in given.cheat)]
    sample = {i.id.removeprefix("swerun-sample__"): i for i in load_instances("sample")}
    store = EngineImages(connect(os.environ), cache=work)
    for name in {row["instance"] for row in rows}:
        store.ensure(sample[name])
    subset, predictions = work / "rows.jsonl", work / "predictions.jsonl"
    write(subset, [row_of(row["cheat"], sample[row["instance"]]) for row in rows])
    write(predictions, [prediction(row["cheat"]) for row in rows])
    official = resolved_officially(given, subset, predictions)
    ours = graded(given, subset, predictions)
    print("| cheat | official 5.0.2 | swerun | by |\n| --- | --- | --- | --- |")
    for row in rows:
        attempt = ours[f"cheat__{row['cheat']}-1"]
        there = "resolved" if f"cheat__{row['cheat']}-1" in official else "not resolved"
        cells = (row["cheat"], there, attempt.outcome.value.replace("_", " "), why(attempt))
        print(f"| {' | '.join(cells)} |")
    return int(any(attempt.outcome.value == "resolved" for attempt in ours.values()))


def why(attempt: Attempt) -> str:
    """What was flagged, and what the strict verdict rests on."""
    if attempt.grade is None or attempt.grade.strict is None:
        return ""
    return ", ".join(attempt.grade.strict.means)


def row_of(cheat: str, instance: Instance) -> dict[str, object]:
    """As SWE-bench 5 publishes it; the instance's own image is used."""
    task, answer = instance.task, instance.answer
    return {
        "instance_id": f"cheat__{cheat}-1",
        "repo": task.repo,
        "base_commit": task.base_commit,
        "patch": answer.gold_patch,
        "test_patch": answer.test_patch,
        "problem_statement": task.problem_statement,
        "hints_text": "",
        "created_at": "2026-01-01T00:00:00Z",
        "version": instance.version,
        "FAIL_TO_PASS": json.dumps(answer.fail_to_pass),
        "PASS_TO_PASS": json.dumps(answer.pass_to_pass),
        "image": task.image,
        "eval_script": answer.eval_script,
        "log_parser": answer.log_parser,
        "eval_type": answer.eval_type.value,
    }


def prediction(cheat: str) -> dict[str, str]:
    patch = (CHEATS / f"{cheat}.diff").read_bytes().decode()
    return {
        "instance_id": f"cheat__{cheat}-1",
        "model_name_or_path": RUN,
        "model_patch": patch,
    }


def resolved_officially(given: argparse.Namespace, subset: Path, predictions: Path) -> set[str]:
    asked = [given.swebench.absolute(), "eval", subset, "--predictions", predictions]
    asked += ["-j", given.jobs, "--run-id", RUN]
    run(asked, given.work)
    reports = (given.work / "logs" / "run_evaluation" / RUN / RUN).glob("*/report.json")
    found = [json.loads(path.read_text()) for path in reports]
    return {name for report in found for name, said in report.items() if said["resolved"]}


def graded(given: argparse.Namespace, subset: Path, predictions: Path) -> dict[str, Attempt]:
    asked = [sys.executable, "-m", "swerun", "grade", predictions, "--subset", subset]
    asked += ["--no-cache", "--grade-jobs", given.jobs, "--grade-network", "none"]
    run([*asked, "--runs", "runs", "--run", RUN], given.work)
    attempts = open_run(RUN, given.work / "runs").attempts()
    return {attempt.instance_id: attempt for attempt in attempts}


def run(asked: list[object], folder: Path) -> None:
    environment = os.environ | {"HF_HUB_OFFLINE": "1"}
    words = [str(word) for word in asked]
    subprocess.run(words, check=False, cwd=folder, env=environment, stdout=sys.stderr)


def write(path: Path, rows: list[dict[str, object]] | list[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--swebench", type=Path, required=True, help="the command")
    parser.add_argument("-c", "--cheat", action="append", help="a glob of names; repeatable")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("cheats"))
    given = parser.parse_args()
    given.cheat = given.cheat or ["*"]
    return given


if __name__ == "__main__":
    sys.exit(main())
