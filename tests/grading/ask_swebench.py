"""Run by a Python that has swebench: a case a line on standard input, as JSON; its answer back."""

import io
import json
import sys
import tempfile
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace

from swebench.harness.grading import get_eval_report
from swebench.harness.log_parsers import PARSER_REGISTRY

PREDICTION = {"instance_id": "i", "model_patch": "a patch"}


def spec_of(case):
    return SimpleNamespace(
        instance_id=case["instance_id"],
        version=case["version"],
        log_parser=case["parser"],
        eval_type=case["eval_type"],
        FAIL_TO_PASS=case["fail_to_pass"],
        PASS_TO_PASS=case["pass_to_pass"],
    )


def statuses(case):
    """None where the parser ends in an error, whichever that is."""
    try:
        return PARSER_REGISTRY[case["parser"]](case["log"], spec_of(case))
    except Exception:
        return None


def graded(case, file):
    """The expected tests that are as they must be, where there is a verdict."""
    file.write_bytes(case["log"].encode())
    try:
        report = get_eval_report(spec_of(case), PREDICTION, str(file), True)["i"]
    except Exception:
        return {"resolved": False, "ok": None}
    tests = report.get("tests_status")
    groups = ("FAIL_TO_PASS", "PASS_TO_PASS")
    return {
        "resolved": report["resolved"],
        "ok": [tests[group]["success"] for group in groups] if tests else None,
    }


def answer(case, file):
    with redirect_stdout(io.StringIO()):  # parsers print warnings
        if case["verdict"]:
            return graded(case, file)
        return {"statuses": statuses(case)}


with tempfile.TemporaryDirectory() as made:
    if sys.argv[1:] == ["--names"]:
        print(json.dumps(sorted(PARSER_REGISTRY)), flush=True)
    else:
        for line in sys.stdin:
            print(json.dumps(answer(json.loads(line), Path(made) / "log")), flush=True)
