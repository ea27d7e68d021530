"""Rows as the datasets have them, small and made up; and files of them."""

from __future__ import annotations

import io
import json
from typing import Any

DIFF = "diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
TESTS = (
    "diff --git a/tests/test_a.py b/tests/test_a.py\n--- a/tests/test_a.py\n+++ b/tests/test_a.py\n"
    "@@ -1 +1 @@\n-assert x == 1\n+assert x == 2\n"
    "diff --git a/tests/test new.py b/tests/test new.py\nnew file mode 100644\n--- /dev/null\n"
    "+++ b/tests/test new.py\n@@ -0,0 +1 @@\n+assert x\n"
    "diff --git a/tests/data.json b/tests/data.json\n--- a/tests/data.json\n"
    "+++ b/tests/data.json\n@@ -1 +1 @@\n-1\n+2\n"
)
SCRIPT = ": '>>>>> Start Test Output'\npytest -rA\n: '>>>>> End Test Output'\n"


def older(instance_id: str = "org__repo-1", **changes: Any) -> dict[str, Any]:
    """A row of SWE-bench from before version 5; also what the others have in common with it."""
    return {
        "repo": "psf/requests",
        "instance_id": instance_id,
        "base_commit": "0" * 40,
        "patch": DIFF,
        "test_patch": TESTS,
        "problem_statement": "It is broken.",
        "hints_text": "It is in a.py.",
        "created_at": "2026-01-01T00:00:00Z",
        "version": "2.0",
        "FAIL_TO_PASS": '["test_a", "test_b[\'x\']"]',
        "PASS_TO_PASS": "[]",
        "environment_setup_commit": "1" * 40,
    } | changes


def v5(instance_id: str = "org__repo-1", **changes: Any) -> dict[str, Any]:
    """A row as SWE-bench 5 publishes it."""
    more = {
        "image": "swebench/sweb.eval.x86_64.org_1776_repo-1:latest",
        "eval_script": SCRIPT,
        "log_parser": "parse_log_pytest",
        "eval_type": "pass_and_fail",
        "difficulty": "<15 min fix",
    }
    return older(instance_id) | more | changes


def smith_row(**changes: Any) -> dict[str, Any]:
    """A row of SWE-smith: fewer columns, and a patch that makes the bug."""
    return {
        "instance_id": "org__repo.1234abcd.func_pm_remove__xyz",
        "repo": "swesmith/org__repo.1234abcd",
        "patch": DIFF,
        "FAIL_TO_PASS": ["tests/test_a.py::test_a"],
        "PASS_TO_PASS": ["tests/test_a.py::test_b"],
        "image_name": "swebench/swesmith.x86_64.org_1776_repo.1234abcd",
        "problem_statement": "",
    } | changes


def parquet(*rows: dict[str, Any]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), file)
    return file.getvalue()


def jsonl(*rows: dict[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()
