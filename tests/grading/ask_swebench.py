"""Run by a Python that has swebench: cases as JSON on standard input, its answers as JSON back."""

import json
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from swebench.harness.grading import get_eval_report
from swebench.harness.log_parsers import PARSER_REGISTRY


def statuses(case):
    try:
        return PARSER_REGISTRY[case["parser"]](case["log"], None)
    except IndexError:  # a heading without a name
        return None


def resolved(case, folder):
    file = Path(folder) / "log"
    file.write_bytes(case["log"].encode())
    spec = SimpleNamespace(
        instance_id="i",
        log_parser=case["parser"],
        eval_type=case["eval_type"],
        FAIL_TO_PASS=case["fail_to_pass"],
        PASS_TO_PASS=case["pass_to_pass"],
    )
    prediction = {"instance_id": "i", "model_patch": "a patch"}
    try:
        return get_eval_report(spec, prediction, str(file), False)["i"]["resolved"]
    except IndexError:
        return None


with tempfile.TemporaryDirectory() as made:
    cases = json.load(sys.stdin)
    json.dump([{"statuses": statuses(c), "resolved": resolved(c, made)} for c in cases], sys.stdout)
