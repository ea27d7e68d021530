"""What swerun writes as SWE-bench's harness does, beside what swebench 5.0.2 itself writes."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from swerun.exchange.folders import write_folder
from swerun.exchange.swebench import sign_in, swebench_files
from swerun.grading.verdict import EXIT_CODE, no_verdict
from swerun.grading.verdict import grade_log as grade
from swerun.records import END, START, EvalType, GradeReason
from tests.exchange.stored import NO_PATCH, Done, stored
from tests.fakes import an_instance, files_below
from tests.report.test_compare import A_SESSION
from tests.test_swebench_agrees import HOME, swebench  # noqa: F401 -- a fixture

FIXED, KEPT, OTHER = "a.py::fixed", "a.py::kept", "a.py::kept[x]"
LOGS = {
    "resolved": (f"PASSED {FIXED}\nPASSED {KEPT}\nXFAIL {OTHER}\n", 0),
    "skipped": (f"PASSED {FIXED}\nSKIPPED {KEPT}\nPASSED {OTHER}\n", 0),
    "unresolved": (f"FAILED {FIXED}\nPASSED {KEPT}\nERROR {OTHER}\n", 1),
    "absent": (f"PASSED {KEPT}\nFAILED b.py::x\n", 1),
    "module": (f"ModuleNotFoundError: x\nERROR {FIXED}\n", 1),
    "nothing": ("collected 0 items\nno tests ran\n", 5),
    "network": ("Could not resolve host: x\n", 1),
    "memory": ("ModuleNotFoundError: x\nKilled\n", 137),
    "forged": (f"PASSED {FIXED}\nPASSED {KEPT}\nPASSED {OTHER}\n", 1),
    "only": (f"FAILED {KEPT}\nFAILED b.py::x\n", 1),
}


def instance(name):
    kind = EvalType.FAIL_ONLY if name == "only" else EvalType.PASS_AND_FAIL
    expected = {"fail_to_pass": (FIXED,), "pass_to_pass": (KEPT, OTHER), "eval_type": kind}
    return an_instance(f"org__repo-{name}", **expected)


def graded(name):
    results, code = LOGS[name]
    log = f"+ : '{START}'\n{results}+ : '{END}'\n{EXIT_CODE}: {code}\n".encode()
    return Done(f"org__repo-{name}", grade(instance(name), log), log)


def ungraded(name, reason, log=b""):
    return Done(f"org__repo-{name}", no_verdict(instance(name), reason, ""), log)


DONE = [
    *map(graded, LOGS),
    replace(graded("resolved"), instance_id="org__repo-packed", packed=True),
    ungraded("rejected", GradeReason.PATCH_REJECTED),
    ungraded("late", GradeReason.TIMED_OUT, f"+ : '{START}'\n".encode()),
    replace(Done("org__repo-empty", NO_PATCH), patch=b""),
    Done("org__repo-failed"),
]


def row(done):
    made = instance(done.instance_id.rpartition("-")[2]).answer
    return {
        "instance_id": done.instance_id,
        "version": "",
        "log_parser": made.log_parser,
        "eval_type": made.eval_type,
        "FAIL_TO_PASS": made.fail_to_pass,
        "PASS_TO_PASS": made.pass_to_pass,
    }


SIGNED = """\
Failed to launch
Failed to connect to the bus
cannot open display
Missing X server
unable to open X display
Cannot allocate memory
OutOfMemoryError
Killed
was Killed
Error response from daemon
Cannot connect to the Docker daemon
Could not resolve host
Temporary failure in name resolution
Cannot find module
MODULE_NOT_FOUND
ModuleNotFoundError
no tests ran
collected 0 items
Timeout error: 5 seconds exceeded
Timeout error: x seconds exceeded
all is well""".splitlines()
TEXTS = [*SIGNED, *("\n".join(pair) for pair in combinations(SIGNED, 2))]


def asked(folder, run, rows):
    argv = [HOME / "bin" / "python", Path(__file__).parent / "ask_swebench.py"]
    said = json.dumps({"run": run, "rows": rows, "texts": TEXTS})
    env = os.environ | {"PYTHONUTF8": "1"}
    done = subprocess.run(
        argv, cwd=folder, input=said, capture_output=True, text=True, check=True, env=env
    )
    return json.loads(done.stdout)


def instances_in(folder):
    return {
        instance_id: report
        for path in sorted(folder.glob("logs/**/report.json"))
        for instance_id, report in json.loads(path.read_text()).items()
    }


@pytest.mark.index
@pytest.mark.usefixtures("swebench")
def test_swebench_makes_of_the_same_logs_the_same_reports_key_by_key(tmp_path):
    store = stored(tmp_path / "runs", *DONE, model="org/m")
    folder = tmp_path / "written"
    write_folder(folder, swebench_files(store))
    theirs = asked(folder, store.name, [row(done) for done in DONE])
    assert instances_in(folder) == theirs["instances"]
    assert len(theirs["instances"]) == len(LOGS) + 1
    assert json.loads((folder / theirs["name"]).read_text()) == theirs["run"]
    for text, theirs_is in zip(TEXTS, theirs["signs"], strict=True):
        sign = sign_in(text.encode())
        ours = [sign.reason, "environment" if sign.certain else "ambiguous"] if sign else None
        assert (text, ours) == (text, theirs_is)
    assert theirs["run"]["error_ids"] == ["org__repo-late", "org__repo-rejected"]
    assert theirs["run"]["incomplete_ids"] == ["org__repo-failed"]
    assert set(theirs["run"]["failure_reasons"].values()) == {
        *("missing_module", "no_tests_collected", "network_unreachable", "out_of_memory"),
        "tests_timed_out",
    }


def test_what_is_suspect_is_not_handed_on_as_resolved(tmp_path):
    store = stored(tmp_path, graded("resolved"))
    (path,) = store.folder.glob("attempts/*/1/attempt.json")
    path.write_text(path.read_text().replace('"outcome": "resolved"', '"outcome": "suspect"'))
    write_folder(tmp_path / "written", swebench_files(store))
    (report,) = instances_in(tmp_path / "written").values()
    assert report["resolved"] is False
    assert report["tests_status"]["FAIL_TO_PASS"] == {"success": [FIXED], "failure": []}
    run = json.loads((tmp_path / "written" / "m.r.json").read_text())
    assert (run["resolved_ids"], run["unresolved_ids"]) == ([], ["org__repo-resolved"])


def test_instances_that_were_chosen_and_had_no_prediction_are_incomplete(tmp_path):
    session = A_SESSION.model_copy(update={"missing": ("org__repo-0",)})
    store = stored(tmp_path, graded("resolved"), sessions=(session,))
    write_folder(tmp_path / "written", swebench_files(store))
    run = json.loads((tmp_path / "written" / "m.r.json").read_text())
    assert (run["total_instances"], run["incomplete_ids"]) == (2, ["org__repo-0"])


def test_a_patch_is_handed_on_byte_by_byte_and_the_log_unpacked(tmp_path):
    done = replace(graded("resolved"), packed=True, log=b"x" * (2 << 20))
    write_folder(tmp_path / "written", swebench_files(stored(tmp_path, done)))
    folder = tmp_path / "written/logs/run_evaluation/r/m/org__repo-resolved"
    assert set(files_below(folder)) == {"eval.sh", "patch.diff", "report.json", "test_output.txt"}
    assert (folder / "patch.diff").read_bytes() == done.patch
    assert (folder / "test_output.txt").read_bytes() == done.log


def test_of_several_signs_in_a_log_the_first_of_the_list_counts():
    assert sign_in(b"ModuleNotFoundError\nKilled\n").reason == "out_of_memory"
    assert sign_in(b"was Killed\n") is None
    assert sign_in(None) is None
