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
        eval_type=case.get("eval_type"),
        FAIL_TO_PASS=case.get("fail_to_pass"),
        PASS_TO_PASS=case.get("pass_to_pass"),
    )


def statuses(case):
    """None where the parser ends in an error, whichever that is."""
    parse, spec = PARSER_REGISTRY[case["parser"]], spec_of(case)
    try:
        return parse(case["log"], spec)
    except Exception:  # noqa: BLE001 -- any end of theirs is an answer
        return None


def graded(case, file):
    """The expected tests that are as they must be, where there is a verdict."""
    file.write_bytes(case["log"].encode())
    spec = spec_of(case)
    try:
        report = get_eval_report(spec, PREDICTION, str(file), True)["i"]
    except Exception:  # noqa: BLE001
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


def say(said):
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


with tempfile.TemporaryDirectory() as made:
    if sys.argv[1:] == ["--names"]:
        say(sorted(PARSER_REGISTRY))
    else:
        for line in sys.stdin:
            say(answer(json.loads(line), Path(made) / "log"))
