"""SWE-bench Pro: repositories of many languages in /app; scripts and parsers beside the dataset.

`dockerhub_tag` of `jefzda/sweap-images`, `fail_to_pass` and `pass_to_pass` (lists as Python writes
them), `requirements` and `interface`, which belong to the statement of the problem. Columns of text
may be JSON strings. Source: README.md and `swe_bench_pro_eval.py` of
github.com/scaleapi/SWE-bench_Pro-os (commit 0875a8a). An instance's run_script.sh and parser.py,
and the ENV lines of its two Dockerfiles, are in that repository and in no row; the parser is a
program. So rows can be listed and shown, and not graded.
"""

from __future__ import annotations

import json

from swerun.instances.adapters.standard import made, task_of
from swerun.instances.legacy import Derived
from swerun.instances.rows import Row
from swerun.records import EvalType, Instance

WORKDIR = "/app"
COLUMNS = frozenset({"dockerhub_tag", "requirements", "interface", "fail_to_pass", "pass_to_pass"})
WHY = (
    "its run_script.sh, parser.py and environment are in the repository scaleapi/SWE-bench_Pro-os, "
    "not in the row, and the parser is a program that swerun does not run"
)


def instance(row: Row) -> Instance:
    """Raises InstanceError for a field that is malformed."""
    image = f"jefzda/sweap-images:{row.text('dockerhub_tag')}"
    plain = made(row, Derived("", "", EvalType.PASS_AND_FAIL, image), ungradable=WHY)
    return plain.model_copy(update={"task": task_of(row, image, WORKDIR, _statement(row))})


def _statement(row: Row) -> str:
    parts = [_unwrapped(row.text("problem_statement"))]
    for title, field in (("Requirements", "requirements"), ("Interface", "interface")):
        if text := _unwrapped(row.text(field, default="")):
            parts.append(f"{title}:\n{text}")
    return "\n\n".join(parts)


def _unwrapped(text: str) -> str:
    if text[:1] == text[-1:] == '"':
        try:
            return str(json.loads(text))
        except ValueError:
            return text
    return text
