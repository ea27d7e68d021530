"""SWE-Gym: rows as SWE-bench had them before version 5, of eleven other repositories.

Images are `xingyaoww/sweb.eval.x86_64.<id>` with `_s_` for `__` (evaluation/swe_bench/run_infer.py
of github.com/SWE-Gym/OpenHands). How each version of a repository is tested, and which parser reads
that, is in a table of its fork of swebench (github.com/SWE-Gym/SWE-Bench-Fork) alone: rows can be
listed and shown; to be graded, one has to bring eval_script and log_parser.
"""

from __future__ import annotations

from swerun.instances.adapters import standard
from swerun.instances.legacy import Derived
from swerun.instances.rows import Row
from swerun.records import EvalType, Instance

COLUMNS = standard.COLUMNS
WHY = (
    "how its tests are run and read is in the tables of SWE-Gym's fork of swebench, not in the row "
    "(a file whose rows have eval_script, log_parser and image can be graded)"
)


def instance(row: Row) -> Instance:
    """Raises InstanceError for a field that is malformed."""
    if row.values.get("eval_script"):
        return standard.instance(row)
    image = row.text("image", default=standard.image_named("xingyaoww", row, "_s_"))
    return standard.made(row, Derived("", "", EvalType.PASS_AND_FAIL, image), ungradable=WHY)
