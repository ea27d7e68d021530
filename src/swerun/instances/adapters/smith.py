"""SWE-smith: synthetic bugs. A row's `patch` makes the bug, and nothing in it says how to test.

`image_name` and `repo` (a mirror of the repository at one commit; the bug is its branch
`<instance_id>`). Test command and parser are in a profile for each repository
(`swesmith/profiles/base.py` of github.com/SWE-bench/SWE-smith, commit 032f1a1), and the image holds
the repository without the bug (`swesmith/harness/utils.py` checks out the branch over the network).
So rows can be listed and shown, and neither solved nor graded; a reverse of `patch` is not made up.
"""

from __future__ import annotations

from swerun.instances.adapters.standard import NETWORK, tests_of
from swerun.instances.rows import Row
from swerun.records import Answer, Instance, Task

COLUMNS = frozenset({"image_name"})
WHY = (
    "its image holds the repository without the bug, and its test command and log parser are in "
    "SWE-smith's profiles, not in the row"
)


def instance(row: Row) -> Instance:
    """Raises InstanceError for a field that is malformed."""
    fail_to_pass, pass_to_pass = tests_of(row)
    return Instance(
        task=Task(
            id=row.id(),
            repo=row.text("repo"),
            base_commit=row.text("base_commit", default=""),
            problem_statement=row.text("problem_statement", default=""),  # many have none
            image=row.text("image_name"),
        ),
        answer=Answer(
            gold_patch="",
            test_patch="",
            eval_script="",
            log_parser="",
            fail_to_pass=fail_to_pass,
            pass_to_pass=pass_to_pass,
        ),
        grade_network=NETWORK,
        ungradable=WHY,
    )
