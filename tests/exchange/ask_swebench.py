"""Run by a Python that has swebench, in a folder that swerun wrote: what it makes of it, as JSON.

Given on standard input: the run's id, the dataset's rows, and of each the parser and the expected
tests; and texts, to be asked what sign of a broken environment is in each. Its reports of instances
are made of the logs there; that of the run, of the reports there.
"""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

from swebench.harness.grading import get_eval_report
from swebench.harness.infra_failure import classify_text
from swebench.harness.reporting import make_run_report

given = json.load(sys.stdin)
with Path("predictions.jsonl").open() as file:
    predictions = {p["instance_id"]: p for p in map(json.loads, file)}
reports = {}
for row in given["rows"]:
    prediction = predictions.get(row["instance_id"])
    if prediction is None or not prediction["model_patch"]:
        continue
    model = prediction["model_name_or_path"].replace("/", "__")
    folder = Path("logs/run_evaluation") / given["run"] / model / row["instance_id"]
    if (folder / "report.json").exists():
        log = folder / "test_output.txt"
        reports |= get_eval_report(SimpleNamespace(**row), prediction, str(log), True)
with redirect_stdout(sys.stderr):
    made = make_run_report(predictions, given["rows"], given["run"], None, "theirs")
said = {"instances": reports, "run": json.loads(made.read_text()), "name": made.name}
said["signs"] = [classify_text(text) for text in given["texts"]]
json.dump(said, sys.stdout)
